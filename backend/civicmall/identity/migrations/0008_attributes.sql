-- facts with source and date, life events, objections; leaving for good
-- depends: 0001_identity

-- migrate: apply

-- What a citizen told of themselves (`self`) or a department attests (its shop). What the register
-- attests stays in one sealed piece with the citizen, from where it is given to apps. The old piece
-- `citizen.declared` can't be opened here: it is read on, and moves here when its citizen next tells
-- something.
create table identity.attribute (
    bucket     smallint    not null,
    citizen_id uuid        not null,
    name       text        not null check (name ~ '^[a-z][a-z_]{1,39}$'),
    source     text        not null check (source ~ '^[a-z][a-z0-9_]{1,39}$'),
    value      bytea       not null,
    as_of      date        not null,
    told_at    timestamptz not null,
    primary key (bucket, citizen_id, name, source)
);

-- Attributes that the home may not look at: a row is a switch that is off.
create table identity.attribute_off (
    bucket     smallint not null,
    citizen_id uuid     not null,
    name       text     not null check (name ~ '^[a-z][a-z_]{1,39}$'),
    primary key (bucket, citizen_id, name)
);

-- "This is wrong": until whoever attested it says something new, or the citizen takes it back.
create table identity.dispute (
    bucket      smallint    not null,
    citizen_id  uuid        not null,
    name        text        not null,
    source      text        not null check (source <> 'self'),
    words       bytea       not null,
    disputed_at timestamptz not null,
    primary key (bucket, citizen_id, name, source)
);

-- What happened in a life, in the citizen's own words: kind and day, sealed.
create table identity.life_event (
    bucket     smallint    not null,
    citizen_id uuid        not null,
    id         uuid        not null,
    event      bytea       not null,
    told_at    timestamptz not null,
    primary key (bucket, citizen_id, id)
);

-- Objections as departments see them: without the citizen, fed by events.
create table identity.desk_dispute (
    shop        text        not null,
    id          uuid        not null,
    name        text        not null,
    disputed_at timestamptz not null,
    primary key (shop, id)
);

-- Who left: what is being erased, and in the end what was kept and when the rest was gone.
create table identity.deletion (
    bucket     smallint    not null,
    citizen_id uuid        not null,
    asked_at   timestamptz not null,
    rooms      text[]      not null default '{}',
    kept       jsonb       not null,
    erased_at  timestamptz,
    primary key (bucket, citizen_id)
);
create index deletion_unfinished on identity.deletion (asked_at) where erased_at is null;

-- migrate: rollback

drop table identity.deletion, identity.desk_dispute, identity.life_event, identity.dispute,
           identity.attribute_off, identity.attribute;
