-- who made an order for somebody else
-- depends: 0009_statement_parts

-- migrate: apply

-- The citizen who acted; null: the payer.
alter table payments.orders add column acted_by uuid;

-- migrate: rollback

alter table payments.orders drop column acted_by;
