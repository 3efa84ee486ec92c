-- name: create_order(bucket, id, citizen_id, acted_by, amount_minor, currency, lives_s, shops, apps, charge_ids, fee_codes, titles, beneficiaries, periods, amounts, accounts)!
-- A charge that stands in another order breaks the key of payments.charge, and nothing is written.
with made as (
    insert into payments.orders (bucket, id, citizen_id, acted_by, state, amount_minor, currency, expires_at)
    values (:bucket, :id, :citizen_id, :acted_by, 'created', :amount_minor, :currency,
            now() + make_interval(secs => :lives_s::float8))
), wanted as (
    select * from unnest(:shops::text[], :apps::text[], :charge_ids::text[], :fee_codes::text[],
                         :titles::jsonb[], :beneficiaries::jsonb[], :periods::text[],
                         :amounts::bigint[], :accounts::text[])
        with ordinality as w (shop, app, charge_id, fee_code, title, beneficiary, period, amount,
                              account, no)
), claimed as (
    insert into payments.charge (bucket, shop, charge_id, order_id)
    select :bucket, shop, charge_id, :id from wanted
)
insert into payments.line (bucket, order_id, no, shop, app, charge_id, fee_code, title, beneficiary,
                           period, amount_minor, settlement_account)
select :bucket, :id, no, shop, app, charge_id, fee_code, title, beneficiary, period, amount, account
from wanted;

-- name: order(bucket, id)^
-- record_class: OrderRow
select id, citizen_id, state, amount_minor, refunded_minor, currency, created_at, expires_at,
       paid_at, closed_at, channel, channel_txn, refunding_minor, tenders, tender_minor, acted_by
from payments.orders where bucket = :bucket and id = :id;

-- name: orders(bucket, citizen_id, before, most, shops)
-- record_class: OrderRow
select id, citizen_id, state, amount_minor, refunded_minor, currency, created_at, expires_at,
       paid_at, closed_at, channel, channel_txn, refunding_minor, tenders, tender_minor, acted_by
from payments.orders
where bucket = :bucket and citizen_id = :citizen_id and (:before::uuid is null or id < :before::uuid)
  and (:shops::text[] is null or not exists (
      select from payments.line l
      where l.bucket = :bucket and l.order_id = orders.id and l.shop <> all(:shops::text[])))
order by id desc limit :most;

-- name: lines(bucket, order_id)
-- record_class: LineRow
select no, shop, app, charge_id, state, fee_code, title, beneficiary, period, amount_minor,
       settlement_account, receipt, refunding_minor, refunded_minor
from payments.line where bucket = :bucket and order_id = :order_id order by no;

-- name: lines_of(bucket, order_ids)
-- The lines of a page of orders in one question.
select order_id, no, shop, app, charge_id, state, fee_code, title, beneficiary, period,
       amount_minor, settlement_account, receipt, refunding_minor, refunded_minor
from payments.line where bucket = :bucket and order_id = any(:order_ids::uuid[])
order by order_id, no;

-- name: holder(bucket, shops, charge_ids)$
-- The order that holds one of these charges.
select c.order_id
from payments.charge c
join unnest(:shops::text[], :charge_ids::text[]) as w (shop, charge_id) using (shop, charge_id)
where c.bucket = :bucket limit 1;

-- name: start_paying(bucket, id, citizen_id, channel, ask_after_s)^
-- record_class: OrderRow
update payments.orders
set was = state, state = 'paying', channel = :channel,
    ask_at = now() + make_interval(secs => :ask_after_s::float8), asked = 0
where bucket = :bucket and id = :id and citizen_id = :citizen_id
  and state in ('created', 'paying') and expires_at > now()
returning id, citizen_id, state, amount_minor, refunded_minor, currency, created_at, expires_at,
          paid_at, closed_at, channel, channel_txn, refunding_minor, tenders, tender_minor, acted_by;

-- name: close(bucket, id, only_expired)$
-- Cancelled or expired: the charges are free again.
with closed as (
    update payments.orders set was = state, state = 'closed', closed_at = now()
    where bucket = :bucket and id = :id and state in ('created', 'paying')
      and (not :only_expired::boolean or expires_at <= now())
    returning id
), freed as (
    delete from payments.charge c using closed
    where c.bucket = :bucket and c.order_id = closed.id
)
select id from closed;

-- name: due_orders(most)
-- record_class: DueOrder
-- Who could not be looked after waits for the next turn, also past the order's end: else a few that
-- nothing can be done about would stand before all others for ever.
select bucket, id, state, channel, expires_at <= now() as expired from payments.orders
where state in ('created', 'paying') and coalesce(ask_at, expires_at) <= now()
order by coalesce(ask_at, expires_at) limit :most;

-- name: ask_later(bucket, id, after_s)!
-- Less and less often, but once more when the order's time is over.
update payments.orders o
set asked = asked + 1,
    ask_at = case when o.expires_at > now() then least(next, o.expires_at) else next end
from (select now() + make_interval(secs => :after_s::float8 * power(2, least(asked + 1, 10))) as next
      from payments.orders where bucket = :bucket and id = :id) as turn
where o.bucket = :bucket and o.id = :id;

-- name: settle(bucket, order_id, channel, txn, amount_minor, paid_at, tenders, tender_minor, posting_id, paid_event_id, paid_type, paid_body, unmatched_event_id, unmatched_type, unmatched_body)$
-- The one statement that takes money in: remembers the channel's number, marks the order, posts,
-- tells. Money that fits no open order goes to suspense, so that the ledger has all that came.
with target as (
    select state, amount_minor from payments.orders where bucket = :bucket and id = :order_id
    for update
), seen as (
    insert into payments.channel_payment (bucket, channel, txn, order_id, amount_minor, paid_at,
                                          tenders, tender_minor, outcome)
    select :bucket, :channel, :txn, :order_id, :amount_minor, :paid_at,
           :tenders::text[], :tender_minor::bigint[],
           case when t.state is null then 'unknown_order'
                when t.amount_minor <> :amount_minor::bigint then 'amount_differs'
                when t.state = 'closed' then 'late'
                when t.state in ('created', 'paying') then 'posted'
                else 'double' end
    from (values (1)) as always left join target t on true
    on conflict do nothing
    returning outcome
), paid as (
    update payments.orders o
    set was = o.state, state = 'paid', paid_at = :paid_at, channel = :channel, channel_txn = :txn,
        ask_at = null, tenders = :tenders, tender_minor = :tender_minor,
        back_minor = array_fill(0::bigint, array[cardinality(:tenders::text[])])
    from seen
    where o.bucket = :bucket and o.id = :order_id
      and o.state in ('created', 'paying') and o.amount_minor = :amount_minor::bigint
    returning o.id
), posted as (
    insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)
    select :bucket::smallint, :posting_id::uuid, :order_id::uuid, 'payment',
           (select array_agg('channel:' || t order by n)
            from unnest(:tenders::text[]) with ordinality as u (t, n))
               || array_agg('payable:' || l.settlement_account order by l.no),
           :tender_minor::bigint[] || array_agg(-l.amount_minor order by l.no)
    from paid join payments.line l on l.bucket = :bucket and l.order_id = paid.id
    group by paid.id
    union all
    select :bucket::smallint, :posting_id::uuid, :order_id::uuid, 'suspense',
           (select array_agg('channel:' || t order by n)
            from unnest(:tenders::text[]) with ordinality as u (t, n)) || 'suspense'::text,
           :tender_minor::bigint[] || -:amount_minor::bigint
    from seen where not exists (select from paid)
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket::smallint, :paid_event_id::uuid, :paid_type::text, :paid_body::jsonb from paid
    union all
    select :bucket::smallint, :unmatched_event_id::uuid, :unmatched_type::text,
           :unmatched_body::jsonb || jsonb_build_object('outcome', seen.outcome)
    from seen where not exists (select from paid)
)
select outcome from seen;

-- name: fulfil_line(bucket, order_id, no, receipt)$
update payments.line set state = 'fulfilled', receipt = :receipt
where bucket = :bucket and order_id = :order_id and no = :no and state = 'waiting'
returning no;

-- name: finish_order(bucket, order_id, event_id, type, body)$
-- Once no line is open any more and nothing is on its way back. Runs after each line's own statement,
-- so that of two lines that end at once the later one finds both ended; a further run finds nothing
-- to do. What is on its way back is asked of the order's own row: where another statement has just
-- changed it, PostgreSQL looks at it again, and at no other row.
with done as (
    update payments.orders o
    set was = o.state,
        state = case when o.refunded_minor = 0 then 'fulfilled'
                     when o.refunded_minor = o.amount_minor then 'refunded'
                     else 'part_refunded' end
    where o.bucket = :bucket and o.id = :order_id and o.state in ('paid', 'refunding')
      and o.refunding_minor = 0
      and not exists (select from payments.line l where l.bucket = :bucket
                      and l.order_id = :order_id and l.state in ('waiting', 'refused'))
    returning o.state, o.was
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id, :type, :body from done where was = 'paid'
)
select state from done;

-- name: refuse_line(bucket, order_id, no, refund_id, ask_after_s, event_id, type, body)$
-- A shop can never take this payment: all of it is on its way back in the same moment.
with refused as (
    update payments.line set state = 'refused', refunding_minor = amount_minor
    where bucket = :bucket and order_id = :order_id and no = :no and state = 'waiting'
      and refunding_minor = 0
    returning amount_minor
), paid as (
    select o.id, o.channel, o.tender_minor, o.back_minor, r.amount_minor
    from refused r join payments.orders o on o.bucket = :bucket and o.id = :order_id
    where o.state in ('paid', 'refunding')
    for update of o
), share as (
    select id, channel, amount_minor,
           payments.parts(amount_minor, tender_minor, back_minor) as parts
    from paid
), turned as (
    update payments.orders o
    set was = o.state, state = 'refunding', back_minor = payments.plus(o.back_minor, s.parts),
        refunding_minor = o.refunding_minor + s.amount_minor
    from share s where o.bucket = :bucket and o.id = s.id
    returning s.channel, s.amount_minor, s.parts
), refund as (
    insert into payments.refund (bucket, id, order_id, no, state, amount_minor, parts, reason,
                                 channel, asked_by, decided_by, decided_at, ask_at)
    select :bucket, :refund_id::uuid, :order_id, :no, 'approved', amount_minor, parts, 'refused',
           channel, 'system', 'system', now(), now() + make_interval(secs => :ask_after_s::float8)
    from turned
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from turned
returning id;

-- name: sandbox_open(bucket, order_id, amount_minor)!
-- A declined payment may be tried again, and so may one of another amount than was asked for, and one
-- that was closed because its payer went to another channel, and comes back. What went back before was
-- of the other amount.
insert into payments.sandbox_payment as s (bucket, order_id, amount_minor, state)
values (:bucket, :order_id, :amount_minor, 'waiting')
on conflict (bucket, order_id) do update
set state = 'waiting', txn = null, paid_minor = null, paid_at = null, returned_minor = 0
where s.state in ('declined', 'cancelled')
   or (s.state = 'paid' and s.paid_minor <> s.amount_minor);

-- name: sandbox_pay(bucket, order_id, txn, paid_minor, paid_at, event_id, type, body)$
-- The bank takes the money; its callback goes out through the outbox unless it is to be lost.
with paid as (
    update payments.sandbox_payment
    set state = 'paid', txn = :txn, paid_minor = :paid_minor, paid_at = :paid_at
    where bucket = :bucket and order_id = :order_id and state in ('waiting', 'declined', 'late')
    returning order_id
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type, :body from paid where :event_id::uuid is not null
)
select order_id from paid;

-- name: sandbox_turn(bucket, order_id, state)$
update payments.sandbox_payment set state = :state
where bucket = :bucket and order_id = :order_id and state in ('waiting', 'declined')
returning order_id;

-- name: sandbox_behave(bucket, order_id, manner, silent)$
-- How the bank is to behave for this payment; an answer where it can still be paid.
update payments.sandbox_payment set manner = :manner, silent = :silent
where bucket = :bucket and order_id = :order_id and state in ('waiting', 'declined')
returning order_id;

-- name: sandbox_keep_silent(bucket, order_id)$
-- One question less that stays without an answer.
update payments.sandbox_payment set silent = silent - 1
where bucket = :bucket and order_id = :order_id and silent > 0
returning order_id;

-- name: sandbox_late(most)
-- Payments of which the bank says nothing before their order is closed, and now it is.
select s.bucket, s.order_id, s.amount_minor
from payments.sandbox_payment s
join payments.orders o on o.bucket = s.bucket and o.id = s.order_id
where s.state = 'late' and o.state = 'closed' limit :most;

-- name: sandbox_payment(bucket, order_id)^
select state, amount_minor, txn, paid_minor, paid_at, manner from payments.sandbox_payment
where bucket = :bucket and order_id = :order_id;

-- name: sandbox_return(bucket, order_id, txn, return_id, amount_minor, state, at, event_id, type, body)$
-- The money's way back, once for each `return_id`; one that failed goes through when asked again. It
-- counts towards its own payment, not towards one that its payer made good a wrong amount with.
with noted as (
    insert into payments.sandbox_return as r (bucket, order_id, return_id, amount_minor, state, at)
    values (:bucket, :order_id, :return_id, :amount_minor, :state::text, :at)
    on conflict (bucket, order_id, return_id) do update set state = 'done', at = excluded.at
    where r.state = 'failed'
    returning r.state, r.amount_minor
), moved as (
    update payments.sandbox_payment s set returned_minor = s.returned_minor + noted.amount_minor
    from noted
    where noted.state = 'done' and s.bucket = :bucket and s.order_id = :order_id and s.txn = :txn
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type, :body from noted where noted.state = 'pending'
)
select state from noted
union all
select state from payments.sandbox_return
where bucket = :bucket and order_id = :order_id and return_id = :return_id
  and not exists (select from noted);

-- name: sandbox_return_end(bucket, order_id, return_id, state, at)$
with ended as (
    update payments.sandbox_return set state = :state::text, at = :at
    where bucket = :bucket and order_id = :order_id and return_id = :return_id
      and state = 'pending'
    returning amount_minor
), moved as (
    update payments.sandbox_payment s set returned_minor = s.returned_minor + ended.amount_minor
    from ended
    where :state::text = 'done' and s.bucket = :bucket and s.order_id = :order_id
)
select amount_minor from ended;

-- name: sandbox_payments(from_at, to_at, after_at, after_id, most)
-- What the bank took in a time, for its statement.
select order_id, txn, paid_minor, paid_at from payments.sandbox_payment
where state = 'paid' and paid_at >= :from_at and paid_at < :to_at
  and (:after_at::timestamptz is null
       or (paid_at, order_id) > (:after_at::timestamptz, :after_id::uuid))
order by paid_at, order_id limit :most;

-- name: sandbox_returns(from_at, to_at, after_at, after_id, most)
select return_id, order_id, amount_minor, at from payments.sandbox_return
where state = 'done' and at >= :from_at and at < :to_at
  and (:after_at::timestamptz is null or (at, return_id) > (:after_at::timestamptz, :after_id::text))
order by at, return_id limit :most;

-- name: desk_note(shop, order_id, no, app, charge_id, fee_code, title, period, amount_minor, refunded_minor, state, paid_at, receipt_number)!
-- News come in any order: a line ends once, and what went back of it only grows.
insert into payments.desk_payment as d (shop, order_id, no, app, charge_id, fee_code, title, period,
                                        amount_minor, refunded_minor, state, paid_at, receipt_number)
values (:shop, :order_id, :no, :app, :charge_id, :fee_code, :title, :period, :amount_minor,
        :refunded_minor, :state, :paid_at, :receipt_number)
on conflict (shop, order_id, no) do update
set state = excluded.state, receipt_number = excluded.receipt_number,
    refunded_minor = excluded.refunded_minor
where d.state = 'waiting' or excluded.refunded_minor > d.refunded_minor;

-- name: desk_payments(shop, before_at, before_order, before_no, most)
-- record_class: DeskPayment
select shop, order_id, no, app, charge_id, fee_code, title, period, amount_minor, state, paid_at,
       receipt_number
from payments.desk_payment
where (:shop::text is null or shop = :shop::text)
  and (:before_at::timestamptz is null
       or (paid_at, order_id, no) < (:before_at::timestamptz, :before_order::uuid, :before_no::int))
order by paid_at desc, order_id desc, no desc limit :most;

-- name: shop_totals(shop, days)
-- record_class: ShopTotal
select shop, count(*) as paid, sum(amount_minor)::bigint as amount_minor,
       sum(refunded_minor)::bigint as refunded_minor
from payments.desk_payment
where (:shop::text is null or shop = :shop::text)
  and paid_at > now() - make_interval(days => :days::int)
group by shop order by shop;
