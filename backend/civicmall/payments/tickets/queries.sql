-- name: note(ids, kinds, channels, refs, orders, refunds, heres, theres, days, lines, reasons, due_on, again)!
-- The same is one ticket, however often it is seen. What was resolved stays so, unless the system
-- did it and whoever sees it now looked after that (`again`): news may come twice and late.
insert into payments.ticket as t (id, kind, channel, reference, order_id, refund_id, here_minor,
                                  there_minor, day_on, line, reason, state, due_on)
select id, kind, channel, reference, order_id, refund_id, here_minor, there_minor, day_on, line,
       reason, 'open', :due_on::date
from unnest(:ids::uuid[], :kinds::text[], :channels::text[], :refs::text[], :orders::uuid[],
            :refunds::uuid[], :heres::bigint[], :theres::bigint[], :days::date[], :lines::int[],
            :reasons::text[])
     as n (id, kind, channel, reference, order_id, refund_id, here_minor, there_minor, day_on, line,
           reason)
on conflict (channel, kind, reference) do update
set seen_at = now(), here_minor = excluded.here_minor, there_minor = excluded.there_minor,
    day_on = excluded.day_on, line = excluded.line, reason = excluded.reason,
    state = case when :again::boolean and t.resolved_by = 'system' then 'open' else t.state end,
    resolved_at = case when :again::boolean and t.resolved_by = 'system' then null else t.resolved_at end,
    resolved_by = case when :again::boolean and t.resolved_by = 'system' then null else t.resolved_by end,
    due_on = case when :again::boolean and t.resolved_by = 'system' then excluded.due_on else t.due_on end;

-- name: close(id, kind, channel, reference, order_id, there_minor, due_on, note)!
-- Resolved by itself. Its opening may come later than its end: then it is there, and resolved.
insert into payments.ticket as t (id, kind, channel, reference, order_id, there_minor, state, due_on,
                                  resolved_at, resolved_by, note)
values (:id, :kind, :channel, :reference, :order_id, :there_minor, 'resolved', :due_on, now(),
        'system', :note)
on conflict (channel, kind, reference) do update
set state = 'resolved', resolved_at = now(), resolved_by = 'system', note = excluded.note
where t.state = 'open';

-- name: end_known(kinds, channel, reference, note)!
-- Resolved by itself, where it was ever opened.
update payments.ticket
set state = 'resolved', resolved_at = now(), resolved_by = 'system', note = :note
where channel = :channel and kind = any(:kinds::text[]) and reference = :reference and state = 'open';

-- name: end_unseen(channel, day_on, kinds, since, note)!
-- What a later look at the same day doesn't find any more.
update payments.ticket
set state = 'resolved', resolved_at = now(), resolved_by = 'system', note = :note
where channel = :channel and day_on = :day_on and kind = any(:kinds::text[]) and state = 'open'
  and seen_at < :since::timestamptz;

-- name: link(kinds, channel, reference, refund_id)!
-- Ids follow time: news of an earlier refund of the same money comes too late for its ticket.
update payments.ticket set refund_id = :refund_id
where channel = :channel and kind = any(:kinds::text[]) and reference = :reference
  and (refund_id is null or refund_id < :refund_id);

-- name: reopen(kinds, channel, reference, refund_id, before, due_on)!
-- What was settled before somebody had to decide about the money again.
update payments.ticket
set state = 'open', resolved_at = null, resolved_by = null, resolved_name = '', due_on = :due_on
where channel = :channel and kind = any(:kinds::text[]) and reference = :reference
  and refund_id = :refund_id and state = 'resolved' and resolved_at < :before;

-- name: money(bucket, channel, txn)$
-- By which refund a payment that fits no order goes back, if any was asked for.
select refund_id from payments.channel_payment
where bucket = :bucket and channel = :channel and txn = :txn;

-- name: going(bucket, id)^
-- record_class: Going
select id, no, state, amount_minor, reason, asked_name, asked_at, decided_name, decided_at, ended_at,
       trouble
from payments.refund where bucket = :bucket and id = :id;

-- name: resolve(id, bucket, by, name, note)$
-- Not while the return of its money waits for a second person, who finds it by this ticket only.
update payments.ticket t
set state = 'resolved', resolved_at = now(), resolved_by = :by, resolved_name = :name, note = :note
where t.id = :id and t.state = 'open'
  and not exists (select from payments.refund r
                  where r.bucket = :bucket and r.id = t.refund_id and r.no is null
                    and r.state = 'asked')
returning id;

-- name: ticket(id)^
-- record_class: Ticket
select id, kind, channel, reference, order_id, refund_id, here_minor, there_minor, day_on, line, reason,
       state, opened_at, due_on, resolved_at, resolved_by, resolved_name, note
from payments.ticket where id = :id;

-- name: tickets(state, kind, channel, day_on, overdue_on, before_at, before_id, most)
-- record_class: Ticket
select id, kind, channel, reference, order_id, refund_id, here_minor, there_minor, day_on, line, reason,
       state, opened_at, due_on, resolved_at, resolved_by, resolved_name, note
from payments.ticket
where (:state::text is null or state = :state::text)
  and (:kind::text is null or kind = :kind::text)
  and (:channel::text is null or channel = :channel::text)
  and (:day_on::date is null or day_on = :day_on::date)
  and (:overdue_on::date is null or (state = 'open' and due_on < :overdue_on::date))
  and (:before_at::timestamptz is null
       or (opened_at, id) < (:before_at::timestamptz, :before_id::uuid))
order by opened_at desc, id desc limit :most;

-- name: open_counts()^
-- record_class: OpenCounts
select count(*) as open, count(*) filter (where due_on < (now() at time zone 'Asia/Shanghai')::date)
       as overdue
from payments.ticket where state = 'open';
