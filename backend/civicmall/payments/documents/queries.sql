-- name: posted_at(bucket, order_id)$
-- When an order's payment was posted.
select posted_at from payments.posting
where bucket = :bucket and order_id = :order_id and kind = 'payment' limit 1;

-- name: refunds_done(bucket, order_id)
-- record_class: DoneRefund
-- `ended_at` is the posting's `posted_at`: one statement wrote both.
select id, no, amount_minor, ended_at from payments.refund
where bucket = :bucket and order_id = :order_id and no is not null and state = 'done'
order by ended_at, id;

-- name: note_entries(accounts, kinds, ids, nos, posted, shops, order_id, fee_codes, titles, periods, amounts, receipts)!
-- The same news again changes nothing; a receipt's number may come later than the payment.
insert into payments.desk_entry as d (account, kind, id, no, posted_at, shop, order_id, fee_code, title,
                                      period, amount_minor, receipt_number)
select account, kind, id, no, posted_at, shop, :order_id, fee_code, title, period, amount, receipt
from unnest(:accounts::text[], :kinds::text[], :ids::uuid[], :nos::smallint[], :posted::timestamptz[],
            :shops::text[], :fee_codes::text[], :titles::jsonb[], :periods::text[], :amounts::bigint[],
            :receipts::text[])
    as n (account, kind, id, no, posted_at, shop, fee_code, title, period, amount, receipt)
on conflict (account, kind, id, no) do update
set receipt_number = excluded.receipt_number
where d.receipt_number is null and excluded.receipt_number is not null;

-- name: kind_sums(account, start_at, end_at)
-- record_class: KindSum
-- Over all buckets, for staff: a period's postings of one account, found by time.
select kind, (-sum(amount))::bigint as owed_minor, count(*) as entries
from payments.posting, unnest(accounts, amounts) as e (account, amount)
where posted_at >= :start_at::timestamptz and posted_at < :end_at::timestamptz
  and accounts @> array[:account::text] and account = :account::text
group by kind order by kind;

-- name: differing(bucket, account, ledger_account, start_at, end_at, most)
-- record_class: Difference
-- Order by order. Fees have no rows: the platform bears them.
with booked as (
    select kind, order_id, (-sum(amount))::bigint as owed
    from payments.posting, unnest(accounts, amounts) as e (account, amount)
    where posted_at >= :start_at::timestamptz and posted_at < :end_at::timestamptz
      and accounts @> array[:ledger_account::text] and account = :ledger_account::text
      and kind <> 'fee'
    group by kind, order_id
), shown as (
    select kind, order_id,
           sum(case kind when 'payment' then amount_minor else -amount_minor end)::bigint as owed
    from payments.desk_entry
    where account = :account and posted_at >= :start_at::timestamptz
      and posted_at < :end_at::timestamptz
    group by kind, order_id
    union all
    select 'payout', id, -amount_minor from payments.payout
    where bucket = :bucket and account = :account and paid_at >= :start_at::timestamptz
      and paid_at < :end_at::timestamptz
)
select kind, order_id, b.owed as ledger_minor, s.owed as rows_minor
from booked b full join shown s using (kind, order_id)
where b.owed is distinct from s.owed
order by kind, order_id limit :most;

-- name: waiting(buckets, order_ids)
-- Of these orders those of which news is still on its way.
select distinct body ->> 'order_id' as order_id from kernel.outbox
where bucket = any(:buckets::smallint[]) and body ->> 'order_id' = any(:order_ids::text[])
  and type in ('payments.order_paid', 'payments.order_fulfilled', 'payments.refund_moved');

-- name: entries_many(account, start_at, end_at)$
select count(*) from payments.desk_entry
where account = :account and posted_at >= :start_at and posted_at < :end_at;

-- name: entries(account, start_at, end_at, after_at, after_id, after_no, most)
-- record_class: EntryRow
select posted_at, kind, id, no, shop, order_id, fee_code, title, period, amount_minor, receipt_number
from payments.desk_entry
where account = :account and posted_at >= :start_at and posted_at < :end_at
  and (:after_at::timestamptz is null
       or (posted_at, id, no) > (:after_at::timestamptz, :after_id::uuid, :after_no::smallint))
order by posted_at, id, no limit :most;

-- name: payouts_in(bucket, account, start_at, end_at)
-- record_class: Payout
select id, account, shop, first_on, last_on, amount_minor, reference, paid_name, paid_at
from payments.payout
where bucket = :bucket and account = :account and paid_at >= :start_at and paid_at < :end_at
order by paid_at, id;

-- name: payouts(bucket, account, before_at, before_id, most)
-- record_class: Payout
select id, account, shop, first_on, last_on, amount_minor, reference, paid_name, paid_at
from payments.payout
where bucket = :bucket and account = :account
  and (:before_at::timestamptz is null
       or (paid_at, id) < (:before_at::timestamptz, :before_id::uuid))
order by paid_at desc, id desc limit :most;

-- name: payout(bucket, id)^
-- record_class: Payout
select id, account, shop, first_on, last_on, amount_minor, reference, paid_name, paid_at
from payments.payout where bucket = :bucket and id = :id;

-- name: had_account(shop, account)$
select exists (select from payments.desk_entry where shop = :shop and account = :account);

-- name: other_shops(shop, account, bucket)
-- From shop to shop along the index, so that an account with many entries takes no longer.
with recursive known as (
    (select shop from payments.desk_entry order by shop limit 1)
    union all
    select (select d.shop from payments.desk_entry d where d.shop > k.shop order by d.shop limit 1)
    from known k where k.shop is not null
)
select shop from known k
where shop <> :shop
  and exists (select from payments.desk_entry d where d.shop = k.shop and d.account = :account)
union
select shop from payments.payout
where bucket = :bucket and account = :account and shop <> :shop
order by shop;

-- name: paid_out(bucket, account, end_at)^
-- record_class: PaidOut
select coalesce(sum(amount_minor) filter (where paid_at < :end_at), 0)::bigint as then_minor,
       coalesce(sum(amount_minor), 0)::bigint as now_minor,
       coalesce((select paid_minor from payments.payout_total
                 where bucket = :bucket and account = :account), 0) as total_minor
from payments.payout where bucket = :bucket and account = :account;

-- name: pay_out(bucket, id, posting_id, account, ledger_account, shop, first_on, last_on, amount_minor, reference, paid_by, paid_name, paid_before, earned_minor)$
-- The account's total is the guard: of payouts at once one finds it as it was read, the others look
-- anew. All that this writes lies in the account's bucket.
with total as (
    insert into payments.payout_total as t (bucket, account, paid_minor)
    select :bucket, :account, :amount_minor::bigint
    where :paid_before::bigint + :amount_minor::bigint <= :earned_minor::bigint
    on conflict (bucket, account) do update set paid_minor = t.paid_minor + excluded.paid_minor
    where t.paid_minor = :paid_before::bigint
      and t.paid_minor + excluded.paid_minor <= :earned_minor::bigint
    returning account
), made as (
    insert into payments.payout (bucket, id, account, shop, first_on, last_on, amount_minor,
                                 reference, paid_by, paid_name)
    select :bucket, :id::uuid, account, :shop, :first_on, :last_on, :amount_minor::bigint,
           :reference, :paid_by, :paid_name
    from total
    returning id, amount_minor
)
insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)
select :bucket, :posting_id, id, 'payout', array[:ledger_account::text, 'bank'],
       array[amount_minor, -amount_minor]
from made
returning id;
