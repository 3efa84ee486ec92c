-- payments that are split between a medical insurance and the citizen; the sandbox's insurer
-- depends: 0002_refunds

-- migrate: apply

-- One attempt to pay an order so. Its id with version 8 is the merchant's number at the other channel.
create table payments.split (
    bucket        smallint    not null,
    id            uuid        not null,
    order_id      uuid        not null,
    state         text        not null check (state in
        ('quoted', 'dropped', 'deducting', 'refused', 'deducted', 'paid', 'reversing', 'reversed')),
    pool_minor    bigint      not null check (pool_minor >= 0),
    account_minor bigint      not null check (account_minor >= 0),
    self_minor    bigint      not null check (self_minor >= 0),
    insurer_txn   text,
    insurer_at    timestamptz,
    self_channel  text,
    self_txn      text,
    self_at       timestamptz,
    trouble       text        not null default '' check (length(trouble) <= 200),
    made_at       timestamptz not null default now(),
    ask_at        timestamptz,
    asked         int         not null default 0,
    primary key (bucket, id),
    check (pool_minor + account_minor > 0),
    check (state not in ('quoted', 'dropped', 'refused') or insurer_txn is null),
    check (state not in ('deducted', 'paid') or (insurer_txn is not null and insurer_at is not null)),
    check ((self_txn is null) = (self_at is null)),
    check ((self_txn is not null) = (state = 'paid' and self_minor > 0)),
    check (state in ('deducting', 'deducted', 'paid', 'reversing') or ask_at is null)
);
create unique index split_open on payments.split (bucket, order_id)
    where state in ('quoted', 'deducting', 'deducted', 'paid');
create index split_of_order on payments.split (bucket, order_id);
create index split_due on payments.split (ask_at) where ask_at is not null;

-- A refund of such a payment: how each part stands. Null where the refund has no such part.
create table payments.split_refund (
    bucket         smallint not null,
    refund_id      uuid     not null,
    split_id       uuid     not null,
    pool_minor     bigint   not null check (pool_minor >= 0),
    account_minor  bigint   not null check (account_minor >= 0),
    self_minor     bigint   not null check (self_minor >= 0),
    insurer_state  text     check (insurer_state in ('open', 'pending', 'done', 'failed')),
    insurer_refund text,
    self_state     text     check (self_state in ('open', 'pending', 'done', 'failed')),
    self_refund    text,
    trouble        text     not null default '' check (length(trouble) <= 200),
    primary key (bucket, refund_id),
    check ((insurer_state is null) = (pool_minor + account_minor = 0)),
    check ((self_state is null) = (self_minor = 0))
);

-- The sandbox's insurer: what a real one would keep on its own machines.
create table payments.insurer_account (
    bucket        smallint not null,
    holder        text     not null,
    balance_minor bigint   not null check (balance_minor >= 0),
    primary key (bucket, holder)
);

create table payments.insurer_deduction (
    bucket             smallint    not null,
    number             uuid        not null,
    order_id           uuid,
    holder             text        not null,
    state              text        not null check (state in ('deducted', 'declined', 'reversed')),
    txn                text        not null,
    pool_minor         bigint      not null check (pool_minor >= 0),
    account_minor      bigint      not null check (account_minor >= 0),
    back_pool_minor    bigint      not null default 0 check (back_pool_minor between 0 and pool_minor),
    back_account_minor bigint      not null default 0
        check (back_account_minor between 0 and account_minor),
    at                 timestamptz not null,
    primary key (bucket, number)
);
create index insurer_deduction_at on payments.insurer_deduction (at);

create table payments.insurer_refund (
    bucket        smallint    not null,
    refund_number uuid        not null,
    number        uuid        not null,
    txn           text        not null,
    pool_minor    bigint      not null check (pool_minor >= 0),
    account_minor bigint      not null check (account_minor >= 0),
    at            timestamptz not null,
    primary key (bucket, refund_number)
);
create index insurer_refund_at on payments.insurer_refund (at);

-- What somebody who tries things out wants to go wrong with an order at the insurer, how often still.
create table payments.insurer_fault (
    bucket   smallint not null,
    order_id uuid     not null,
    fault    text     not null check (fault in
        ('declined', 'away', 'lost', 'later', 'reverse_away', 'refund_later', 'refund_failed')),
    times    int      not null check (times >= 0),
    primary key (bucket, order_id)
);

-- migrate: rollback

drop table payments.insurer_fault, payments.insurer_refund, payments.insurer_deduction,
           payments.insurer_account, payments.split_refund, payments.split;
