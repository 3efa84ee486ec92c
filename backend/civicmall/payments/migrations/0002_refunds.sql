-- refunds of any part of a line, split payments, and the pairs of states that an order may go through
-- depends: 0001_payments

-- migrate: apply

-- Where an order comes from stands beside where it is, so that a CHECK can refuse a wrong step. (A
-- trigger would see both by itself, but not on a distributed table.)
alter table payments.orders
    add column was             text,
    add column refunding_minor bigint not null default 0,
    add column tenders         text[],
    add column tender_minor    bigint[],
    add column back_minor      bigint[];
update payments.orders set
    was = case state when 'created' then null
                     when 'paying' then 'created'
                     when 'closed' then 'created'
                     when 'paid' then 'paying'
                     when 'fulfilled' then 'paid'
                     when 'refunding' then 'paid'
                     else 'refunding' end;
update payments.orders set
    tenders = array[channel], tender_minor = array[amount_minor], back_minor = array[refunded_minor]
where paid_at is not null;
alter table payments.orders
    add constraint orders_step check (coalesce(was, '') || '>' || state in (
        '>created', 'created>paying', 'paying>paying', 'created>paid', 'paying>paid',
        'created>closed', 'paying>closed', 'paid>fulfilled', 'paid>refunding',
        'fulfilled>refunding', 'part_refunded>refunding', 'refunding>refunding',
        'refunding>refunded', 'refunding>part_refunded', 'refunding>fulfilled')),
    add constraint orders_closed check ((closed_at is not null) = (state = 'closed')),
    add constraint orders_back check (refunding_minor >= 0
        and refunding_minor + refunded_minor <= amount_minor),
    add constraint orders_tenders check ((tenders is null) = (paid_at is null)
        and cardinality(tenders) = cardinality(tender_minor)
        and cardinality(tenders) = cardinality(back_minor));

drop index payments.orders_due;
create index orders_due on payments.orders (coalesce(ask_at, expires_at))
    where state in ('created', 'paying');

alter table payments.line
    add column refunding_minor bigint not null default 0,
    add column refunded_minor  bigint not null default 0;
update payments.line set refunded_minor = amount_minor where state = 'refunded';
update payments.line set refunding_minor = amount_minor where state = 'refused';
alter table payments.line
    drop constraint line_check,
    add constraint line_receipt check (case state when 'fulfilled' then receipt is not null
        when 'refunded' then true else receipt is null end),
    add constraint line_back check (refunding_minor >= 0 and refunded_minor >= 0
        and refunding_minor + refunded_minor <= amount_minor),
    add constraint line_whole check ((state = 'refunded') = (refunded_minor = amount_minor));

alter table payments.channel_payment
    add column tenders      text[],
    add column tender_minor bigint[],
    add column refund_id    uuid;
update payments.channel_payment set tenders = array[channel], tender_minor = array[amount_minor];

alter table payments.posting
    drop constraint posting_kind_check,
    add constraint posting_kind_check check (kind in
        ('payment', 'suspense', 'refund', 'return', 'fee', 'payout'));

-- Money on its way back: of a line (`no`), or of a payment that fits no order (`txn`).
create table payments.refund (
    bucket         smallint    not null,
    id             uuid        not null,
    order_id       uuid        not null,
    no             smallint,
    txn            text,
    state          text        not null check (state in
        ('wanted', 'asked', 'approved', 'sent', 'done', 'failed', 'declined')),
    amount_minor   bigint      not null check (amount_minor > 0),
    parts          bigint[],
    reason         text        not null check (reason ~ '^[a-z_]{1,40}$'),
    words          text        not null default '' check (length(words) <= 500),
    channel        text        not null,
    asked_by       text        not null,
    asked_name     text        not null default '',
    asked_at       timestamptz not null default now(),
    decided_by     text,
    decided_name   text        not null default '',
    decided_at     timestamptz,
    ended_at       timestamptz,
    channel_refund text,
    trouble        text        not null default '',
    ask_at         timestamptz,
    asked          int         not null default 0,
    primary key (bucket, id),
    check ((no is null) <> (txn is null)),
    check ((state in ('wanted', 'asked')) = (decided_at is null)),
    check ((state in ('done', 'declined')) = (ended_at is not null)),
    check ((ask_at is not null) = (state in ('approved', 'sent')))
);
create index refund_of_order on payments.refund (bucket, order_id);
create index refund_due on payments.refund (ask_at) where state in ('approved', 'sent');

-- What desks see of it, fed by events.
alter table payments.desk_payment add column refunded_minor bigint not null default 0;
update payments.desk_payment set refunded_minor = amount_minor where state = 'refunded';

create table payments.desk_refund (
    shop         text        not null,
    refund_id    uuid        not null,
    order_id     uuid        not null,
    no           smallint    not null,
    title        jsonb       not null,
    state        text        not null,
    amount_minor bigint      not null,
    reason       text        not null,
    words        text        not null,
    asked_by     text        not null,
    asked_name   text        not null,
    asked_at     timestamptz not null,
    decided_name text        not null,
    ended_at     timestamptz,
    trouble      text        not null,
    primary key (shop, refund_id)
);
create index desk_refund_newest on payments.desk_refund (shop, asked_at desc, refund_id);

-- What each purse gives back of an amount: the last one first, each up to what is left of it.
create function payments.parts(amount bigint, whole bigint[], back bigint[]) returns bigint[]
    language sql immutable parallel safe
    return (
        select array_agg(greatest(0, least(room, amount - later)) order by no)
        from (select no, w - b as room,
                     coalesce(sum(w - b) over (order by no desc
                         rows between unbounded preceding and 1 preceding), 0)::bigint as later
              from unnest(whole, back) with ordinality as u (w, b, no)) as rooms);

create function payments.plus(a bigint[], b bigint[]) returns bigint[]
    language sql immutable parallel safe
    return (select array_agg(x + y order by no) from unnest(a, b) with ordinality as u (x, y, no));

create function payments.minus(a bigint[], b bigint[]) returns bigint[]
    language sql immutable parallel safe
    return (select array_agg(x - y order by no) from unnest(a, b) with ordinality as u (x, y, no));

-- migrate: rollback

drop function payments.minus(bigint[], bigint[]), payments.plus(bigint[], bigint[]),
              payments.parts(bigint, bigint[], bigint[]);
drop table payments.desk_refund, payments.refund;
alter table payments.posting
    drop constraint posting_kind_check,
    add constraint posting_kind_check check (kind in ('payment', 'suspense', 'refund', 'return'));
alter table payments.channel_payment drop column tenders, drop column tender_minor, drop column refund_id;
alter table payments.line
    drop column refunding_minor, drop column refunded_minor,
    add constraint line_check check ((state = 'fulfilled') = (receipt is not null));
alter table payments.desk_payment drop column refunded_minor;
drop index payments.orders_due;
create index orders_due on payments.orders (expires_at) where state in ('created', 'paying');
alter table payments.orders
    drop column was, drop column refunding_minor, drop column tenders, drop column tender_minor,
    drop column back_minor;
