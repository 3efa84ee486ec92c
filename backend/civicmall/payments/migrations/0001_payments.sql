-- orders, the ledger, channels' news; what desks see
-- depends:

-- migrate: apply

create function payments.sums_to_zero(amounts bigint[]) returns boolean
    language sql immutable strict parallel safe
    return (select sum(amount) = 0 from unnest(amounts) as amount);

create table payments.orders (
    bucket         smallint    not null,
    id             uuid        not null,
    citizen_id     uuid        not null,
    state          text        not null check (state in
        ('created', 'paying', 'paid', 'fulfilled', 'closed', 'refunding', 'refunded', 'part_refunded')),
    amount_minor   bigint      not null check (amount_minor > 0),
    refunded_minor bigint      not null default 0,
    currency       text        not null check (currency = 'CNY'),
    created_at     timestamptz not null default now(),
    expires_at     timestamptz not null,
    paid_at        timestamptz,
    closed_at      timestamptz,
    channel        text,
    channel_txn    text,
    ask_at         timestamptz,
    asked          int         not null default 0,
    primary key (bucket, id),
    check (refunded_minor between 0 and amount_minor),
    check ((paid_at is null) = (state in ('created', 'paying', 'closed')))
);
create index orders_of_citizen on payments.orders (bucket, citizen_id, id);
create index orders_due on payments.orders (expires_at) where state in ('created', 'paying');

create table payments.line (
    bucket             smallint not null,
    order_id           uuid     not null,
    no                 smallint not null,
    shop               text     not null,
    app                text     not null,
    charge_id          text     not null,
    state              text     not null default 'waiting'
        check (state in ('waiting', 'fulfilled', 'refused', 'refunded')),
    fee_code           text     not null,
    title              jsonb    not null,
    beneficiary        jsonb    not null check (beneficiary ? 'zh-CN'),
    period             text     not null,
    amount_minor       bigint   not null check (amount_minor > 0),
    settlement_account text     not null,
    receipt            jsonb,
    primary key (bucket, order_id, no),
    check ((state = 'fulfilled') = (receipt is not null))
);

-- A charge stands in at most one order that is open or paid; closing the order frees it.
create table payments.charge (
    bucket    smallint not null,
    shop      text     not null,
    charge_id text     not null,
    order_id  uuid     not null,
    primary key (bucket, shop, charge_id)
);

-- The ledger. One row is one posting: it can't be half written, and it sums to zero or isn't there.
create table payments.posting (
    bucket    smallint    not null,
    id        uuid        not null,
    order_id  uuid        not null,
    kind      text        not null check (kind in ('payment', 'suspense', 'refund', 'return')),
    accounts  text[]      not null,
    amounts   bigint[]    not null,
    posted_at timestamptz not null default now(),
    primary key (bucket, id),
    check (cardinality(accounts) >= 2 and cardinality(accounts) = cardinality(amounts)),
    check (array_position(accounts, null) is null and array_position(amounts, null) is null),
    check (payments.sums_to_zero(amounts))
);
create index posting_of_order on payments.posting (bucket, order_id);
revoke update, delete, truncate on payments.posting from civicmall_app;

-- Each payment that a channel told of, by the channel's own number: told twice, seen once.
create table payments.channel_payment (
    bucket       smallint    not null,
    channel      text        not null,
    txn          text        not null,
    order_id     uuid        not null,
    amount_minor bigint      not null,
    paid_at      timestamptz not null,
    outcome      text        not null,
    seen_at      timestamptz not null default now(),
    returned_at  timestamptz,
    primary key (bucket, channel, txn)
);

-- The sandbox's bank: what a real channel would keep on its own machines.
create table payments.sandbox_payment (
    bucket         smallint    not null,
    order_id       uuid        not null,
    amount_minor   bigint      not null,
    state          text        not null check (state in ('waiting', 'paid', 'declined', 'cancelled')),
    txn            text,
    paid_minor     bigint,
    paid_at        timestamptz,
    returned_minor bigint      not null default 0,
    created_at     timestamptz not null default now(),
    primary key (bucket, order_id),
    check ((state = 'paid') = (txn is not null and paid_at is not null and paid_minor is not null)),
    check (returned_minor <= coalesce(paid_minor, 0))
);

create table payments.sandbox_return (
    bucket       smallint not null,
    order_id     uuid     not null,
    return_id    text     not null,
    amount_minor bigint   not null,
    primary key (bucket, order_id, return_id)
);

-- What desks look at: fed by events, keyed by shop.
create table payments.desk_payment (
    shop           text        not null,
    order_id       uuid        not null,
    no             smallint    not null,
    app            text        not null,
    charge_id      text        not null,
    fee_code       text        not null,
    title          jsonb       not null,
    period         text        not null,
    amount_minor   bigint      not null,
    state          text        not null,
    paid_at        timestamptz not null,
    receipt_number text,
    primary key (shop, order_id, no)
);
create index desk_payment_newest on payments.desk_payment (shop, paid_at desc, order_id, no);

create table payments.mismatch (
    channel      text        not null,
    txn          text        not null,
    bucket       smallint    not null,
    order_id     uuid        not null,
    amount_minor bigint      not null,
    outcome      text        not null,
    seen_at      timestamptz not null,
    resolved_at  timestamptz,
    primary key (channel, txn, bucket)
);

-- migrate: rollback

drop table payments.mismatch, payments.desk_payment, payments.sandbox_return,
           payments.sandbox_payment, payments.channel_payment, payments.posting, payments.charge,
           payments.line, payments.orders;
drop function payments.sums_to_zero;
