-- name: make(bucket, id, citizen_id, shop, app, beneficiary, channel, cap_minor, month_cap_minor, ends_on, now, live_max)$
-- A second live mandate for the same bills breaks the key `mandate_once`.
insert into payments.mandate (bucket, id, citizen_id, shop, app, beneficiary, channel, cap_minor,
                              month_cap_minor, ends_on, state, made_at, moved_at, look_at)
select :bucket, :id, :citizen_id, :shop, :app, :beneficiary, :channel, :cap_minor, :month_cap_minor,
       :ends_on, 'waiting', :now, :now, :now
where (select count(*) from payments.mandate where bucket = :bucket and citizen_id = :citizen_id
       and state in ('waiting', 'active', 'paused')) < :live_max::int
returning id;

-- name: mandate(bucket, id)^
-- record_class: MandateRow
select id, citizen_id, shop, app, beneficiary, channel, cap_minor, month_cap_minor, month_on,
       month_minor, ends_on, state, why, agreement, made_at, moved_at, look_at
from payments.mandate where bucket = :bucket and id = :id;

-- name: live(bucket, citizen_id, shop, app, beneficiary)$
-- The live mandate for these bills.
select id from payments.mandate
where bucket = :bucket and citizen_id = :citizen_id and shop = :shop and app = :app
  and beneficiary = :beneficiary and state in ('waiting', 'active', 'paused');

-- name: mandates(bucket, citizen_id, before, most)
-- record_class: MandateRow
select id, citizen_id, shop, app, beneficiary, channel, cap_minor, month_cap_minor, month_on,
       month_minor, ends_on, state, why, agreement, made_at, moved_at, look_at
from payments.mandate
where bucket = :bucket and citizen_id = :citizen_id and (:before::uuid is null or id < :before::uuid)
order by id desc limit :most;

-- name: move(bucket, id, was, state, why, agreement, look_at, now, event_id, type, body)$
-- A mandate's one way from state to state. Unless it becomes active, what was announced is stopped
-- in the same moment; a debit that has begun ends by itself.
with moved as (
    update payments.mandate
    set was = state, state = :state, why = :why, moved_at = :now, look_at = :look_at,
        agreement = coalesce(:agreement, agreement)
    where bucket = :bucket and id = :id and state = any(:was::text[])
    returning id
), stopped as (
    update payments.mandate_debit d
    set was = d.state, state = 'stopped', why = :state, ended_at = :now, next_at = null
    from moved
    where d.bucket = :bucket and d.mandate_id = moved.id and d.state in ('found', 'announced')
      and :state::text <> 'active'
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from moved
returning true;

-- name: due_looks(now, by_day, most)
-- Mandates whose bills are to be looked at, and those that wait to be confirmed.
select bucket, id from payments.mandate
where look_at <= :now and (:by_day::boolean or state = 'waiting')
order by look_at limit :most;

-- name: take_look(bucket, id, now, until)^
-- record_class: MandateRow
-- In one process's hands until then; one that dies with it is taken by another.
update payments.mandate set look_at = :until
where bucket = :bucket and id = :id and look_at <= :now
returning id, citizen_id, shop, app, beneficiary, channel, cap_minor, month_cap_minor, month_on,
          month_minor, ends_on, state, why, agreement, made_at, moved_at, look_at;

-- name: look_again(bucket, id, look_at)!
update payments.mandate set look_at = :look_at
where bucket = :bucket and id = :id and state in ('waiting', 'active');

-- name: over(today, most)
-- Mandates whose last day has passed.
select bucket, id from payments.mandate
where ends_on < :today and state in ('waiting', 'active', 'paused')
order by ends_on limit :most;

-- name: known(bucket, citizen_id, mandate_id, shop, charge_ids)
-- Bills that are in hand already, or that wait for the citizen, or stand in an order.
select charge_id from payments.mandate_debit
where bucket = :bucket and citizen_id = :citizen_id and shop = :shop
  and charge_id = any(:charge_ids::text[])
  and (state in ('found', 'announced', 'debiting', 'paid')
       or (mandate_id = :mandate_id and state in ('held', 'failed')))
union
select charge_id from payments.charge
where bucket = :bucket and shop = :shop and charge_id = any(:charge_ids::text[]);

-- name: find(bucket, id, mandate_id, charge_id, title, beneficiary, period, amount_minor, due_on, debit_on, state, why, now, event_id, type, body)$
-- A bill of an active mandate, once; its reminder leaves through the outbox.
with allowed as (
    select citizen_id, shop, app from payments.mandate
    where bucket = :bucket and id = :mandate_id and state = 'active'
    for share
), found as (
    insert into payments.mandate_debit (bucket, id, mandate_id, citizen_id, shop, app, charge_id, title,
        beneficiary, period, amount_minor, due_on, debit_on, try_on, state, why, found_at, ended_at)
    select :bucket::smallint, :id::uuid, :mandate_id, citizen_id, shop, app, :charge_id, :title,
           :beneficiary, :period, :amount_minor, :due_on, :debit_on, :debit_on, :state::text, :why,
           :now::timestamptz, case when :state::text = 'held' then :now::timestamptz end
    from allowed
    on conflict do nothing
    returning id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from found
returning true;

-- name: announce(bucket, mandate_id, id, debit_on, reminder_id, today, next_at)$
-- The reminder lies in the inbox: from now on, and three days later, the bill may be debited.
with allowed as (
    select id from payments.mandate
    where bucket = :bucket and id = :mandate_id and state = 'active'
    for share
)
update payments.mandate_debit d
set was = d.state, state = 'announced', reminder_id = :reminder_id, announced_on = :today,
    next_at = :next_at
from allowed
where d.bucket = :bucket and d.id = :id and d.state = 'found' and d.debit_on = :debit_on
returning d.id;

-- name: redate(bucket, mandate_id, id, before_on, debit_on, now, event_id, type, body)$
-- A day that can't be kept any more: another one, with a reminder of its own.
with moved as (
    update payments.mandate_debit
    set was = state, state = 'found', debit_on = :debit_on, try_on = :debit_on, tries = 0,
        reminder_id = null, announced_on = null, next_at = null, round = round + 1,
        found_at = case when state = 'announced' then :now else found_at end
    where bucket = :bucket and id = :id and mandate_id = :mandate_id
      and state in ('found', 'announced') and debit_on = :before_on and tries = 0
    returning id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from moved
returning true;

-- name: due(now, by_day, most)
-- Announced debits whose day is here, and begun ones that have not ended.
select bucket, id from payments.mandate_debit
where next_at <= :now and (:by_day::boolean or state = 'debiting')
order by next_at limit :most;

-- name: take(bucket, id, now, until)^
-- record_class: DebitRow
update payments.mandate_debit set next_at = :until
where bucket = :bucket and id = :id and next_at <= :now
returning id, mandate_id, citizen_id, shop, app, charge_id, title, beneficiary, period, amount_minor,
          due_on, debit_on, try_on, tries, state, why, announced_on, order_id, round, ended_at;

-- name: debit(bucket, id)^
-- record_class: DebitRow
select id, mandate_id, citizen_id, shop, app, charge_id, title, beneficiary, period, amount_minor,
       due_on, debit_on, try_on, tries, state, why, announced_on, order_id, round, ended_at
from payments.mandate_debit where bucket = :bucket and id = :id;

-- name: debits(bucket, mandate_id, before, most)
-- record_class: DebitRow
select id, mandate_id, citizen_id, shop, app, charge_id, title, beneficiary, period, amount_minor,
       due_on, debit_on, try_on, tries, state, why, announced_on, order_id, round, ended_at
from payments.mandate_debit
where bucket = :bucket and mandate_id = :mandate_id and (:before::uuid is null or id < :before::uuid)
order by id desc limit :most;

-- name: of_order(bucket, order_id)^
-- record_class: DebitRow
select id, mandate_id, citizen_id, shop, app, charge_id, title, beneficiary, period, amount_minor,
       due_on, debit_on, try_on, tries, state, why, announced_on, order_id, round, ended_at
from payments.mandate_debit where bucket = :bucket and order_id = :order_id;

-- name: later(bucket, id, next_at)!
update payments.mandate_debit set next_at = :next_at
where bucket = :bucket and id = :id and state in ('announced', 'debiting');

-- name: next_round(bucket, id, round)$
-- Its order closed before anything was debited: the next one has another key.
update payments.mandate_debit set round = round + 1
where bucket = :bucket and id = :id and state = 'announced' and round = :round
returning round;

-- name: try_on(bucket, id, try_on)$
-- A day for trying again went by unused; this one is still within the announced days.
update payments.mandate_debit set try_on = :try_on
where bucket = :bucket and id = :id and state = 'announced' and tries > 0 and try_on < :try_on
  and :try_on <= debit_on + 2
returning id;

-- name: start(bucket, mandate_id, id, order_id, today, month_on, next_at)$
-- The one write before money is asked for: the mandate is active and has not ended, the day is the
-- announced one, and the amount fits both caps; what it takes of the month's is reserved. The rows
-- are locked first, mandate before debit, so that of two that come at once the second finds the
-- first's work.
with allowed as (
    select id, cap_minor, month_cap_minor,
           case when month_on = :month_on then month_minor else 0 end as taken_minor
    from payments.mandate
    where bucket = :bucket and id = :mandate_id and state = 'active' and agreement is not null
      and (ends_on is null or ends_on >= :today) and (month_on is null or month_on <= :month_on)
    for update
), wanted as (
    select d.id, d.amount_minor
    from allowed join payments.mandate_debit d on d.bucket = :bucket and d.id = :id
    where d.mandate_id = :mandate_id and d.state = 'announced' and d.try_on = :today
    for update of d
), reserved as (
    update payments.mandate m
    set month_on = :month_on, month_minor = a.taken_minor + w.amount_minor
    from allowed a, wanted w
    where m.bucket = :bucket and m.id = a.id and w.amount_minor <= a.cap_minor
      and a.taken_minor + w.amount_minor <= a.month_cap_minor
    returning w.id
)
update payments.mandate_debit d
set was = d.state, state = 'debiting', order_id = :order_id, month_on = :month_on,
    tries = d.tries + 1, next_at = :next_at
from reserved where d.bucket = :bucket and d.id = reserved.id
returning d.tries;

-- name: again(bucket, mandate_id, id, today, next_at)$
-- The guard of asking the channel once more for a debit that has begun.
with allowed as (
    select id from payments.mandate
    where bucket = :bucket and id = :mandate_id and state = 'active'
    for share
)
update payments.mandate_debit d set next_at = :next_at
from allowed
where d.bucket = :bucket and d.id = :id and d.state = 'debiting' and d.try_on = :today
returning d.id;

-- name: end_debit(bucket, mandate_id, id, was, state, why, try_on, next_at, now, event_id, type, body)$
-- How a debit went on. Unless it was paid, its share of the month's cap is free again.
with locked as (
    select id from payments.mandate where bucket = :bucket and id = :mandate_id for update
), wanted as (
    select d.id, d.month_on, d.amount_minor
    from locked join payments.mandate_debit d on d.bucket = :bucket and d.id = :id
    where d.mandate_id = :mandate_id and d.state = :was
    for update of d
), released as (
    update payments.mandate m set month_minor = m.month_minor - w.amount_minor
    from wanted w
    where m.bucket = :bucket and m.id = :mandate_id and m.month_on = w.month_on
      and :state::text <> 'paid'
), moved as (
    update payments.mandate_debit d
    set was = d.state, state = :state, why = :why, round = d.round + 1,
        month_on = case when :state::text = 'paid' then d.month_on end,
        try_on = coalesce(:try_on, d.try_on), next_at = :next_at,
        ended_at = case when :state::text = 'announced' then null else :now::timestamptz end
    from wanted w where d.bucket = :bucket and d.id = w.id
    returning d.id
)
insert into kernel.outbox (bucket, id, type, body)
select :bucket, :event_id, :type, :body from moved
returning true;

-- name: begin_paying(bucket, order_id, citizen_id, channel, ask_after_s)$
-- As the citizen's own way to the cashier, but never away from a channel that they chose themselves.
update payments.orders
set was = state, state = 'paying', channel = :channel,
    ask_at = now() + make_interval(secs => :ask_after_s::float8), asked = 0
where bucket = :bucket and id = :order_id and citizen_id = :citizen_id
  and state in ('created', 'paying') and expires_at > now()
  and (channel is null or channel = :channel)
returning id;

-- name: money_came(bucket, order_id)$
-- Whether a channel told of a payment of this order, even one that is on its way back.
select exists (select from payments.channel_payment
               where bucket = :bucket and order_id = :order_id);

-- name: counts(now, most)
-- record_class: MandateCount
-- Numbers for operators, over all buckets.
with made as (
    select shop, app, count(*) filter (where state = 'active') as active,
           count(*) filter (where state = 'paused') as paused,
           count(*) filter (where state = 'waiting') as waiting
    from payments.mandate where state in ('waiting', 'active', 'paused')
    group by shop, app
), debits as (
    select shop, app, count(*) filter (where state = 'announced') as announced,
           count(*) filter (where state = 'paid' and ended_at > :now::timestamptz - interval '30 days') as paid_30d,
           count(*) filter (where state in ('held', 'failed')
                            and ended_at > :now::timestamptz - interval '30 days') as unpaid_30d,
           count(*) filter (where state = 'found' and found_at < :now::timestamptz - interval '1 hour')
               as late_reminders
    from payments.mandate_debit
    group by shop, app
)
select coalesce(m.shop, d.shop) as shop, coalesce(m.app, d.app) as app,
       coalesce(m.active, 0) as active, coalesce(m.paused, 0) as paused,
       coalesce(m.waiting, 0) as waiting, coalesce(d.announced, 0) as announced,
       coalesce(d.paid_30d, 0) as paid_30d, coalesce(d.unpaid_30d, 0) as unpaid_30d,
       coalesce(d.late_reminders, 0) as late_reminders
from made m full join debits d on d.shop = m.shop and d.app = m.app
order by 1, 2 limit :most;

-- name: unreminded(now)$
-- Bills whose reminder has not been delivered for an hour, also after being given another day.
select count(*) from payments.mandate_debit
where state = 'found' and found_at < :now::timestamptz - interval '1 hour';

-- name: bank_agree(bucket, mandate_id, payer, cap_minor)^
-- The sandbox's bank: whoever has signed once is not asked again.
with asked as (
    insert into payments.sandbox_agreement (bucket, mandate_id, payer, cap_minor, state)
    select :bucket::smallint, :mandate_id::uuid, :payer::uuid, :cap_minor,
           case when exists (select from payments.sandbox_agreement
                             where bucket = :bucket and payer = :payer
                               and state in ('signed', 'ended'))
                then 'signed' else 'waiting' end
    on conflict do nothing
    returning state
)
select state from asked
union all
select state from payments.sandbox_agreement where bucket = :bucket and mandate_id = :mandate_id
limit 1;

-- name: bank_agreement(bucket, mandate_id)^
select state, mood, cap_minor from payments.sandbox_agreement
where bucket = :bucket and mandate_id = :mandate_id;

-- name: bank_turn(bucket, mandate_id, was, state)$
update payments.sandbox_agreement set state = :state
where bucket = :bucket and mandate_id = :mandate_id and state = any(:was::text[])
returning state;

-- name: bank_withdraw(bucket, mandate_id)!
-- Whoever never signed has refused, as the bank sees it: `ended` would say that they had signed once.
update payments.sandbox_agreement set state = case state when 'signed' then 'ended' else 'refused' end
where bucket = :bucket and mandate_id = :mandate_id and state in ('waiting', 'signed');

-- name: bank_mood(bucket, mandate_id, mood)$
update payments.sandbox_agreement set mood = :mood
where bucket = :bucket and mandate_id = :mandate_id and state in ('waiting', 'signed')
returning state;
