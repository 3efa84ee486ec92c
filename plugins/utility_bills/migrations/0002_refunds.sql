-- money that went back; what was refunded in full is owed again and may be paid anew
-- depends: 0001_utility_bills

-- migrate: apply

-- A bill may have several payments, of which at most one is in force: not refunded in full.
alter table payment
    add column refunded_minor bigint not null default 0
        check (refunded_minor between 0 and amount_minor),
    drop constraint payment_pkey,
    add primary key (bill, payment_id);
create unique index payment_in_force on payment (bill) where refunded_minor < amount_minor;

create table refund (
    refund_id    text        primary key,
    bill         text        not null,
    payment_id   text        not null,
    amount_minor bigint      not null check (amount_minor >= 0),
    refunded_at  timestamptz not null,
    noted_at     timestamptz not null,
    foreign key (bill, payment_id) references payment
);
create index refund_payment on refund (bill, payment_id);

-- migrate: rollback

drop table refund;
drop index payment_in_force;
delete from payment where refunded_minor = amount_minor;
alter table payment
    drop constraint payment_pkey,
    add primary key (bill),
    drop column refunded_minor;
