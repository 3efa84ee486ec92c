-- finished calls: what a citizen may rate
-- depends:

-- migrate: apply

-- One row per citizen, app and day (一次一评), however often the page is opened.
create table gateway.call (
    bucket      smallint    not null,
    citizen_id  uuid        not null,
    day         date        not null,
    shop        text        not null,
    app         text        not null,
    id          uuid        not null,
    operation   text        not null,
    finished_at timestamptz not null default now(),
    primary key (bucket, citizen_id, day, shop, app)
);
create index call_id on gateway.call (bucket, id);

-- migrate: rollback

drop table gateway.call;
