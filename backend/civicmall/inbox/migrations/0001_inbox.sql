-- messages to citizens
-- depends:

-- migrate: apply

create table inbox.message (
    bucket     smallint    not null,
    citizen_id uuid        not null,
    id         uuid        not null,
    kind       text        not null check (kind ~ '^[a-z_]+\.[a-z_]+$'),
    title      jsonb       not null check (title ? 'zh-CN' and title ? 'en'),
    body       jsonb       not null check (body ? 'zh-CN' and body ? 'en'),
    link       text        not null check (link ~ '^/([^/\\]|$)' and length(link) <= 400),
    sent_at    timestamptz not null default now(),
    read_at    timestamptz,
    primary key (bucket, citizen_id, id)
);
create index message_unread on inbox.message (bucket, citizen_id) where read_at is null;
create index message_age on inbox.message (bucket, sent_at);

-- migrate: rollback

drop table inbox.message;
