-- name: start(bucket, id, order_id, pool_minor, account_minor, self_minor)$
-- One open attempt for each order: the key split_open refuses a second one.
insert into payments.split (bucket, id, order_id, state, pool_minor, account_minor, self_minor)
values (:bucket, :id, :order_id, 'quoted', :pool_minor, :account_minor, :self_minor)
on conflict do nothing
returning id;

-- name: split(bucket, id)^
-- record_class: SplitRow
select id, order_id, state, pool_minor, account_minor, self_minor, insurer_txn, insurer_at,
       self_channel, self_txn, self_at, trouble, asked
from payments.split where bucket = :bucket and id = :id;

-- name: newest(bucket, order_id)^
-- record_class: SplitRow
-- The attempt that stands, or the last one.
select id, order_id, state, pool_minor, account_minor, self_minor, insurer_txn, insurer_at,
       self_channel, self_txn, self_at, trouble, asked
from payments.split where bucket = :bucket and order_id = :order_id
order by state in ('quoted', 'deducting', 'deducted', 'paid') desc, id desc limit 1;

-- name: of_txn(bucket, order_id, txn)^
-- record_class: SplitRow
select id, order_id, state, pool_minor, account_minor, self_minor, insurer_txn, insurer_at,
       self_channel, self_txn, self_at, trouble, asked
from payments.split where bucket = :bucket and order_id = :order_id and insurer_txn = :txn;

-- name: confirm(bucket, id, self_channel, ask_after_s)^
-- record_class: SplitRow
-- The intent, before the insurer is asked: only while its order can still be paid.
update payments.split s
set state = 'deducting', self_channel = case when s.self_minor > 0 then :self_channel end,
    ask_at = now() + make_interval(secs => :ask_after_s::float8)
where s.bucket = :bucket and s.id = :id and s.state = 'quoted'
  and exists (select from payments.orders o
              where o.bucket = :bucket and o.id = s.order_id and o.state in ('created', 'paying')
                and o.channel = 'medical_insurance' and o.expires_at > now())
returning id, order_id, state, pool_minor, account_minor, self_minor, insurer_txn, insurer_at,
          self_channel, self_txn, self_at, trouble, asked;

-- name: turn_to(bucket, id, was, self_channel)$
-- Another channel for the rest, once the first one can't take it any more.
update payments.split set self_channel = :self_channel
where bucket = :bucket and id = :id and state = 'deducted' and self_channel = :was
returning id;

-- name: deducted(bucket, id, txn, at, ask_after_s)$
update payments.split
set state = case when self_minor > 0 then 'deducted' else 'paid' end, insurer_txn = :txn,
    insurer_at = :at, asked = 0, ask_at = now() + make_interval(secs => :ask_after_s::float8)
where bucket = :bucket and id = :id and state = 'deducting'
returning state;

-- name: declined(bucket, id, trouble)$
update payments.split set state = 'refused', trouble = :trouble, ask_at = null
where bucket = :bucket and id = :id and state = 'deducting'
returning state;

-- name: give_up(bucket, id, states)$
-- Whatever the insurer has taken goes back; what it was never asked for is only forgotten.
update payments.split
set state = case when state = 'quoted' then 'dropped' else 'reversing' end, asked = 0,
    ask_at = case when state <> 'quoted' then now() end
where bucket = :bucket and id = :id and state = any(:states::text[])
  and state in ('quoted', 'deducting', 'deducted')
returning state;

-- name: undone(bucket, id)$
update payments.split set state = 'reversed', ask_at = null
where bucket = :bucket and id = :id and state = 'reversing'
returning state;

-- name: take_rest(bucket, id, part_id, channel, txn, amount_minor, paid_at, ask_after_s, posting_id, event_id, type, body)$
-- The citizen's own part has come. Where it completes the payment, the whole is settled afterwards by
-- one statement; else it is money that fits nothing, noted and posted as any such, once.
with target as (
    select id, state, self_minor, self_channel, self_txn from payments.split
    where bucket = :bucket and id = :id
    for update
), paid as (
    update payments.split s
    set state = 'paid', self_txn = :txn, self_at = :paid_at, asked = 0,
        ask_at = now() + make_interval(secs => :ask_after_s::float8)
    from target t
    where s.bucket = :bucket and s.id = t.id and s.state = 'deducted'
      and s.self_minor = :amount_minor::bigint and s.self_channel = :channel
    returning s.id
), seen as (
    insert into payments.channel_payment (bucket, channel, txn, order_id, amount_minor, paid_at,
                                          tenders, tender_minor, outcome)
    select :bucket, :channel, :txn, :part_id, :amount_minor, :paid_at,
           array[:channel::text], array[:amount_minor::bigint],
           case when exists (select from paid) then 'part'
                when t.state is null then 'unknown_order'
                when t.self_minor <> :amount_minor::bigint then 'amount_differs'
                when t.state = 'paid' then 'double'
                else 'late' end
    from (values (1)) as always left join target t on true
    on conflict do nothing
    returning outcome
), posted as (
    insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)
    select :bucket, :posting_id, :part_id, 'suspense',
           array['channel:' || :channel::text, 'suspense'],
           array[:amount_minor::bigint, -:amount_minor::bigint]
    from seen where outcome <> 'part'
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id, :type, :body::jsonb || jsonb_build_object('outcome', outcome)
    from seen where outcome <> 'part'
)
select outcome from seen;

-- name: settled(bucket, id)!
update payments.split set ask_at = null where bucket = :bucket and id = :id and state = 'paid';

-- name: due(most)
select s.bucket, s.id, coalesce(o.state in ('created', 'paying'), false) as payable
from payments.split s
left join payments.orders o on o.bucket = s.bucket and o.id = s.order_id
where s.ask_at <= now() order by s.ask_at limit :most;

-- name: ask_later(bucket, id, ask_after_s)!
update payments.split
set asked = asked + 1,
    ask_at = now() + make_interval(secs => :ask_after_s::float8 * power(2, least(asked, 10)))
where bucket = :bucket and id = :id and ask_at is not null;

-- name: want_back(bucket, refund_id, split_id, pool_minor, account_minor, self_minor)!
-- What goes back to whom, before anybody is asked.
insert into payments.split_refund (bucket, refund_id, split_id, pool_minor, account_minor, self_minor,
                                   insurer_state, self_state)
values (:bucket, :refund_id, :split_id, :pool_minor, :account_minor, :self_minor,
        case when :pool_minor::bigint + :account_minor::bigint > 0 then 'open' end,
        case when :self_minor::bigint > 0 then 'open' end)
on conflict do nothing;

-- name: refund_parts(bucket, refund_id)^
-- record_class: RefundParts
select refund_id, split_id, pool_minor, account_minor, self_minor, insurer_state, insurer_refund,
       self_state, self_refund, trouble
from payments.split_refund where bucket = :bucket and refund_id = :refund_id;

-- name: insurer_said(bucket, refund_id, state, txn, trouble)!
-- What is done stays done, whatever is said later.
update payments.split_refund
set insurer_state = :state, insurer_refund = coalesce(:txn, insurer_refund), trouble = :trouble
where bucket = :bucket and refund_id = :refund_id and insurer_state <> 'done';

-- name: self_said(bucket, refund_id, state, txn, trouble)!
update payments.split_refund
set self_state = :state, self_refund = coalesce(:txn, self_refund), trouble = :trouble
where bucket = :bucket and refund_id = :refund_id and self_state <> 'done';

-- name: open_account(bucket, holder, balance_minor)!
insert into payments.insurer_account (bucket, holder, balance_minor)
values (:bucket, :holder, :balance_minor)
on conflict do nothing;

-- name: set_account(bucket, holder, balance_minor)!
insert into payments.insurer_account (bucket, holder, balance_minor)
values (:bucket, :holder, :balance_minor)
on conflict (bucket, holder) do update set balance_minor = excluded.balance_minor;

-- name: account(bucket, holder)$
select balance_minor from payments.insurer_account where bucket = :bucket and holder = :holder;

-- name: deduct(bucket, number, order_id, holder, txn, pool_minor, account_minor, at)$
-- Of two with one number the second breaks the key, and takes nothing.
with taken as (
    update payments.insurer_account set balance_minor = balance_minor - :account_minor::bigint
    where bucket = :bucket and holder = :holder and balance_minor >= :account_minor::bigint
    returning holder
)
insert into payments.insurer_deduction (bucket, number, order_id, holder, state, txn, pool_minor,
                                        account_minor, at)
select :bucket, :number, :order_id, holder, 'deducted', :txn, :pool_minor, :account_minor::bigint, :at
from taken
returning number;

-- name: decline(bucket, number, order_id, holder, txn, at)!
insert into payments.insurer_deduction (bucket, number, order_id, holder, state, txn, pool_minor,
                                        account_minor, at)
values (:bucket, :number, :order_id, :holder, 'declined', :txn, 0, 0, :at)
on conflict do nothing;

-- name: deduction(bucket, number)^
select number, order_id, holder, state, txn, pool_minor, account_minor, at
from payments.insurer_deduction where bucket = :bucket and number = :number;

-- name: reverse(bucket, number, txn, at)!
-- One that was never heard of is noted as reversed, so that it can't be made afterwards.
with turned as (
    insert into payments.insurer_deduction as d (bucket, number, holder, state, txn, pool_minor,
                                                 account_minor, at)
    values (:bucket, :number, '', 'reversed', :txn, 0, 0, :at)
    on conflict (bucket, number) do update set state = 'reversed'
    where d.state = 'deducted' and d.back_pool_minor = 0 and d.back_account_minor = 0
    returning holder, account_minor
)
update payments.insurer_account a set balance_minor = a.balance_minor + t.account_minor
from turned t where a.bucket = :bucket and a.holder = t.holder;

-- name: give_back(bucket, number, refund_number, txn, pool_minor, account_minor, at)$
-- The checks of the deduction's row refuse more than was taken; twice the same breaks the key.
with back as (
    update payments.insurer_deduction d
    set back_pool_minor = d.back_pool_minor + :pool_minor::bigint,
        back_account_minor = d.back_account_minor + :account_minor::bigint
    where d.bucket = :bucket and d.number = :number and d.state = 'deducted'
    returning d.holder
), credited as (
    update payments.insurer_account a set balance_minor = a.balance_minor + :account_minor::bigint
    from back b where a.bucket = :bucket and a.holder = b.holder
)
insert into payments.insurer_refund (bucket, refund_number, number, txn, pool_minor, account_minor, at)
select :bucket, :refund_number, :number, :txn, :pool_minor::bigint, :account_minor::bigint, :at
from back
returning refund_number;

-- name: given_back(bucket, refund_number)^
select refund_number, number, txn, pool_minor, account_minor
from payments.insurer_refund where bucket = :bucket and refund_number = :refund_number;

-- name: statement(since, until)
-- What was taken and still stands, and what was given back, in the order of time.
select kind, number, of_number, txn, pool_minor + account_minor as amount_minor, at from (
    select 'payment' as kind, number, null::uuid as of_number, txn, pool_minor, account_minor, at
    from payments.insurer_deduction
    where state = 'deducted' and at >= :since and at < :until
    union all
    select 'refund', refund_number, number, txn, pool_minor, account_minor, at
    from payments.insurer_refund where at >= :since and at < :until
) as rows order by at, number;

-- name: plan_fault(bucket, order_id, fault, times)!
insert into payments.insurer_fault (bucket, order_id, fault, times)
values (:bucket, :order_id, :fault, :times)
on conflict (bucket, order_id) do update set fault = excluded.fault, times = excluded.times;

-- name: fault_now(bucket, order_id, faults)$
-- One of these, if it was asked for; each time it happens counts.
update payments.insurer_fault set times = times - 1
where bucket = :bucket and order_id = :order_id and fault = any(:faults::text[]) and times > 0
returning fault;
