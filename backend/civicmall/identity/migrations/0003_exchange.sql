-- whom to tell when a session ends: the grants that were given in it
-- depends: 0002_provider

-- migrate: apply

create index grant_of_session on identity.grant_ (bucket, session_id);

-- migrate: rollback

drop index identity.grant_of_session;
