-- the service items that are in force, and every version that was
-- depends:

-- migrate: apply

-- Few and shared: reference tables.
create table catalogue.item (
    code       text        primary key check (code ~ '^[a-z][a-z0-9_]{1,59}$'),
    digest     bytea       not null check (length(digest) = 32),
    body       jsonb       not null,
    valid_from timestamptz not null default now()
);

create table catalogue.item_past (
    code       text        not null,
    valid_from timestamptz not null,
    valid_to   timestamptz not null,
    digest     bytea       not null,
    body       jsonb       not null,
    primary key (code, valid_from)
);

-- migrate: rollback

drop table catalogue.item_past, catalogue.item;
