-- the events that were given up on, for the operators' list
-- depends: 0002_city

-- migrate: apply

create index outbox_dead on kernel.outbox (id desc) where dead;

-- migrate: rollback

drop index kernel.outbox_dead;
