-- name: ask(bucket, id, order_id, no, amount_minor, state, reason, words, asked_by, asked_name, wishes_max, event_id, type, body)$
-- Hold what is asked for, so that no two refunds can want the same money. No amount: all that is left.
-- A citizen has one wish open for a line, and not many in all: each takes somebody's time.
with line as (
    select l.amount_minor - l.refunded_minor - l.refunding_minor as rest, o.channel
    from payments.line l join payments.orders o on o.bucket = l.bucket and o.id = l.order_id
    where l.bucket = :bucket and l.order_id = :order_id and l.no = :no and l.state = 'fulfilled'
    for update of l
), wanted as (
    select coalesce(:amount_minor::bigint, rest) as amount, channel from line
    where coalesce(:amount_minor::bigint, rest) between 1 and rest
      and not exists (select from payments.refund where bucket = :bucket and id = :id::uuid)
      and (:state::text <> 'wanted' or (
          select count(*) filter (where state = 'wanted') = 0 and count(*) < :wishes_max::int
          from payments.refund where bucket = :bucket and order_id = :order_id and no = :no
            and asked_by = 'citizen'))
), held as (
    update payments.line l set refunding_minor = l.refunding_minor + w.amount
    from wanted w
    where l.bucket = :bucket and l.order_id = :order_id and l.no = :no
    returning w.amount, w.channel
), made as (
    insert into payments.refund (bucket, id, order_id, no, state, amount_minor, reason, words,
                                 channel, asked_by, asked_name)
    select :bucket, :id, :order_id, :no, :state, amount, :reason, :words, channel, :asked_by,
           :asked_name
    from held
    returning id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from made
returning id;

-- name: take_up(bucket, id, asked_by, asked_name, event_id, type, body)$
-- Staff make a citizen's wish their own.
with moved as (
    update payments.refund
    set state = 'asked', asked_by = :asked_by, asked_name = :asked_name
    where bucket = :bucket and id = :id and state = 'wanted'
    returning id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from moved
returning id;

-- name: approve(bucket, id, decided_by, decided_name, second, alone_minor, ask_after_s, event_id, type, body)$
-- Of a line: its share of each purse is taken under the lock of the order's row, so that refunds at
-- once never take more out of a purse than went in. The limit is of all that goes back of the order,
-- or it would fall to many small ones; over it `second` must be, and nobody is their own second.
with asked as (
    select id, order_id, amount_minor, asked_by from payments.refund
    where bucket = :bucket and id = :id and state = 'asked' and no is not null
    for update
), paid as (
    select o.id, o.tender_minor, o.back_minor, a.amount_minor
    from asked a join payments.orders o on o.bucket = :bucket and o.id = a.order_id
    where o.state in ('paid', 'fulfilled', 'part_refunded', 'refunding')
      and (o.refunded_minor + o.refunding_minor + a.amount_minor <= :alone_minor::bigint
           or (:second::boolean and a.asked_by <> :decided_by))
    for update of o
), share as (
    select id, amount_minor, payments.parts(amount_minor, tender_minor, back_minor) as parts
    from paid
), turned as (
    update payments.orders o
    set was = o.state, state = 'refunding', back_minor = payments.plus(o.back_minor, s.parts),
        refunding_minor = o.refunding_minor + s.amount_minor
    from share s where o.bucket = :bucket and o.id = s.id
    returning s.parts
), moved as (
    update payments.refund r
    set state = 'approved', parts = t.parts, decided_by = :decided_by,
        decided_name = :decided_name, decided_at = now(),
        ask_at = now() + make_interval(secs => :ask_after_s::float8)
    from turned t where r.bucket = :bucket and r.id = :id
    returning r.id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from moved
returning id;

-- name: try_again(bucket, id, decided_by, decided_name, ask_after_s, event_id, type, body)$
-- What the channel could not do; the money is still held, and may be of a payment without a line.
with moved as (
    update payments.refund
    set state = 'approved', decided_by = :decided_by, decided_name = :decided_name,
        decided_at = now(), trouble = '', asked = 0,
        ask_at = now() + make_interval(secs => :ask_after_s::float8)
    where bucket = :bucket and id = :id and state = 'failed'
    returning id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from moved
returning id;

-- name: decline(bucket, id, decided_by, decided_name, event_id, type, body)$
-- What is held is free again. What a shop refused or came too late is owed, and can't be declined;
-- nor can a refund by several purses that one of them has already sent.
-- The order is locked after its line, as wherever both are: else this and a refund's end could each
-- hold what the other one waits for.
with found as (
    select id, order_id, no, state, amount_minor, parts, channel, txn from payments.refund
    where bucket = :bucket and id = :id and state in ('wanted', 'asked', 'failed')
      and reason not in ('refused', 'late', 'double')
      and not exists (select from payments.split_refund s
                      where s.bucket = :bucket and s.refund_id = :id
                        and 'done' in (s.insurer_state, s.self_state))
    for update
), moved as (
    update payments.refund r
    set state = 'declined', decided_by = :decided_by, decided_name = :decided_name,
        decided_at = now(), ended_at = now()
    from found f where r.bucket = :bucket and r.id = f.id
    returning r.id
), freed as (
    update payments.line l set refunding_minor = l.refunding_minor - f.amount_minor
    from found f where l.bucket = :bucket and l.order_id = f.order_id and l.no = f.no
    returning f.order_id, f.state, f.amount_minor, f.parts
), turned as (
    update payments.orders o
    set refunding_minor = o.refunding_minor - f.amount_minor,
        back_minor = payments.minus(o.back_minor, f.parts)
    from freed f
    where o.bucket = :bucket and o.id = f.order_id and f.state = 'failed'
), kept as (
    update payments.channel_payment p set refund_id = null
    from found f
    where p.bucket = :bucket and p.channel = f.channel and p.txn = f.txn and p.refund_id = f.id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from moved
returning id;

-- name: sent(bucket, id, channel_refund, ask_after_s)$
update payments.refund
set state = 'sent', channel_refund = coalesce(:channel_refund, channel_refund), asked = asked + 1,
    ask_at = now() + make_interval(secs => :ask_after_s::float8 * power(2, least(asked, 10)))
where bucket = :bucket and id = :id and state in ('approved', 'sent')
returning id;

-- name: take_turn(bucket, id, ask_after_s)$
-- Before the channel is asked, so that no two processes ask it at once: one hears yes and the other no.
update payments.refund
set asked = asked + 1,
    ask_at = now() + make_interval(secs => :ask_after_s::float8 * power(2, least(asked, 10)))
where bucket = :bucket and id = :id and state in ('approved', 'sent') and ask_at <= now()
returning id;

-- name: done(bucket, id, channel_refund, posting_id, event_id, type, body)$
-- The channel sent the money: post it, count it, and where all of a line went let its charge be paid again.
-- A channel that said no before and yes now is believed: what it has sent is gone.
with ended as (
    update payments.refund
    set state = 'done', ended_at = now(), ask_at = null, trouble = '',
        channel_refund = coalesce(:channel_refund, channel_refund)
    where bucket = :bucket and id = :id and no is not null and state in ('approved', 'sent', 'failed')
    returning order_id, no, amount_minor, parts
), back as (
    update payments.line l
    set refunding_minor = l.refunding_minor - e.amount_minor,
        refunded_minor = l.refunded_minor + e.amount_minor,
        state = case when l.refunded_minor + e.amount_minor = l.amount_minor then 'refunded'
                     else l.state end
    from ended e where l.bucket = :bucket and l.order_id = e.order_id and l.no = e.no
    returning l.shop, l.charge_id, l.state, l.settlement_account, e.order_id, e.amount_minor, e.parts
), counted as (
    update payments.orders o
    set refunding_minor = o.refunding_minor - e.amount_minor,
        refunded_minor = o.refunded_minor + e.amount_minor
    from ended e where o.bucket = :bucket and o.id = e.order_id
    returning o.tenders
), posted as (
    insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)
    select :bucket, :posting_id, b.order_id, 'refund',
           'payable:' || b.settlement_account || array_agg('channel:' || t order by n),
           b.amount_minor || array_agg(-part order by n)
    from back b, counted c, unnest(c.tenders, b.parts) with ordinality as u (t, part, n)
    where part > 0
    group by b.order_id, b.settlement_account, b.amount_minor
), freed as (
    delete from payments.charge c using back b
    where b.state = 'refunded' and c.bucket = :bucket and c.shop = b.shop
      and c.charge_id = b.charge_id and c.order_id = b.order_id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from ended
returning id;

-- name: done_after_all(bucket, id, channel_refund, posting_id, event_id, type, body)$
-- The channel sent money that it had said it could not, and that was given up meanwhile. It is gone,
-- so it is posted, as far as there is room; without room somebody must get it back from the channel.
with given_up as (
    select id, order_id, no, amount_minor from payments.refund
    where bucket = :bucket and id = :id and state = 'declined' and parts is not null
      and no is not null
    for update
), line as (
    select l.no, l.shop, l.charge_id, l.settlement_account, g.order_id, g.amount_minor
    from given_up g
    join payments.line l on l.bucket = :bucket and l.order_id = g.order_id and l.no = g.no
    where l.refunded_minor + l.refunding_minor + g.amount_minor <= l.amount_minor
    for update of l
), paid as (
    select o.id, o.tenders, payments.parts(n.amount_minor, o.tender_minor, o.back_minor) as parts
    from line n join payments.orders o on o.bucket = :bucket and o.id = n.order_id
    where o.state in ('paid', 'fulfilled', 'part_refunded', 'refunding')
      and o.refunded_minor + o.refunding_minor + n.amount_minor <= o.amount_minor
    for update of o
), ended as (
    update payments.refund r
    set state = 'done', parts = p.parts, ended_at = now(), trouble = '',
        channel_refund = coalesce(:channel_refund, r.channel_refund)
    from paid p where r.bucket = :bucket and r.id = :id
    returning r.amount_minor, r.parts
), back as (
    update payments.line l
    set refunded_minor = l.refunded_minor + e.amount_minor,
        state = case when l.refunded_minor + e.amount_minor = l.amount_minor then 'refunded'
                     else l.state end
    from ended e, line n where l.bucket = :bucket and l.order_id = n.order_id and l.no = n.no
    returning l.state, n.shop, n.charge_id, n.settlement_account, n.order_id, e.amount_minor
), counted as (
    update payments.orders o
    set was = o.state, state = 'refunding', refunded_minor = o.refunded_minor + e.amount_minor,
        back_minor = payments.plus(o.back_minor, e.parts)
    from ended e, paid p where o.bucket = :bucket and o.id = p.id
), posted as (
    insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)
    select :bucket, :posting_id, b.order_id, 'refund',
           'payable:' || b.settlement_account || array_agg('channel:' || t order by n),
           b.amount_minor || array_agg(-part order by n)
    from back b, paid p, unnest(p.tenders, p.parts) with ordinality as u (t, part, n)
    where part > 0
    group by b.order_id, b.settlement_account, b.amount_minor
), freed as (
    delete from payments.charge c using back b
    where b.state = 'refunded' and c.bucket = :bucket and c.shop = b.shop
      and c.charge_id = b.charge_id and c.order_id = b.order_id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from ended
returning id;

-- name: returned_after_all(bucket, id, channel_refund, posting_id, event_id, type, body)$
with ended as (
    update payments.refund r
    set state = 'done', ended_at = now(), trouble = '',
        channel_refund = coalesce(:channel_refund, r.channel_refund)
    from payments.channel_payment p
    where r.bucket = :bucket and r.id = :id and r.state = 'declined' and r.no is null
      and p.bucket = :bucket and p.channel = r.channel and p.txn = r.txn
      and p.returned_at is null and p.refund_id is null
    returning r.id, r.order_id, r.amount_minor, r.channel, r.txn
), back as (
    update payments.channel_payment p set returned_at = now(), refund_id = e.id
    from ended e where p.bucket = :bucket and p.channel = e.channel and p.txn = e.txn
    returning e.order_id, e.amount_minor, p.tenders, p.tender_minor
), posted as (
    insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)
    select :bucket, :posting_id, b.order_id, 'return',
           'suspense'::text || array_agg('channel:' || t order by n),
           b.amount_minor || array_agg(-part order by n)
    from back b, unnest(b.tenders, b.tender_minor) with ordinality as u (t, part, n)
    group by b.order_id, b.amount_minor
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from ended
returning id;

-- name: failed(bucket, id, trouble, event_id, type, body)$
with ended as (
    update payments.refund set state = 'failed', ask_at = null, trouble = :trouble
    where bucket = :bucket and id = :id and state in ('approved', 'sent')
    returning id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from ended
returning id;

-- name: ask_return(bucket, id, channel, txn, state, reason, asked_by, asked_name, ask_after_s, event_id, type, body)$
-- Money that fits no order, back to where it came from; `approved` at once where nobody needs to decide.
with money as (
    update payments.channel_payment set refund_id = :id
    where bucket = :bucket and channel = :channel and txn = :txn
      and outcome not in ('posted', 'part') and refund_id is null
    returning order_id, amount_minor, tender_minor
), made as (
    insert into payments.refund (bucket, id, order_id, txn, state, amount_minor, parts, reason,
                                 channel, asked_by, asked_name, decided_by, decided_at, ask_at)
    select :bucket, :id, order_id, :txn, :state::text, amount_minor, tender_minor, :reason,
           :channel, :asked_by::text, :asked_name,
           case when :state::text = 'approved' then :asked_by::text end,
           case when :state::text = 'approved' then now() end,
           case when :state::text = 'approved'
                then now() + make_interval(secs => :ask_after_s::float8) end
    from money
    returning id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from made
returning id;

-- name: approve_return(bucket, id, decided_by, decided_name, second, alone_minor, ask_after_s, event_id, type, body)$
with moved as (
    update payments.refund
    set state = 'approved', decided_by = :decided_by, decided_name = :decided_name,
        decided_at = now(), ask_at = now() + make_interval(secs => :ask_after_s::float8)
    where bucket = :bucket and id = :id and state = 'asked' and no is null
      and (amount_minor <= :alone_minor::bigint or (:second::boolean and asked_by <> :decided_by))
    returning id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from moved
returning id;

-- name: returned(bucket, id, channel_refund, posting_id, event_id, type, body)$
with ended as (
    update payments.refund
    set state = 'done', ended_at = now(), ask_at = null, trouble = '',
        channel_refund = coalesce(:channel_refund, channel_refund)
    where bucket = :bucket and id = :id and no is null and state in ('approved', 'sent', 'failed')
    returning id, order_id, amount_minor
), back as (
    update payments.channel_payment p set returned_at = now()
    from ended e, payments.refund r
    where r.bucket = :bucket and r.id = e.id
      and p.bucket = :bucket and p.channel = r.channel and p.txn = r.txn
    returning e.order_id, e.amount_minor, p.tenders, p.tender_minor
), posted as (
    insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)
    select :bucket, :posting_id, b.order_id, 'return',
           'suspense'::text || array_agg('channel:' || t order by n),
           b.amount_minor || array_agg(-part order by n)
    from back b, unnest(b.tenders, b.tender_minor) with ordinality as u (t, part, n)
    group by b.order_id, b.amount_minor
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from ended
returning id;

-- name: refund(bucket, id)^
-- record_class: RefundRow
select id, order_id, no, txn, state, amount_minor, parts, reason, words, channel, asked_by,
       asked_name, asked_at, decided_by, decided_name, decided_at, ended_at, trouble
from payments.refund where bucket = :bucket and id = :id;

-- name: of_order(bucket, order_id)
-- record_class: RefundRow
select id, order_id, no, txn, state, amount_minor, parts, reason, words, channel, asked_by,
       asked_name, asked_at, decided_by, decided_name, decided_at, ended_at, trouble
from payments.refund where bucket = :bucket and order_id = :order_id and no is not null order by id;

-- name: payment(bucket, channel, txn)^
-- What the channel told of a payment, for its way back.
select tenders, amount_minor from payments.channel_payment
where bucket = :bucket and channel = :channel and txn = :txn;

-- name: due(most)
select bucket, id, channel from payments.refund
where state in ('approved', 'sent') and ask_at <= now() order by ask_at limit :most;

-- name: desk_note(shop, refund_id, order_id, no, title, state, amount_minor, reason, words, asked_by, asked_name, asked_at, decided_name, ended_at, trouble)!
-- News may come in any order; each brings the row as it stands, and an end is not undone.
insert into payments.desk_refund as d (shop, refund_id, order_id, no, title, state, amount_minor, reason,
                                       words, asked_by, asked_name, asked_at, decided_name, ended_at,
                                       trouble)
values (:shop, :refund_id, :order_id, :no, :title, :state, :amount_minor, :reason, :words, :asked_by,
        :asked_name, :asked_at, :decided_name, :ended_at, :trouble)
on conflict (shop, refund_id) do update
set state = excluded.state, asked_by = excluded.asked_by, asked_name = excluded.asked_name,
    decided_name = excluded.decided_name, ended_at = excluded.ended_at, trouble = excluded.trouble
where d.ended_at is null;

-- name: desk_refunds(shop, only_open, before_at, before_id, most)
-- record_class: DeskRefund
select shop, refund_id, order_id, no, title, state, amount_minor, reason, words, asked_by, asked_name,
       asked_at, decided_name, ended_at, trouble
from payments.desk_refund
where (:shop::text is null or shop = :shop::text)
  and (not :only_open::boolean or ended_at is null)
  and (:before_at::timestamptz is null
       or (asked_at, refund_id) < (:before_at::timestamptz, :before_id::uuid))
order by asked_at desc, refund_id desc limit :most;
