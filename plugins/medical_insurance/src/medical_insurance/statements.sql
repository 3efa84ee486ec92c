-- The shop's own schema is first in the search path, so names stand alone.

-- name: schemes
-- How a person is insured in a year; who is in employees' insurance today can't enrol for the next.
select scheme from insured
where person = :person and (year = :year or (year = :this_year and scheme <> 'resident'));

-- name: issue
-- The contributions of enrolments that are finished; what is there already stays.
insert into contribution (id, payer, whose, category, period, amount_minor, issued_on, due_on)
select 'JF-' || a.reference, a.applicant, a.kept ->> 'whose', a.kept ->> 'category', a.kept ->> 'year',
       (a.kept ->> 'amount_minor')::bigint, (a.kept ->> 'applied_on')::date, (a.kept ->> 'due_on')::date
from application a
where a.app = 'enrolment' and a.state = 'finished' and a.applicant = :payer
on conflict do nothing;

-- name: bills
-- Owed ones first, oldest due first; then, if asked for, those paid, newest first.
select c.id, c.whose, c.category, c.period, c.amount_minor, c.issued_on, c.due_on,
       p.payment_id, p.receipt, p.booked_at, p.refunded_minor
from contribution c
left join payment p on p.contribution = c.id and p.refunded_minor < p.amount_minor
where c.payer = :payer and (p.payment_id is null or :paid)
order by p.payment_id is not null, case when p.payment_id is null then c.due_on end, c.due_on desc, c.id
limit :limit;

-- name: bill
select c.id, c.whose, c.category, c.period, c.amount_minor, c.issued_on, c.due_on,
       p.payment_id, p.receipt, p.booked_at, p.refunded_minor
from contribution c
left join payment p on p.contribution = c.id and p.refunded_minor < p.amount_minor
where c.id = :bill and c.payer = coalesce(:payer, c.payer);

-- name: book
-- Of two who come at once one is booked; a contribution whose money went back can be paid anew.
insert into payment (payment_id, contribution, receipt, amount_minor, paid_at, booked_at)
select :payment_id, c.id,
       'R-' || c.id || '-' || (1 + (select count(*) from payment p where p.contribution = c.id)),
       c.amount_minor, :paid_at, :booked_at
from contribution c
where c.id = :bill and c.amount_minor = :amount_minor
on conflict do nothing;

-- name: payment
select payment_id, contribution, receipt, amount_minor, booked_at from payment where payment_id = :payment_id;

-- name: refund
-- No more goes back than was paid: the payment's row is locked while that is seen.
with noted as (
    insert into refund (refund_id, payment_id, amount_minor, noted_at)
    select :refund_id, p.payment_id, :amount_minor::bigint, :noted_at
    from payment p
    where p.payment_id = :payment_id and p.contribution = :bill
      and p.refunded_minor + :amount_minor::bigint <= p.amount_minor
    for update
    on conflict do nothing
    returning payment_id, amount_minor
)
update payment p set refunded_minor = p.refunded_minor + noted.amount_minor
from noted where p.payment_id = noted.payment_id;

-- name: refunded
select refund_id, payment_id, amount_minor, noted_at from refund where refund_id = :refund_id;

-- name: movements
-- The movements of a time, and what had come together before it.
select m.booked_on, m.kind, m.amount_minor, m.opening_minor::bigint
from (
    select *, sum(amount_minor) over (order by booked_on, seq) - amount_minor as opening_minor
    from movement where person = :person
) m
where m.booked_on between :since and :until
order by m.booked_on, m.seq;

-- name: balance
-- What is on the account at the end of a day; null where there is none.
select sum(amount_minor) filter (where booked_on <= :until)::bigint from movement
where person = :person having count(*) > 0;

-- name: insure
insert into insured (person, year, scheme)
select * from unnest(:persons::bytea[], :years::integer[], :schemes::text[]) on conflict do nothing;

-- name: move
-- Only onto accounts that have no movement yet.
insert into movement (person, seq, booked_on, kind, amount_minor)
select n.* from unnest(:persons::bytea[], :seqs::integer[], :days::date[], :kinds::text[], :amounts::bigint[])
    as n (person, seq, booked_on, kind, amount_minor)
where not exists (select from movement m where m.person = n.person);

-- name: charge
-- Contributions, with the payment of those that were paid; what is there already stays as it is.
with new as (
    select * from unnest(:ids::text[], :payers::bytea[], :whose::text[], :categories::text[], :periods::text[],
                         :amounts::bigint[], :issued::date[], :due::date[], :paid_at::timestamptz[])
        as n (id, payer, whose, category, period, amount_minor, issued_on, due_on, paid_at)
), issued as (
    insert into contribution (id, payer, whose, category, period, amount_minor, issued_on, due_on)
    select id, payer, whose, category, period, amount_minor, issued_on, due_on from new
    on conflict do nothing
    returning id
)
insert into payment (payment_id, contribution, receipt, amount_minor, paid_at, booked_at)
select 'sandbox:' || id, id, 'R-' || id || '-1', amount_minor, paid_at, paid_at
from new join issued using (id) where paid_at is not null;
