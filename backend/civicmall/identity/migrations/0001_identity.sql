-- citizens, their codes, sessions and consents; staff; who read what
-- depends:

-- migrate: apply

-- Look-ups by a keyed hash; the bucket is the hash's first byte, and the citizen's bucket too.
create table identity.phone (
    bucket     smallint not null,
    blind      bytea    not null check (length(blind) = 32),
    citizen_id uuid     not null,
    primary key (bucket, blind)
);

create table identity.id_number (
    bucket     smallint not null,
    blind      bytea    not null check (length(blind) = 32),
    citizen_id uuid     not null,
    primary key (bucket, blind)
);

create table identity.citizen (
    bucket      smallint    not null,
    id          uuid        not null,
    level       smallint    not null default 1 check (level between 1 and 3),
    phone       bytea       not null,
    name        bytea,
    id_number   bytea,
    attested    bytea,
    declared    bytea,
    created_at  timestamptz not null default now(),
    verified_at timestamptz,
    primary key (bucket, id),
    check ((level >= 2) = (name is not null and id_number is not null and verified_at is not null))
);

create table identity.code (
    bucket       smallint    not null,
    blind        bytea       not null,
    hash         bytea       not null,
    tries_left   smallint    not null check (tries_left >= 0),
    expires_at   timestamptz not null,
    sent         int         not null,
    window_start timestamptz not null,
    day          date        not null default current_date,
    day_sent     int         not null default 0,
    day_wrong    int         not null default 0,
    primary key (bucket, blind)
);

create table identity.session (
    bucket     smallint    not null,
    id         uuid        not null,
    owner      uuid        not null,
    kind       text        not null check (kind in ('citizen', 'staff')),
    generation int         not null default 0,
    rotated_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    device     text        not null default '' check (length(device) <= 80),
    primary key (bucket, id)
);
create index session_owner on identity.session (bucket, owner) where revoked_at is null;
create index session_revoked on identity.session (revoked_at) where revoked_at is not null;

create table identity.consent (
    bucket     smallint    not null,
    citizen_id uuid        not null,
    shop       text        not null,
    app        text        not null,
    claims     text[]      not null,
    given_at   timestamptz not null default now(),
    primary key (bucket, citizen_id, shop, app)
);

create table identity.access (
    bucket     smallint    not null,
    citizen_id uuid        not null,
    day        date        not null,
    reader     text        not null,
    claims     text[]      not null,
    purpose    text        not null,
    times      int         not null default 1,
    last_at    timestamptz not null default now(),
    primary key (bucket, citizen_id, day, reader, purpose)
);

-- Few and shared: a reference table.
create table identity.staff (
    id       uuid    primary key,
    username text    not null unique,
    password text    not null,
    name     text    not null,
    role     text    not null check (role in ('operator', 'department')),
    shop     text,
    active   boolean not null default true,
    failures int     not null default 0,
    wait_until timestamptz,
    check ((role = 'department') = (shop is not null))
);

-- What the sandbox's sender sent; empty where a real sender is used.
create table identity.sandbox_message (
    bucket  smallint    not null,
    id      uuid        not null,
    phone   bytea       not null,
    body    bytea       not null,
    sent_at timestamptz not null default now(),
    primary key (bucket, id)
);

-- migrate: rollback

drop table identity.sandbox_message, identity.staff, identity.access, identity.consent,
           identity.session, identity.code, identity.citizen, identity.id_number, identity.phone;
