-- cases, their timelines, materials and supplements; what desks see
-- depends:

-- migrate: apply

create table cases.case (
    bucket      smallint    not null,
    id          uuid        not null,
    citizen_id  uuid        not null,
    shop        text        not null,
    app         text        not null,
    -- The version of the shop that gave the form.
    release     text        not null,
    variant     text,
    title       jsonb       not null check (title ? 'zh-CN'),
    state       text        not null check (state in ('submitted', 'pending', 'running', 'waiting_for_citizen',
                                                      'ready', 'finished', 'refused', 'withdrawn', 'void')),
    reference   text,
    -- Personal, hence sealed: the form, what the shop last said, what came of it.
    form        bytea       not null,
    progress    bytea,
    progress_at timestamptz,
    result      bytea,
    submitted_at timestamptz not null,
    due_on      date,
    responsible jsonb,
    callback_by timestamptz,
    overdue_on  date,
    closed_at   timestamptz,
    supplements smallint    not null default 0 check (supplements >= 0),
    -- When the shop is next asked by itself; never again once the case is closed.
    next_at     timestamptz,
    tries       int         not null default 0,
    version     int         not null default 1,
    primary key (bucket, id),
    check ((closed_at is not null) = (state in ('finished', 'refused', 'withdrawn', 'void'))),
    check ((next_at is null) = (closed_at is not null)),
    check (state not in ('running', 'waiting_for_citizen', 'ready', 'finished') or reference is not null)
);
create index case_of_citizen on cases.case (bucket, citizen_id, id desc);
create index case_due on cases.case (next_at) where next_at is not null;

-- What happened to a case; rows are only ever added. `id` is the id of the event that told of it.
create table cases.event (
    bucket  smallint    not null,
    case_id uuid        not null,
    no      int         not null,
    id      uuid        not null,
    at      timestamptz not null,
    actor   text        not null check (actor in ('citizen', 'department', 'platform')),
    move    text        not null,
    state   text        not null,
    -- The department's own words, sealed: they may speak of the citizen.
    said    bytea,
    primary key (bucket, case_id, no)
);
revoke update, delete, truncate on cases.event from civicmall_app;
revoke delete on cases.case from civicmall_app;

-- Papers. Without a case they wait for one, and are forgotten after a day.
create table cases.material (
    bucket     smallint    not null,
    id         uuid        not null,
    citizen_id uuid        not null,
    case_id    uuid,
    code       text,
    seq        smallint    not null default 0,
    media      text        not null check (media in ('application/pdf', 'image/jpeg', 'image/png')),
    size       int         not null check (size between 1 and 4194304),
    sha256     text        not null check (length(sha256) = 64),
    body       bytea       not null,
    handed_at  timestamptz not null,
    primary key (bucket, id),
    check ((case_id is null) = (code is null))
);
alter table cases.material alter column body set storage external;
create index material_of_case on cases.material (bucket, case_id) where case_id is not null;
create index material_free on cases.material (bucket, citizen_id, handed_at) where case_id is null;

-- What the citizen brought later. At most one of a case waits for the shop's answer.
create table cases.supplement (
    bucket      smallint    not null,
    case_id     uuid        not null,
    seq         smallint    not null check (seq > 0),
    id          uuid        not null,
    form        bytea       not null,
    brought_at  timestamptz not null,
    answered_at timestamptz,
    primary key (bucket, case_id, seq)
);

-- What desks look at: keyed by shop, without the citizen, fed by events.
create table cases.desk_case (
    shop         text        not null,
    id           uuid        not null,
    app          text        not null,
    state        text        not null,
    reference    text,
    submitted_at timestamptz not null,
    due_on       date,
    callback_by  timestamptz,
    overdue_on   date,
    closed_at    timestamptz,
    version      int         not null,
    primary key (shop, id)
);
create index desk_case_all on cases.desk_case (id desc);

-- migrate: rollback

drop table cases.desk_case, cases.supplement, cases.material, cases.event, cases.case;
