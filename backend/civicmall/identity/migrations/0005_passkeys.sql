-- passkeys; how somebody signed in, and from which network
-- depends: 0001_identity

-- migrate: apply

-- `amr` as RFC 8176 names it. `place` is the network that the session was opened from, cut short and
-- sealed; `seen` is a keyed hash of owner, device and network, by which a device is known again.
alter table identity.session
    add column amr   text[] not null default '{}',
    add column place bytea,
    add column seen  bytea check (length(seen) = 32);

-- The slot is what limits how many somebody has, however many are added at once.
create table identity.passkey (
    bucket          smallint    not null,
    id              uuid        not null,
    owner           uuid        not null,
    kind            text        not null check (kind in ('citizen', 'staff')),
    slot            smallint    not null check (slot between 1 and 20),
    handle          bytea       not null check (length(handle) = 32),
    credential_id   bytea       not null check (length(credential_id) between 16 and 1023),
    public_key      bytea       not null,
    sign_count      bigint      not null check (sign_count between 0 and 4294967295),
    backup_eligible boolean     not null,
    backed_up       boolean     not null check (backup_eligible or not backed_up),
    transports      text[]      not null default '{}',
    name            bytea       not null,
    created_at      timestamptz not null default now(),
    last_used_at    timestamptz,
    set_aside_at    timestamptz,
    primary key (bucket, id),
    unique (bucket, owner, slot),
    unique (bucket, handle, credential_id)
);

-- Whose a credential id is: the bucket is the hash's first byte, so that nobody registers another's.
create table identity.passkey_id (
    bucket smallint not null,
    hash   bytea    not null check (length(hash) = 32),
    owner  uuid     not null,
    primary key (bucket, hash)
);

-- Challenges that were answered: each is good for one answer. The bucket is the challenge's first byte.
create table identity.passkey_answered (
    bucket     smallint    not null,
    challenge  bytea       not null check (length(challenge) = 32),
    expires_at timestamptz not null,
    primary key (bucket, challenge)
);
create index passkey_answered_expires on identity.passkey_answered (expires_at);

-- migrate: rollback

drop table identity.passkey_answered, identity.passkey_id, identity.passkey;
alter table identity.session drop column seen, drop column place, drop column amr;
