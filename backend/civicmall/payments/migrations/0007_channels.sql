-- the sandbox's bank: how it behaves for one payment, and how its refunds stand
-- depends: 0002_refunds

-- migrate: apply

alter table payments.sandbox_payment
    drop constraint sandbox_payment_state_check,
    add constraint sandbox_payment_state_check check (state in
        ('waiting', 'paid', 'declined', 'cancelled', 'late')),
    add column manner text not null default 'paid' check (manner ~ '^[a-z_]{1,40}$'),
    add column silent smallint not null default 0 check (silent >= 0);
create index sandbox_payment_paid on payments.sandbox_payment (paid_at, order_id)
    where state = 'paid';
create index sandbox_payment_late on payments.sandbox_payment (bucket, order_id)
    where state = 'late';

alter table payments.sandbox_return
    add column state text not null default 'done' check (state in ('pending', 'done', 'failed')),
    add column at timestamptz not null default now();
create index sandbox_return_done on payments.sandbox_return (at, return_id) where state = 'done';

-- migrate: rollback

drop index payments.sandbox_return_done;
alter table payments.sandbox_return drop column state, drop column at;
drop index payments.sandbox_payment_late, payments.sandbox_payment_paid;
update payments.sandbox_payment set state = 'cancelled' where state = 'late';
alter table payments.sandbox_payment
    drop column manner, drop column silent,
    drop constraint sandbox_payment_state_check,
    add constraint sandbox_payment_state_check check (state in
        ('waiting', 'paid', 'declined', 'cancelled'));
