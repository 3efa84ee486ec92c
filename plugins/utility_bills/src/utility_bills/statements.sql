-- The shop's own schema is first in the search path, so names stand alone.
-- Select lists are the fields of the Structs in models.py and tariff.py, in order.

-- name: bills
-- Owed ones first, oldest due first; then, if asked for, those paid, newest first.
select b.id, b.account, a.utility, m.id, a.floor_area_milli, b.persons, b.period_from,
       b.period_until, b.issued_on, b.due_on, b.usage_milli, b.used_before_milli, b.amount_minor,
       p.payment_id, p.receipt, p.amount_minor, p.paid_at, p.booked_at
from account a
join bill b on b.account = a.number
left join meter m on m.account = a.number
left join payment p on p.bill = b.id and p.refunded_minor < p.amount_minor
where a.holder = :holder and a.utility = :utility and (p.bill is null or :paid)
order by p.bill is not null, case when p.bill is null then b.due_on end, b.due_on desc, b.id
limit :limit;

-- name: bill
select b.id, b.account, a.utility, m.id, a.floor_area_milli, b.persons, b.period_from,
       b.period_until, b.issued_on, b.due_on, b.usage_milli, b.used_before_milli, b.amount_minor,
       p.payment_id, p.receipt, p.amount_minor, p.paid_at, p.booked_at
from bill b
join account a on a.number = b.account
left join meter m on m.account = a.number
left join payment p on p.bill = b.id and p.refunded_minor < p.amount_minor
where b.id = :bill and a.utility = :utility and a.holder = coalesce(:holder, a.holder);

-- name: lines
select tariff, component, tier, since, until, quantity_milli, price_milli_minor, amount_minor
from bill_line where bill = :bill order by position;

-- name: readings
select meter, read_on, value_milli, estimated
from reading where meter = :meter and read_on between :since and :until order by read_on;

-- name: context
select (select l.usage_milli from bill l
        where l.account = b.account and l.period_from = b.period_from - interval '1 year'
          and l.period_until = b.period_until - interval '1 year'),
       count(o.id), coalesce(sum(o.amount_minor), 0)::bigint,
       (select coalesce(sum(p.refunded_minor), 0)::bigint from payment p where p.bill = b.id)
from bill b
left join bill o on o.account = b.account and o.id <> b.id and o.due_on < :today
     and not exists (select from payment p
                     where p.bill = o.id and p.refunded_minor < p.amount_minor)
where b.id = :bill
group by b.id, b.account, b.period_from, b.period_until;

-- name: booked
select payment_id, receipt, amount_minor, booked_at
from payment where bill = :bill and payment_id = :payment_id;

-- name: book
-- The amount is checked and the payment booked in one go. Of two who come at once the second
-- waits for the bill, changes nothing, and gets the first one's row.
insert into payment as p (bill, payment_id, receipt, amount_minor, late_fee_minor, paid_at, booked_at)
select b.id, :payment_id,
       'R' || b.id || (select case count(*) when 0 then '' else '-' || count(*) + 1 end
                       from payment o where o.bill = b.id),
       :amount_minor, :late_fee_minor, :paid_at, :booked_at
from bill b
where b.id = :bill and b.amount_minor + :late_fee_minor::bigint = :amount_minor::bigint
for update of b
on conflict (bill) where refunded_minor < amount_minor do update set bill = excluded.bill
returning p.payment_id, p.receipt, p.amount_minor, p.booked_at;

-- name: refunded
select refund_id, payment_id, bill, amount_minor, noted_at
from refund where refund_id = :refund_id;

-- name: refund
-- Never more than was paid, and each refund once: of two who come at once the second waits for
-- the payment, and then finds that it is too much or that the refund is there.
with paid as (
    select bill, payment_id from payment
    where bill = :bill and payment_id = :payment_id
      and refunded_minor + :amount_minor::bigint <= amount_minor
    for update
), noted as (
    insert into refund (refund_id, bill, payment_id, amount_minor, refunded_at, noted_at)
    select :refund_id, bill, payment_id, :amount_minor::bigint, :refunded_at, :noted_at from paid
    on conflict (refund_id) do nothing
    returning refund_id, payment_id, bill, amount_minor, noted_at
), gone as (
    update payment p set refunded_minor = p.refunded_minor + n.amount_minor
    from noted n where p.bill = n.bill and p.payment_id = n.payment_id
)
select refund_id, payment_id, bill, amount_minor, noted_at from noted;

-- name: accounts
select a.number, a.holder, max(b.period_until)
from account a left join bill b on b.account = a.number
group by a.number;

-- name: open_accounts
-- A sandbox citizen's ID number may change with the calendar; the account stays.
insert into account (number, utility, holder, persons, floor_area_milli, opened_on)
select * from unnest(:numbers::text[], :utilities::text[], :holders::bytea[], :persons::smallint[],
                     :areas::bigint[], :opened::date[])
on conflict (number) do update set holder = excluded.holder;

-- name: install_meters
insert into meter (id, account, installed_on)
select * from unnest(:meters::text[], :accounts::text[], :installed::date[])
on conflict do nothing;

-- name: read_meters
insert into reading (meter, read_on, value_milli, estimated)
select * from unnest(:meters::text[], :days::date[], :readings::bigint[], :estimated::boolean[])
on conflict do nothing;

-- name: issue
-- A bill's amount is the sum of its lines, and a bill that is there already keeps its own.
with line as (
    select * from unnest(:line_bills::text[], :positions::smallint[], :tariffs::text[],
                         :components::text[], :tiers::smallint[], :since::date[], :until::date[],
                         :quantities::bigint[], :prices::bigint[], :amounts::bigint[])
        as l (bill, position, tariff, component, tier, since, until, quantity, price, amount)
), issued as (
    insert into bill (id, account, persons, period_from, period_until, issued_on, due_on,
                      usage_milli, used_before_milli, amount_minor)
    select n.*, s.amount
    from unnest(:bills::text[], :accounts::text[], :persons::smallint[], :periods_from::date[],
                :periods_until::date[], :issued::date[], :due::date[], :usages::bigint[],
                :before::bigint[]) as n (id)
    join (select bill, sum(amount)::bigint as amount from line group by bill) s on s.bill = n.id
    where s.amount > 0
    on conflict do nothing
    returning id
)
insert into bill_line (bill, position, tariff, component, tier, since, until, quantity_milli,
                       price_milli_minor, amount_minor)
select l.* from line l join issued on issued.id = l.bill;

-- name: unpaid
-- Never paid: what was paid and refunded is left to whoever did so.
select b.id, b.account, a.utility, b.issued_on, b.due_on, b.amount_minor
from bill b join account a on a.number = b.account
where not exists (select from payment p where p.bill = b.id);

-- name: book_many
insert into payment (bill, payment_id, receipt, amount_minor, late_fee_minor, paid_at, booked_at)
select bill, 'sandbox:' || bill, 'R' || bill, amount, late_fee, paid_at, paid_at
from unnest(:bills::text[], :amounts::bigint[], :late_fees::bigint[], :paid_at::timestamptz[])
    as n (bill, amount, late_fee, paid_at)
on conflict do nothing;
