-- applications and charges (as shopkit.applications and shopkit.charges give them out), who is insured, contributions, personal accounts
-- depends:

-- migrate: apply

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

-- History is only ever added to.
revoke update, delete on application_event from civicmall_shop_medical_insurance;

-- Who is insured how. `person` is a keyed hash, as everywhere.
create table insured (
    person     bytea   not null check (length(person) = 32),
    year       integer not null,
    scheme     text    not null check (scheme in ('employee', 'retired', 'flexible', 'resident')),
    primary key (person, year)
);

-- What is to be paid. `whose` is what the person is to the payer.
create table contribution (
    id           text   primary key,
    payer        bytea  not null check (length(payer) = 32),
    whose        text   not null check (whose in ('self', 'child', 'parent', 'relative')),
    category     text   not null check (category in ('adult', 'student', 'newborn', 'elderly', 'flexible')),
    period       text   not null,
    amount_minor bigint not null check (amount_minor > 0),
    issued_on    date   not null,
    due_on       date   not null
);
create index contribution_payer on contribution (payer);

-- The tables of shopkit.charges. `charge` is the shop's own id of what is owed, within its app.

-- What was paid. A charge may have been paid several times, of which one is in force: the one that
-- wasn't refunded in full. The index decides between two who come at once.
create table charge_payment (
    payment_id     text        primary key,
    app            text        not null,
    charge         text        not null,
    number         text        not null unique,
    amount_minor   bigint      not null check (amount_minor > 0),
    refunded_minor bigint      not null default 0 check (refunded_minor between 0 and amount_minor),
    paid_at        timestamptz not null,
    booked_at      timestamptz not null
);
create unique index charge_payment_in_force on charge_payment (app, charge)
    where refunded_minor < amount_minor;

-- What went back; charge_payment.refunded_minor is their sum, kept in the same statement.
create table charge_refund (
    refund_id    text        primary key,
    payment_id   text        not null references charge_payment,
    amount_minor bigint      not null check (amount_minor > 0),
    refunded_at  timestamptz not null,
    noted_at     timestamptz not null
);
create index charge_refund_payment on charge_refund (payment_id);

revoke delete on charge_payment from civicmall_shop_medical_insurance;
revoke update, delete on charge_refund from civicmall_shop_medical_insurance;

-- Into the personal account (+) and out of it (-).
create table movement (
    person       bytea   not null check (length(person) = 32),
    seq          integer not null,
    booked_on    date    not null,
    kind         text    not null check (kind in ('credit', 'interest', 'outpatient', 'pharmacy', 'family')),
    amount_minor bigint  not null check ((kind in ('credit', 'interest')) = (amount_minor > 0) and amount_minor <> 0),
    primary key (person, seq)
);
create index movement_booked on movement (person, booked_on);
revoke update, delete on movement from civicmall_shop_medical_insurance;

-- migrate: rollback

drop table movement, contribution, insured;
drop table charge_refund, charge_payment;
drop table application_clerk, application_event, application;
