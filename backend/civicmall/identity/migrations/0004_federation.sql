-- accounts at an upstream, and what raises a real-name level
-- depends: 0001_identity

-- migrate: apply

-- Since when a face or an agent vouches for somebody; the register's word is as old as verified_at.
alter table identity.citizen add column seen_at timestamptz;

-- Look-ups by a keyed hash of an upstream's issuer and subject.
create table identity.upstream_subject (
    bucket     smallint not null,
    blind      bytea    not null check (length(blind) = 32),
    citizen_id uuid     not null,
    primary key (bucket, blind)
);

-- The citizen's own list. Their row decides; one that was taken away stays, so that nothing links it
-- again without being asked.
create table identity.upstream_link (
    bucket     smallint    not null,
    citizen_id uuid        not null,
    blind      bytea       not null check (length(blind) = 32),
    id         uuid        not null,
    issuer     text        not null check (length(issuer) <= 500),
    linked_at  timestamptz not null default now(),
    used_at    timestamptz not null default now(),
    ended_at   timestamptz,
    primary key (bucket, citizen_id, blind)
);

-- What works once, and has: states and tickets of sign-ins elsewhere.
create table identity.spent (
    bucket     smallint    not null,
    hash       bytea       not null check (length(hash) = 32),
    expires_at timestamptz not null,
    primary key (bucket, hash)
);

-- How often something was tried on a day: by a citizen, for a number, by an agent.
create table identity.tries (
    bucket smallint not null,
    blind  bytea    not null check (length(blind) = 32),
    day    date     not null,
    tries  int      not null,
    primary key (bucket, blind, day)
);

create table identity.face_check (
    bucket     smallint    not null,
    id         uuid        not null,
    citizen_id uuid        not null,
    blind      bytea       not null check (length(blind) = 32),
    ticket     text        not null check (length(ticket) between 1 and 500),
    state      text        not null default 'open' check (state in ('open', 'passed', 'failed')),
    expires_at timestamptz not null,
    ended_at   timestamptz,
    primary key (bucket, id),
    check ((state = 'open') = (ended_at is null))
);

-- What the citizen shows at a counter; one at a time.
create table identity.counter_code (
    bucket     smallint    not null,
    citizen_id uuid        not null,
    hash       bytea       not null check (length(hash) = 32),
    tries_left smallint    not null check (tries_left >= 0),
    expires_at timestamptz not null,
    primary key (bucket, citizen_id)
);

-- The sandbox's authority: whose face is looked at, and what came of it.
create table identity.sandbox_face (
    bucket    smallint    not null,
    id        uuid        not null,
    number    bytea       not null,
    state     text        not null default 'waiting' check (state in ('waiting', 'passed', 'failed', 'another')),
    began_at  timestamptz not null default now(),
    primary key (bucket, id)
);

-- migrate: rollback

alter table identity.citizen drop column seen_at;
drop table identity.sandbox_face, identity.counter_code, identity.face_check, identity.tries,
           identity.spent, identity.upstream_link, identity.upstream_subject;
