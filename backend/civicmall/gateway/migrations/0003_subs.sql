-- what shops that attest know citizens by, so that they can be found again
-- depends: 0001_gateway

-- migrate: apply

-- The bucket is the pseudonym's first byte. Only for shops whose manifest attests something, from a
-- citizen's first call on; when the citizen leaves, nobody is behind it any more.
create table gateway.sub (
    bucket     smallint not null,
    shop       text     not null,
    sub        text     not null check (sub ~ '^[0-9a-f]{32}$'),
    citizen_id uuid     not null,
    primary key (bucket, shop, sub)
);

-- migrate: rollback

drop table gateway.sub;
