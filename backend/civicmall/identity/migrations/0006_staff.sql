-- staff: roles, second factors, tickets between the two steps; reading with a reason; sign-in limits
-- depends: 0001_identity

-- migrate: apply

-- A department's accounts so far could do all that a department can: they are its managers now.
alter table identity.staff drop constraint staff_role_check, drop constraint staff_check;
update identity.staff set role = 'manager' where role = 'department';
alter table identity.staff
    add constraint staff_role_check check (role in ('operator', 'manager', 'agent', 'auditor')),
    add constraint staff_shop_check check ((role in ('manager', 'agent')) = (shop is not null)),
    add column made_at timestamptz not null default now(),
    add column password_at timestamptz not null default now();

-- Few and shared like the accounts themselves. `last_step` is the newest thirty seconds (RFC 6238) of
-- which a code was taken: that code and all older ones are over.
create table identity.staff_totp (
    staff_id    uuid        primary key references identity.staff (id),
    secret      bytea       not null,
    last_step   bigint      not null,
    enrolled_at timestamptz not null default now()
);

-- A secret that was shown and not confirmed yet; it belongs to the session that it was shown to.
create table identity.staff_enrolment (
    session_id uuid        primary key,
    staff_id   uuid        not null references identity.staff (id),
    secret     bytea       not null,
    replaces   boolean     not null,
    expires_at timestamptz not null
);

create table identity.staff_recovery (
    staff_id uuid        not null references identity.staff (id),
    hash     bytea       not null check (length(hash) = 32),
    used_at  timestamptz,
    primary key (staff_id, hash)
);

-- How often second factors were tried in vain, and until when nobody may try again.
create table identity.staff_tries (
    staff_id   uuid        primary key references identity.staff (id),
    failures   int         not null default 0,
    wait_until timestamptz
);

-- Between password and second factor; `hash` is of the ticket, which only its bearer has.
create table identity.staff_ticket (
    hash       bytea       primary key check (length(hash) = 32),
    staff_id   uuid        not null references identity.staff (id),
    tries_left smallint    not null check (tries_left >= 0),
    expires_at timestamptz not null
);

-- One operator asks that a colleague's factor be taken off, another one does it.
create table identity.factor_reset (
    id         uuid        primary key,
    staff_id   uuid        not null references identity.staff (id),
    reason     text        not null check (length(reason) between 1 and 500),
    asked_by   uuid        not null references identity.staff (id),
    asked_at   timestamptz not null default now(),
    expires_at timestamptz not null,
    decided_by uuid        references identity.staff (id),
    decided_at timestamptz,
    state      text        not null default 'asked' check (state in ('asked', 'done', 'declined')),
    check ((state = 'asked') = (decided_by is null)),
    check ((state = 'asked') = (decided_at is null)),
    check (state <> 'done' or decided_by <> asked_by)
);
create unique index factor_reset_one on identity.factor_reset (staff_id) where state = 'asked';

-- A record that somebody opened with a reason, and until when.
create table identity.reading (
    bucket     smallint    not null,
    citizen_id uuid        not null,
    staff_id   uuid        not null,
    matter     text        not null check (length(matter) <= 80),
    reason     text        not null,
    words      text        not null check (length(words) <= 500),
    opened_at  timestamptz not null default now(),
    expires_at timestamptz not null,
    primary key (bucket, citizen_id, staff_id, matter)
);

-- An operator looks a citizen up by phone or number; another operator lets them. `blind` is what the
-- citizen is found by, `masked` (sealed) what the second operator sees.
create table identity.lookup (
    bucket     smallint    not null,
    id         uuid        not null,
    kind       text        not null check (kind in ('phone', 'id_number')),
    blind      bytea       not null check (length(blind) = 32),
    masked     bytea       not null,
    reason     text        not null,
    words      text        not null check (length(words) between 1 and 500),
    asked_by   uuid        not null,
    asked_name text        not null,
    asked_at   timestamptz not null default now(),
    expires_at timestamptz not null,
    decided_by uuid,
    decided_name text,
    decided_at timestamptz,
    state      text        not null default 'asked' check (state in ('asked', 'approved', 'declined')),
    primary key (bucket, id),
    check ((state = 'asked') = (decided_by is null)),
    check (state <> 'approved' or decided_by <> asked_by)
);
create index lookup_newest on identity.lookup (asked_at desc);

-- What came from a network or a device in its window; `blind` is a keyed hash of what is counted.
create table identity.attempt (
    bucket   smallint    not null,
    blind    bytea       not null check (length(blind) = 32),
    count    int         not null,
    began_at timestamptz not null,
    primary key (bucket, blind)
);
create index attempt_old on identity.attempt (began_at);

-- Devices on which somebody signed in with this phone: others' guesses don't lock them out.
create table identity.known_device (
    bucket  smallint    not null,
    blind   bytea       not null check (length(blind) = 32),
    hash    bytea       not null check (length(hash) = 32),
    last_at timestamptz not null default now(),
    primary key (bucket, blind, hash)
);

-- migrate: rollback

drop table identity.known_device, identity.attempt, identity.lookup, identity.reading,
           identity.factor_reset, identity.staff_ticket, identity.staff_tries,
           identity.staff_recovery, identity.staff_enrolment, identity.staff_totp;
alter table identity.staff drop constraint staff_role_check, drop constraint staff_shop_check,
    drop column made_at, drop column password_at;
delete from identity.staff where role in ('agent', 'auditor');
update identity.staff set role = 'department' where role = 'manager';
alter table identity.staff
    add constraint staff_role_check check (role in ('operator', 'department')),
    add constraint staff_check check ((role = 'department') = (shop is not null));
