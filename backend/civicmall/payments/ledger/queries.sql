-- name: standing()^
-- record_class: Standing
-- Of other roles' transactions PostgreSQL doesn't tell; the program's are what posts.
select now() as now_at,
       (select max(day_on) from payments.ledger_day) as last_on,
       case when not exists (select from payments.ledger_day)
            then (select min(posted_at) from payments.posting) end as first_at,
       least((select min(xact_start) from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid()),
             (select min(prepared) from pg_prepared_xacts where database = current_database())
       ) as oldest_at;

-- name: alone(key)$
-- Whether no other process closes at this time; held until the transaction ends.
select pg_try_advisory_xact_lock(:key::bigint);

-- name: postings(start_at, end_at, done)
-- record_class: Posting
-- A day is read once over all buckets, found by time; what is written then touches one bucket each.
select bucket, id, order_id, kind, accounts, amounts, posted_at from payments.posting
where posted_at >= :start_at::timestamptz and posted_at < :end_at::timestamptz
  and bucket <> all(:done::smallint[])
order by bucket, id;

-- name: close_bucket(bucket, day_on, postings, accounts, totals, entries, marks, digest, previous, end_at, grace_s)!
-- Only once the day and the grace are over, and after the day that the digest was made upon.
insert into payments.ledger_bucket (bucket, day_on, postings, accounts, totals, entries, marks, digest)
select :bucket, :day_on, :postings, :accounts, :totals, :entries, :marks, :digest
where now() >= :end_at::timestamptz + make_interval(secs => :grace_s::float8)
  and case when :previous::bytea is null
           then not exists (select from payments.ledger_bucket
                            where bucket = :bucket and day_on < :day_on::date)
           else exists (select from payments.ledger_bucket
                        where bucket = :bucket and day_on = :day_on::date - 1
                          and digest = :previous::bytea) end
on conflict do nothing;

-- name: close_day(day_on, postings, accounts, balances, entries, root, sealed_at, signature, previous)!
insert into payments.ledger_day (day_on, postings, accounts, balances, entries, root, sealed_at, signature)
select :day_on, :postings, :accounts, :balances, :entries, :root, :sealed_at, :signature
where (select count(*) from payments.ledger_bucket where day_on = :day_on::date) = 256
  and case when :previous::bytea is null then not exists (select from payments.ledger_day)
           else exists (select from payments.ledger_day
                        where day_on = :day_on::date - 1 and root = :previous::bytea) end
on conflict do nothing;

-- name: closed_buckets(day_on)
-- record_class: ClosedBucket
select bucket, postings, accounts, totals, entries, digest from payments.ledger_bucket
where day_on = :day_on order by bucket;

-- name: marks(bucket, day_on)$
select marks from payments.ledger_bucket where bucket = :bucket and day_on = :day_on;

-- name: day(day_on)^
-- record_class: ClosedDay
select day_on, postings, accounts, balances, entries, root, sealed_at, signature
from payments.ledger_day
where day_on = :day_on;

-- name: last_day()^
-- record_class: ClosedDay
select day_on, postings, accounts, balances, entries, root, sealed_at, signature
from payments.ledger_day
order by day_on desc limit 1;

-- name: days(first_on, last_on)
-- record_class: ClosedDay
select day_on, postings, accounts, balances, entries, root, sealed_at, signature
from payments.ledger_day
where (:first_on::date is null or day_on >= :first_on::date)
  and (:last_on::date is null or day_on <= :last_on::date)
order by day_on;

-- name: balances(at)
-- record_class: Balance
-- The last day that was closed by then, and what came since: the same work however long the past.
with last as materialized (
    select (day_on + 1)::timestamp at time zone 'Asia/Shanghai' as end_at, accounts, balances, entries
    from payments.ledger_day
    where :at::timestamptz is null
       or (day_on + 1)::timestamp at time zone 'Asia/Shanghai' <= :at::timestamptz
    order by day_on desc limit 1
), part as (
    select account, balance, many
    from last, unnest(last.accounts, last.balances, last.entries) as u (account, balance, many)
    union all
    select account, sum(amount), count(*)
    from payments.posting, unnest(accounts, amounts) as e (account, amount)
    where posted_at >= coalesce((select end_at from last), '-infinity')
      and posted_at <= coalesce(:at::timestamptz, 'infinity')
    group by account
)
select account, sum(balance)::bigint as balance_minor, sum(many)::bigint as postings
from part group by account order by account;

-- name: account_days(account, before_on, most)
-- Closed days in which an account got something, newest first: its number of entries grew.
with grown as (
    select day_on, entries[array_position(accounts, :account::text)] as now_, lag(
               entries[array_position(accounts, :account::text)]) over (order by day_on) as before
    from payments.ledger_day where :before_on::date is null or day_on <= :before_on::date
)
select day_on from grown where now_ is distinct from before order by day_on desc limit :most;

-- name: entries(account, start_at, end_at, before_at, before_id, before_no, most)
-- record_class: Entry
-- Over all buckets, for operators: one day's postings at most, found by time.
select id as posting_id, no::int as no, order_id, kind, amount as amount_minor, posted_at
from payments.posting, unnest(accounts, amounts) with ordinality as e (account, amount, no)
where posted_at >= :start_at::timestamptz and posted_at < :end_at::timestamptz
  and accounts @> array[:account::text] and account = :account::text
  and (:before_at::timestamptz is null
       or (posted_at, id, no) < (:before_at::timestamptz, :before_id::uuid, :before_no::bigint))
order by posted_at desc, id desc, no desc limit :most;

-- name: differing(first_on, start_at, end_at)
-- record_class: Differs
select b.day_on, b.bucket, b.postings as closed, coalesce(n.many, 0) as found
from payments.ledger_bucket b
left join (
    select (posted_at at time zone 'Asia/Shanghai')::date as day_on, bucket, count(*) as many
    from payments.posting
    where posted_at >= :start_at::timestamptz and posted_at < :end_at::timestamptz
    group by 1, 2
) n using (day_on, bucket)
where b.day_on >= :first_on::date and b.postings <> coalesce(n.many, 0)
order by b.day_on, b.bucket;

-- name: strays(first_at, most)
-- record_class: Stray
select bucket, id, posted_at from payments.posting where posted_at < :first_at order by posted_at
limit :most;

-- name: unled(most)
-- record_class: Unled
-- Those of the day that is just being closed belong there.
select b.day_on, b.bucket from payments.ledger_bucket b
where b.day_on <> coalesce((select max(day_on) + 1 from payments.ledger_day),
                           (select min(day_on) from payments.ledger_bucket))
  and not exists (select from payments.ledger_day d where d.day_on = b.day_on)
order by b.day_on, b.bucket limit :most;

-- name: unbalanced(start_at, most)
-- record_class: Stray
-- In days that are still open; a CHECK refuses it, so somebody took that away.
select bucket, id, posted_at from payments.posting
where posted_at >= :start_at and payments.sums_to_zero(amounts) is not true
order by posted_at limit :most;
