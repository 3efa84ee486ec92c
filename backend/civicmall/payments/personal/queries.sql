-- What is given to somebody of what they paid: pages by `key`. All of it stays (Measures on Accounting
-- Archives, art. 14).

-- name: orders(bucket, citizen_id, after, most)
select id::text as key, id, state, amount_minor, refunded_minor, currency, created_at, expires_at, paid_at,
       closed_at, channel, channel_txn
from payments.orders
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: lines(bucket, citizen_id, after, most)
select concat_ws('/', l.order_id, lpad(l.no::text, 9, '0')) as key, l.order_id, l.no, l.shop, l.app,
       l.charge_id, l.state, l.fee_code, l.title, l.beneficiary, l.period, l.amount_minor, l.receipt
from payments.orders o join payments.line l on l.bucket = o.bucket and l.order_id = o.id
where o.bucket = :bucket and o.citizen_id = :citizen_id
  and (:after::text is null or concat_ws('/', l.order_id, lpad(l.no::text, 9, '0')) > :after::text)
order by 1 limit :most;

-- name: channel_payments(bucket, citizen_id, after, most)
select concat_ws('/', p.channel, p.txn) as key, p.channel, p.txn, p.order_id, p.amount_minor, p.paid_at,
       p.outcome, p.returned_at
from payments.orders o join payments.channel_payment p on p.bucket = o.bucket and p.order_id = o.id
where o.bucket = :bucket and o.citizen_id = :citizen_id
  and (:after::text is null or concat_ws('/', p.channel, p.txn) > :after::text)
order by 1 limit :most;

-- name: refunds(bucket, citizen_id, after, most)
select r.id::text as key, r.id, r.order_id, r.no, r.state, r.amount_minor, r.reason, r.words, r.channel,
       r.asked_at, r.decided_at, r.ended_at
from payments.orders o join payments.refund r on r.bucket = o.bucket and r.order_id = o.id
where o.bucket = :bucket and o.citizen_id = :citizen_id
  and (:after::text is null or r.id > :after::text::uuid)
order by r.id limit :most;

-- name: splits(bucket, citizen_id, after, most)
select s.id::text as key, s.id, s.order_id, s.state, s.pool_minor, s.account_minor, s.self_minor, s.made_at
from payments.orders o join payments.split s on s.bucket = o.bucket and s.order_id = o.id
where o.bucket = :bucket and o.citizen_id = :citizen_id
  and (:after::text is null or s.id > :after::text::uuid)
order by s.id limit :most;

-- name: mandates(bucket, citizen_id, after, most)
select id::text as key, id, shop, app, beneficiary, channel, cap_minor, month_cap_minor, ends_on, state, why,
       made_at, moved_at
from payments.mandate
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: debits(bucket, citizen_id, after, most)
select id::text as key, id, mandate_id, shop, app, charge_id, title, beneficiary, period, amount_minor,
       due_on, debit_on, state, why, announced_on, order_id, found_at, ended_at
from payments.mandate_debit
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: unfinished(bucket, citizen_id, most)
-- Orders that money may still come for or goes back from, refunds under way, mandates that hold.
select 'order' as kind, o.id from payments.orders o
where o.bucket = :bucket and o.citizen_id = :citizen_id
  and (o.state in ('created', 'paying', 'paid', 'refunding')
       or exists (select from payments.refund r
                  where r.bucket = o.bucket and r.order_id = o.id
                    and r.state in ('wanted', 'asked', 'approved', 'sent', 'failed')))
union all
select 'mandate', m.id from payments.mandate m
where m.bucket = :bucket and m.citizen_id = :citizen_id and m.state in ('waiting', 'active', 'paused')
order by 1, 2 limit :most;
