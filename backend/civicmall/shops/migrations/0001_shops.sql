-- the versions of each shop that this city has run
-- depends:

-- migrate: apply

create table shops.version (
    shop       text        not null,
    version    text        not null,
    digest     bytea       not null,
    manifest   jsonb       not null,
    first_seen timestamptz not null default now(),
    primary key (shop, version, digest)
);

-- migrate: rollback

drop table shops.version;
