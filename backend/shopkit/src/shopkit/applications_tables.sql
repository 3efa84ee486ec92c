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
