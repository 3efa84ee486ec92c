-- nonces of shops' callbacks: each is taken once
-- depends: 0001_gateway

-- migrate: apply

-- The bucket comes from the nonce, so that what is remembered spreads over all.
create table gateway.nonce (
    bucket smallint    not null,
    keyid  text        not null,
    nonce  text        not null,
    until  timestamptz not null,
    primary key (bucket, keyid, nonce)
);
create index nonce_until on gateway.nonce (until);

-- migrate: rollback

drop table gateway.nonce;
