-- name: begin(channel, day_on, digest, size_bytes, tally)!
insert into payments.statement (channel, day_on, digest, size_bytes, tally)
values (:channel, :day_on, :digest, :size_bytes, :tally)
on conflict do nothing;

-- name: statement(id)^
-- record_class: StatementRow
select id, channel, day_on, digest, size_bytes, state, skip_bad, at_byte, at_line, entries, bad, tally,
       round, round_at, outcomes, counts, there, here, fee_minor, matched_at
from payments.statement where id = :id;

-- name: of_day(channel, day_on)
-- record_class: StatementRow
-- The one that counts first: what was matched before what was only read.
select id, channel, day_on, digest, size_bytes, state, skip_bad, at_byte, at_line, entries, bad, tally,
       round, round_at, outcomes, counts, there, here, fee_minor, matched_at
from payments.statement where channel = :channel and day_on = :day_on
order by state = 'matched' desc, state = 'read' desc, id desc;

-- name: days(channel, before_day, before_channel, most)
-- record_class: StatementRow
select id, channel, day_on, digest, size_bytes, state, skip_bad, at_byte, at_line, entries, bad, tally,
       round, round_at, outcomes, counts, there, here, fee_minor, matched_at
from payments.statement
where (:channel::text is null or channel = :channel::text)
  and (:before_day::date is null
       or (day_on, channel) < (:before_day::date, :before_channel::text))
order by day_on desc, channel desc limit :most;

-- name: beside(channel, first_on, last_on)
-- record_class: StatementRow
select id, channel, day_on, digest, size_bytes, state, skip_bad, at_byte, at_line, entries, bad, tally,
       round, round_at, outcomes, counts, there, here, fee_minor, matched_at
from payments.statement
where channel = :channel and day_on between :first_on and :last_on and state <> 'reading'
order by day_on;

-- name: first_day(channel)$
select min(day_on) from payments.statement where channel = :channel and state <> 'reading';

-- name: read_on(id, from_byte, at_byte, at_line, entries, bad, tally)$
-- The guard of a piece of the file: whoever stood where this one stands, and no other, goes on.
update payments.statement
set at_byte = :at_byte, at_line = :at_line, entries = entries + :entries, bad = bad + :bad,
    tally = :tally
where id = :id and state = 'reading' and at_byte = :from_byte
returning id;

-- name: note_bad(id, lines, reasons)!
insert into payments.statement_bad (statement, line, reason)
select :id, line, reason from unnest(:lines::int[], :reasons::text[]) as n (line, reason)
on conflict do nothing;

-- name: bad_lines(id, most)
-- record_class: BadLine
select line, reason from payments.statement_bad where statement = :id order by line limit :most;

-- name: repeated(buckets, statement)
-- record_class: BadLine
-- A movement that stands there more than once: the last of its lines.
select max(line) as line, 'repeated' as reason from payments.statement_row
where bucket = any(:buckets::smallint[]) and statement = :statement
group by bucket, kind, case kind when 'payment' then txn else coalesce(number::text, strange) end
having count(*) > 1;

-- name: drop_lines(buckets, statement, lines)!
with gone as (
    delete from payments.statement_row
    where bucket = any(:buckets::smallint[]) and statement = :statement and line = any(:lines::int[])
    returning line
)
update payments.statement s set entries = s.entries - n.many, bad = s.bad + n.many
from (select count(*) as many from gone) as n where s.id = :statement;

-- name: all_read(id, skip_bad)!
update payments.statement set state = 'read', skip_bad = :skip_bad
where id = :id and state = 'reading' and at_byte = size_bytes;

-- name: again(id)!
-- A further round: what was concluded is looked at anew.
update payments.statement
set state = 'read', round = round + 1, round_at = now() where id = :id and state = 'matched';

-- name: drop_rows(bucket, statement)!
delete from payments.statement_row where bucket = :bucket and statement = :statement;

-- name: drop_gaps(bucket, statement, round)!
delete from payments.statement_gap
where bucket = :bucket and statement = :statement and (:round::int is null or round < :round::int);

-- name: drop_statement(id)!
with bad as (delete from payments.statement_bad where statement = :id)
delete from payments.statement where id = :id;

-- name: to_match(channel, day_on, statement, round)
select bucket from generate_series(0, 255) as b (bucket)
where not exists (select from payments.reconciled r where r.bucket = b.bucket::smallint
                  and r.channel = :channel and r.day_on = :day_on
                  and r.statement = :statement and r.round = :round)
order by bucket;

-- name: match(buckets, statement, round, channel, day_on, start_at, end_at, slack, beside, older, wait_before, wait_after, posting_ids)!
-- Some buckets of a day, the channel's rows beside ours: what fits is counted, what doesn't becomes a
-- gap, the fee is posted. Ours are found by time; what has no row there may lie on the day beside.
-- Several buckets at a time, for each look by time passes over the whole day.
with s as materialized (
    select bucket, line, number, strange, txn, amount_minor, happened_at
    from payments.statement_row
    where bucket = any(:buckets::smallint[]) and statement = :statement::int and kind = 'payment'
), h as materialized (
    select bucket, txn, number, amount_minor, at
    from payments.held
    where bucket = any(:buckets::smallint[]) and channel = :channel::text
      and at >= :start_at::timestamptz and at < :end_at::timestamptz
), both_ as (
    select bucket, txn, s.line, s.number, s.strange, s.amount_minor as there, h.amount_minor as here,
           h.number as ours, coalesce(h.at, s.happened_at) as at_,
           case when h.txn is null then (
               select c.number from payments.held c
               where c.bucket = s.bucket and c.channel = :channel and c.txn = s.txn) end as late_ours,
           case when h.txn is null then (
               select c.amount_minor from payments.held c
               where c.bucket = s.bucket and c.channel = :channel and c.txn = s.txn) end as late
    from s full join h using (bucket, txn)
), paid as (
    select *, case
        when there is null and (at_ < :start_at + :slack::interval or at_ >= :end_at - :slack) and
             (bucket, txn) in (
                 select r.bucket, r.txn from payments.statement_row r
                 where r.bucket = any(:buckets) and r.statement = any(:beside::int[])
                   and r.kind = 'payment'
                   and (r.happened_at >= :start_at - :slack and r.happened_at < :start_at + :slack
                        or r.happened_at >= :end_at - :slack and r.happened_at < :end_at + :slack))
            then 'other_day'
        when there is null and (:wait_before::boolean and at_ < :start_at + :slack
                                or :wait_after::boolean and at_ >= :end_at - :slack) then 'waits'
        when there is null then 'missing_there'
        when coalesce(here, late) is null then 'missing_here'
        when coalesce(here, late) <> there or coalesce(ours, late_ours) is distinct from number
            then 'statement_amount_differs'
        when here is null then 'other_day'
        else 'matched' end as outcome
    from both_
), sr as materialized (
    select bucket, line, number, original, strange, txn, amount_minor, state, happened_at
    from payments.statement_row
    where bucket = any(:buckets) and statement = :statement and kind = 'refund'
), hr as materialized (
    select r.bucket, r.number from payments.sent_back r
    where r.bucket = any(:buckets) and r.channel = :channel and r.state = 'done'
      and r.ended_at >= :start_at and r.ended_at < :end_at
), both_r as (
    select coalesce(sr.bucket, hr.bucket) as bucket, coalesce(sr.number, hr.number) as number, sr.line,
           sr.original, sr.strange, sr.txn, sr.amount_minor as there, sr.state as said,
           hr.number is not null as today, sr.happened_at
    from sr full join hr on hr.bucket = sr.bucket and hr.number = sr.number
), back as (
    select b.*, r.order_id, r.amount_minor as here, r.state as is_,
           coalesce(r.ended_at, b.happened_at) as at_, case
        when b.said is null and exists (
            select from payments.statement_row o
            where o.bucket = b.bucket and o.number = b.number and o.kind = 'refund'
              and o.statement = any(:older::int[]) and o.state <> 'failed') then 'refund_other_day'
        when b.said is null and (:wait_before and r.ended_at < :start_at + :slack
                                 or :wait_after and r.ended_at >= :end_at - :slack)
            then 'refund_waits'
        when b.said is null then 'refund_missing_there'
        when r.number is null or r.state in ('wanted', 'asked', 'declined') then
            case when b.said = 'failed' then 'refund_void' else 'refund_missing_here' end
        when r.amount_minor <> b.there then 'refund_amount_differs'
        when b.said = 'failed' then
            case when r.state = 'done' then 'refund_missing_there' else 'refund_void' end
        when r.state = 'done' then
            case when b.today then 'refund_matched' else 'refund_other_day' end
        when b.said = 'done' then 'refund_pending'
        else 'refund_begun' end as outcome
    from both_r b
    left join lateral (
        select order_id, number, amount_minor, state, ended_at from payments.sent_back r
        where r.bucket = b.bucket and r.number = b.number and r.channel = :channel limit 1
    ) r on true
), seen as (
    select bucket, outcome, count(*) as many, coalesce(sum(there), 0)::bigint as there,
           coalesce(sum(here), 0)::bigint as here
    from paid group by bucket, outcome
    union all
    select bucket, outcome, count(*),
           coalesce(sum(-there) filter (where said <> 'failed'), 0)::bigint,
           coalesce(sum(-here) filter (where today), 0)::bigint
    from back group by bucket, outcome
), gaps as (
    insert into payments.statement_gap (bucket, statement, round, kind, reference, line, number, order_id,
                                        txn, there_minor, here_minor, happened_at)
    select bucket, :statement, :round::int, outcome, txn, line, number,
           coalesce(ours, late_ours), txn, there, coalesce(here, late), at_
    from paid where outcome in ('missing_here', 'missing_there', 'statement_amount_differs')
    union all
    select bucket, :statement, :round, outcome,
           coalesce(replace(number::text, '-', ''), strange), line, number,
           coalesce(order_id, original), txn, there, here, at_
    from back where outcome in ('refund_missing_here', 'refund_missing_there',
                                'refund_amount_differs', 'refund_pending')
    on conflict do nothing
), fees as (
    select bucket, sum(fee_minor)::bigint as fee from payments.statement_row
    where bucket = any(:buckets) and statement = :statement group by bucket
), noted as (
    insert into payments.reconciled as t (bucket, channel, day_on, statement, round, outcomes, counts,
                                          there, here, fee_minor, was_minor)
    select b.bucket, :channel, :day_on::date, :statement, :round,
           coalesce(n.outcomes, '{}'), coalesce(n.counts, '{}'), coalesce(n.there, '{}'),
           coalesce(n.here, '{}'), coalesce(f.fee, 0), coalesce(w.fee_minor, 0)
    from unnest(:buckets) as b (bucket)
    left join (select bucket, array_agg(outcome order by outcome) as outcomes,
                      array_agg(many order by outcome) as counts,
                      array_agg(there order by outcome) as there,
                      array_agg(here order by outcome) as here
               from seen group by bucket) n using (bucket)
    left join fees f using (bucket)
    left join payments.reconciled w on w.bucket = b.bucket and w.bucket = any(:buckets)
        and w.channel = :channel and w.day_on = :day_on
    on conflict (bucket, channel, day_on) do update
    set statement = excluded.statement, round = excluded.round, outcomes = excluded.outcomes,
        counts = excluded.counts, there = excluded.there, here = excluded.here,
        fee_minor = excluded.fee_minor, was_minor = excluded.was_minor, done_at = now()
    where t.fee_minor = excluded.was_minor
      and (t.statement, t.round) is distinct from (excluded.statement, excluded.round)
    returning t.bucket, t.fee_minor - t.was_minor as more
)
insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)
select n.bucket, p.id, p.id, 'fee', array['fee:' || :channel, 'channel:' || :channel],
       array[n.more, -n.more]
from noted n join unnest(:buckets, :posting_ids::uuid[]) as p (bucket, id) using (bucket)
where n.more <> 0;

-- name: gaps(buckets, statement, round, most)
-- record_class: Gap
-- What nothing was done about yet.
select bucket, kind, reference, line, number, order_id, txn, there_minor, here_minor, happened_at
from payments.statement_gap
where bucket = any(:buckets::smallint[]) and statement = :statement and round = :round
  and outcome is null
order by bucket, kind, reference limit :most;

-- name: treated(buckets, statement, round, kinds, refs, outcomes)!
update payments.statement_gap g set outcome = n.outcome
from unnest(:buckets::smallint[], :kinds::text[], :refs::text[], :outcomes::text[])
     as n (bucket, kind, reference, outcome)
where g.bucket = n.bucket and g.bucket = any(:buckets) and g.statement = :statement
  and g.round = :round and g.kind = n.kind and g.reference = n.reference;

-- name: gap_sums(buckets, statement, round)
-- record_class: GapSum
select kind, outcome, count(*) as many, coalesce(sum(there_minor), 0)::bigint as there_minor,
       coalesce(sum(here_minor), 0)::bigint as here_minor
from payments.statement_gap
where bucket = any(:buckets::smallint[]) and statement = :statement and round = :round
group by kind, outcome order by kind, outcome;

-- name: parts(buckets, channel, day_on, statement, round)
-- record_class: Part
select bucket, outcomes, counts, there, here, fee_minor from payments.reconciled
where bucket = any(:buckets::smallint[]) and channel = :channel and day_on = :day_on
  and statement = :statement and round = :round
order by bucket;

-- name: finish(id, round, outcomes, counts, there, here, fee_minor)$
update payments.statement
set state = 'matched', matched_at = now(), outcomes = :outcomes, counts = :counts, there = :there,
    here = :here, fee_minor = :fee_minor
where id = :id and round = :round and state = 'read'
returning id;

-- name: waiting(since, older_than_s)
-- record_class: StatementRow
-- Days that still waited for the next one's statement when they were last looked at.
select id, channel, day_on, digest, size_bytes, state, skip_bad, at_byte, at_line, entries, bad, tally,
       round, round_at, outcomes, counts, there, here, fee_minor, matched_at
from payments.statement
where state = 'matched' and day_on >= :since::date and outcomes && array['waits', 'refund_waits']
  and matched_at < now() - make_interval(secs => :older_than_s::float8)
order by day_on;
