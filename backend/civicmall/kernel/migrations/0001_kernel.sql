-- outbox and idempotency, shared furniture of every room
-- depends:

-- migrate: apply

create table kernel.outbox (
    bucket     smallint    not null,
    id         uuid        not null,
    type       text        not null check (type ~ '^[a-z_]+\.[a-z_]+$'),
    body       jsonb       not null,
    created_at timestamptz not null default now(),
    next_at    timestamptz not null default now(),
    attempts   int         not null default 0,
    dead       boolean     not null default false,
    error      text,
    primary key (bucket, id)
);
-- Drained rows are deleted, so what is left is what is due or dead.
create index outbox_due on kernel.outbox (next_at) where not dead;

create table kernel.idempotency (
    bucket       smallint    not null,
    owner        uuid        not null,
    scope        text        not null,
    key          text        not null check (length(key) between 1 and 255),
    request_hash bytea       not null,
    resource_id  uuid        not null,
    answer       jsonb,
    locked_until timestamptz not null,
    created_at   timestamptz not null default now(),
    primary key (bucket, owner, scope, key)
);
create index idempotency_age on kernel.idempotency (created_at);

-- migrate: rollback

drop table kernel.idempotency;
drop table kernel.outbox;
