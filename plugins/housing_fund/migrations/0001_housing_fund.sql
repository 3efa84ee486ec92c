-- accounts with what is paid in, loans, applications
-- depends:

-- migrate: apply

-- Whose an account is can only be found with the ID number in hand: holder is its keyed hash.
-- Deposits, interest and the balance aren't kept: they follow from the contributions (ledger.py).
create table account (
    number        text     primary key,
    holder        bytea    not null unique check (length(holder) = 32),
    opened_on     date     not null,
    opening_minor bigint   not null check (opening_minor >= 0),
    day           smallint not null check (day between 1 and 28),
    sealed_on     date     check (sealed_on > opened_on)
);

-- From the month `since` on: whole per cent of a monthly wage base; at least 5 each (art. 18).
create table contribution (
    account          text     not null references account,
    since            date     not null check (extract(day from since) = 1),
    base_minor       bigint   not null check (base_minor > 0),
    employer_percent smallint not null check (employer_percent between 5 and 12),
    employee_percent smallint not null check (employee_percent between 5 and 12),
    primary key (account, since)
);

-- As it was granted; how it is repaid since then follows from the applications that finished.
create table loan (
    id              text     primary key,
    holder          bytea    not null unique check (length(holder) = 32),
    home            text     not null check (home in ('first', 'second')),
    granted_on      date     not null,
    principal_minor bigint   not null check (principal_minor > 0),
    months          smallint not null check (months between 1 and 360),
    method          text     not null check (method in ('equal_instalments', 'equal_principal')),
    every           smallint not null check (every in (1, 12)),
    due_day         smallint not null check (due_day between 1 and 28),
    overdue_minor   bigint   not null check (overdue_minor >= 0)
);

-- Applications, whose holder can only be found with the ID number in hand: applicant is its keyed
-- hash. `kept` is what the department must know. `held` is what only one application may hold.
create table application (
    reference  text        primary key,
    app        text        not null,
    case_id    text        not null,
    applicant  bytea       not null check (length(applicant) = 32),
    held       text,
    kept       jsonb       not null,
    state      text        not null check (state in ('open', 'finished', 'refused', 'withdrawn')),
    applied_at timestamptz not null,
    unique (app, case_id),
    unique (app, held)
);
create index application_applicant on application (applicant, app, applied_at desc);

-- What happened. `key` tells repeated news apart; `state` above follows in the same statement.
create table application_event (
    reference   text        not null references application,
    seq         integer     not null check (seq >= 0),
    what        text        not null check (what in ('done', 'asked', 'supplied', 'refused', 'withdrawn')),
    step        text        check ((what = 'done') = (step is not null)),
    about       text[]      not null check ((what in ('asked', 'supplied', 'refused')) = (about <> '{}')),
    key         text,
    happened_at timestamptz not null,
    primary key (reference, seq),
    unique (reference, key)
);

-- Only in a sandbox: the apps whose applications a clerk moves forward.
create table application_clerk (
    app      text primary key,
    since_on date not null
);

create index application_account on application ((kept ->> 'account'));
create index application_loan on application ((kept ->> 'loan'));

-- History is only ever added to.
revoke update, delete on application_event from civicmall_shop_housing_fund;

-- migrate: rollback

drop table application_clerk, application_event, application;
drop table loan, contribution, account;
