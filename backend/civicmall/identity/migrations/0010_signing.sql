-- generations of the keys that tokens are signed with
-- depends: 0001_identity

-- migrate: apply

-- Few and shared: a reference table. The EC key of a generation is derived from the installation's root;
-- an RSA key can't be, so it lies here, sealed.
create table identity.signing_key (
    generation int         primary key check (generation > 0),
    made_at    timestamptz not null default now(),
    signs_from timestamptz not null,
    ends_at    timestamptz,
    rsa        bytea       not null
);

-- migrate: rollback

drop table identity.signing_key;
