-- name: create_order(bucket, id, citizen_id, amount_minor, currency, lives_s, shops, apps, charge_ids, fee_codes, titles, beneficiaries, periods, amounts, accounts)!
-- A charge that stands in another order breaks the key of payments.charge, and nothing is written.
with made as (
    insert into payments.orders (bucket, id, citizen_id, state, amount_minor, currency, expires_at)
    values (:bucket, :id, :citizen_id, 'created', :amount_minor, :currency,
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
       paid_at, closed_at, channel, channel_txn
from payments.orders where bucket = :bucket and id = :id;

-- name: orders(bucket, citizen_id, before, most)
-- record_class: OrderRow
select id, citizen_id, state, amount_minor, refunded_minor, currency, created_at, expires_at,
       paid_at, closed_at, channel, channel_txn
from payments.orders
where bucket = :bucket and citizen_id = :citizen_id and (:before::uuid is null or id < :before::uuid)
order by id desc limit :most;

-- name: lines(bucket, order_id)
-- record_class: LineRow
select no, shop, app, charge_id, state, fee_code, title, beneficiary, period, amount_minor,
       settlement_account, receipt
from payments.line where bucket = :bucket and order_id = :order_id order by no;

-- name: lines_of(bucket, order_ids)
-- The lines of a page of orders in one question.
select order_id, no, shop, app, charge_id, state, fee_code, title, beneficiary, period,
       amount_minor, settlement_account, receipt
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
set state = 'paying', channel = :channel,
    ask_at = now() + make_interval(secs => :ask_after_s::float8), asked = 0
where bucket = :bucket and id = :id and citizen_id = :citizen_id
  and state in ('created', 'paying') and expires_at > now()
returning id, citizen_id, state, amount_minor, refunded_minor, currency, created_at, expires_at,
          paid_at, closed_at, channel, channel_txn;

-- name: close(bucket, id, only_expired)$
-- Cancelled or expired: the charges are free again.
with closed as (
    update payments.orders set state = 'closed', closed_at = now()
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
select bucket, id, state, channel, expires_at <= now() as expired from payments.orders
where state in ('created', 'paying') and (expires_at <= now() or ask_at <= now())
order by expires_at limit :most;

-- name: ask_later(bucket, id, after_s)!
update payments.orders
set asked = asked + 1,
    ask_at = now() + make_interval(secs => :after_s::float8 * power(2, least(asked + 1, 10)))
where bucket = :bucket and id = :id;

-- name: settle(bucket, order_id, channel, txn, amount_minor, paid_at, posting_id, paid_event_id, paid_type, paid_body, unmatched_event_id, unmatched_type, unmatched_body)$
-- The one statement that takes money in: remembers the channel's number, marks the order, posts,
-- tells. Money that fits no open order goes to suspense, so that the ledger has all that came.
with target as (
    select state, amount_minor from payments.orders where bucket = :bucket and id = :order_id
    for update
), seen as (
    insert into payments.channel_payment (bucket, channel, txn, order_id, amount_minor, paid_at, outcome)
    select :bucket, :channel, :txn, :order_id, :amount_minor, :paid_at,
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
    set state = 'paid', paid_at = :paid_at, channel = :channel, channel_txn = :txn, ask_at = null
    from seen
    where o.bucket = :bucket and o.id = :order_id
      and o.state in ('created', 'paying') and o.amount_minor = :amount_minor::bigint
    returning o.id
), posted as (
    insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)
    select :bucket::smallint, :posting_id::uuid, :order_id::uuid, 'payment',
           'channel:' || :channel::text || array_agg('payable:' || l.settlement_account order by l.no),
           :amount_minor::bigint || array_agg(-l.amount_minor order by l.no)
    from paid join payments.line l on l.bucket = :bucket and l.order_id = paid.id
    group by paid.id
    union all
    select :bucket::smallint, :posting_id::uuid, :order_id::uuid, 'suspense',
           array['channel:' || :channel::text, 'suspense'],
           array[:amount_minor::bigint, -:amount_minor::bigint]
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
-- Once no line is open any more. Runs after each line's own statement, so that of two lines that
-- end at once the later one finds both ended; a further run finds nothing to do.
with done as (
    update payments.orders o
    set state = case when o.state = 'paid' then 'fulfilled'
                     when o.refunded_minor = o.amount_minor then 'refunded'
                     else 'part_refunded' end
    where o.bucket = :bucket and o.id = :order_id and o.state in ('paid', 'refunding')
      and not exists (select from payments.line l where l.bucket = :bucket
                      and l.order_id = :order_id and l.state in ('waiting', 'refused'))
    returning o.state
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id, :type, :body from done where state = 'fulfilled'
)
select state from done;

-- name: refuse_line(bucket, order_id, no, event_id, type, body)$
with refused as (
    update payments.line set state = 'refused'
    where bucket = :bucket and order_id = :order_id and no = :no and state = 'waiting'
    returning order_id
), turned as (
    update payments.orders o set state = 'refunding' from refused
    where o.bucket = :bucket and o.id = refused.order_id and o.state in ('paid', 'refunding')
    returning o.id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from turned
returning id;

-- name: refund_line(bucket, order_id, no, posting_id)$
-- The channel gave the money back: post it, and let the charge be paid again.
with back as (
    update payments.line set state = 'refunded'
    where bucket = :bucket and order_id = :order_id and no = :no and state = 'refused'
    returning amount_minor, settlement_account, shop, charge_id
), posted as (
    insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)
    select :bucket, :posting_id, :order_id, 'refund',
           array['payable:' || back.settlement_account, 'channel:' || o.channel],
           array[back.amount_minor, -back.amount_minor]
    from back join payments.orders o on o.bucket = :bucket and o.id = :order_id
), freed as (
    delete from payments.charge c using back
    where c.bucket = :bucket and c.shop = back.shop and c.charge_id = back.charge_id
)
update payments.orders o set refunded_minor = o.refunded_minor + back.amount_minor
from back
where o.bucket = :bucket and o.id = :order_id and o.state = 'refunding'
returning o.refunded_minor;

-- name: return_unmatched(bucket, channel, txn, posting_id)$
with back as (
    update payments.channel_payment set returned_at = now()
    where bucket = :bucket and channel = :channel and txn = :txn and returned_at is null
    returning order_id, amount_minor
)
insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)
select :bucket, :posting_id, back.order_id, 'return', array['suspense', 'channel:' || :channel::text],
       array[back.amount_minor, -back.amount_minor]
from back
returning order_id;

-- name: sandbox_open(bucket, order_id, amount_minor)!
-- A declined payment may be tried again, and so may one of another amount than was asked for.
insert into payments.sandbox_payment as s (bucket, order_id, amount_minor, state)
values (:bucket, :order_id, :amount_minor, 'waiting')
on conflict (bucket, order_id) do update
set state = 'waiting', txn = null, paid_minor = null, paid_at = null
where s.state = 'declined' or (s.state = 'paid' and s.paid_minor <> s.amount_minor);

-- name: sandbox_pay(bucket, order_id, txn, paid_minor, paid_at, event_id, type, body)$
-- The bank takes the money; its callback goes out through the outbox unless it is to be lost.
with paid as (
    update payments.sandbox_payment
    set state = 'paid', txn = :txn, paid_minor = :paid_minor, paid_at = :paid_at
    where bucket = :bucket and order_id = :order_id and state in ('waiting', 'declined')
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

-- name: sandbox_payment(bucket, order_id)^
select state, amount_minor, txn, paid_minor, paid_at from payments.sandbox_payment
where bucket = :bucket and order_id = :order_id;

-- name: sandbox_return(bucket, order_id, return_id, amount_minor)!
with noted as (
    insert into payments.sandbox_return (bucket, order_id, return_id, amount_minor)
    values (:bucket, :order_id, :return_id, :amount_minor)
    on conflict do nothing
    returning amount_minor
)
update payments.sandbox_payment s set returned_minor = s.returned_minor + noted.amount_minor
from noted where s.bucket = :bucket and s.order_id = :order_id;

-- name: desk_note(shop, order_id, no, app, charge_id, fee_code, title, period, amount_minor, state, paid_at, receipt_number)!
insert into payments.desk_payment as d (shop, order_id, no, app, charge_id, fee_code, title, period,
                                        amount_minor, state, paid_at, receipt_number)
values (:shop, :order_id, :no, :app, :charge_id, :fee_code, :title, :period, :amount_minor, :state,
        :paid_at, :receipt_number)
on conflict (shop, order_id, no) do update
set state = excluded.state, receipt_number = excluded.receipt_number
where d.state = 'waiting' or (d.state = 'refused' and excluded.state = 'refunded');

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
       coalesce(sum(amount_minor) filter (where state = 'refunded'), 0)::bigint as refunded_minor
from payments.desk_payment
where (:shop::text is null or shop = :shop::text)
  and paid_at > now() - make_interval(days => :days::int)
group by shop order by shop;

-- name: note_mismatch(channel, txn, bucket, order_id, amount_minor, outcome, resolved)!
insert into payments.mismatch as m (channel, txn, bucket, order_id, amount_minor, outcome, seen_at, resolved_at)
values (:channel, :txn, :bucket, :order_id, :amount_minor, :outcome, now(),
        case when :resolved::boolean then now() end)
on conflict (channel, txn, bucket) do update
set resolved_at = coalesce(m.resolved_at, excluded.resolved_at);

-- name: mismatches(before_at, before_txn, most)
-- record_class: Mismatch
select bucket, channel, txn, order_id, amount_minor, outcome, seen_at, resolved_at
from payments.mismatch
where :before_at::timestamptz is null
   or (seen_at, txn) < (:before_at::timestamptz, :before_txn::text)
order by seen_at desc, txn desc limit :most;

-- name: balances()
-- record_class: Balance
select account, sum(amount)::bigint as balance_minor, count(*) as postings
from payments.posting, unnest(accounts, amounts) as e (account, amount)
group by account order by account;
