-- what each channel should have in its statement, of split payments too
-- depends: 0004_tickets 0008_medical

-- migrate: apply

create index split_by_time on payments.split
    using brin (insurer_at) with (pages_per_range = 32, autosummarize = on);
create index split_insurer_txn on payments.split (bucket, insurer_txn) where insurer_txn is not null;
create index split_refund_part on payments.split_refund
    (bucket, (overlay(refund_id::text placing '8' from 15 for 1)::uuid)) where self_state is not null;

-- Money that came, as the channel has it: of a split payment the insurer has its part only. (The
-- citizen's own part stands among the payments of the channel that took it, under the part's number.)
create view payments.held as
select bucket, channel, txn, order_id as number, amount_minor, paid_at as at
from payments.channel_payment where channel <> 'medical_insurance'
union all
select bucket, 'medical_insurance', insurer_txn, id, pool_minor + account_minor, insurer_at
from payments.split where insurer_txn is not null and state in ('deducted', 'paid');

-- Money that went back, or is to: by the number under which that channel was asked for it.
create view payments.sent_back as
select bucket, channel, id as number, order_id, amount_minor, state, ended_at
from payments.refund where channel <> 'medical_insurance'
union all
select x.bucket, s.self_channel, overlay(x.refund_id::text placing '8' from 15 for 1)::uuid, s.order_id,
       x.self_minor,
       case x.self_state when 'done' then 'done' when 'failed' then 'failed' else 'sent' end,
       r.ended_at
from payments.split_refund x
join payments.split s on s.bucket = x.bucket and s.id = x.split_id
join payments.refund r on r.bucket = x.bucket and r.id = x.refund_id
where x.self_state is not null
union all
select x.bucket, 'medical_insurance', x.refund_id, r.order_id, x.pool_minor + x.account_minor,
       case x.insurer_state when 'done' then 'done' when 'failed' then 'failed' else 'sent' end,
       r.ended_at
from payments.split_refund x
join payments.refund r on r.bucket = x.bucket and r.id = x.refund_id
where x.insurer_state is not null;

-- migrate: rollback

drop view payments.sent_back, payments.held;
drop index payments.split_refund_part, payments.split_insurer_txn, payments.split_by_time;
