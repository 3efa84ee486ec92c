-- The tables of shopkit.charges. `charge` is the shop's own id of what is owed, within its app.

-- What was paid. A charge may have been paid several times, of which one is in force: the one that
-- wasn't refunded in full. The index decides between two who come at once.
create table charge_payment (
    payment_id     text        primary key,
    app            text        not null,
    charge         text        not null,
    number         text        not null unique,
    amount_minor   bigint      not null check (amount_minor > 0),
    refunded_minor bigint      not null default 0 check (refunded_minor between 0 and amount_minor),
    paid_at        timestamptz not null,
    booked_at      timestamptz not null
);
create unique index charge_payment_in_force on charge_payment (app, charge)
    where refunded_minor < amount_minor;

-- What went back; charge_payment.refunded_minor is their sum, kept in the same statement.
create table charge_refund (
    refund_id    text        primary key,
    payment_id   text        not null references charge_payment,
    amount_minor bigint      not null check (amount_minor > 0),
    refunded_at  timestamptz not null,
    noted_at     timestamptz not null
);
create index charge_refund_payment on charge_refund (payment_id);
