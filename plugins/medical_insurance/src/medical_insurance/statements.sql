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
select c.id, c.whose, c.category, c.period, c.amount_minor, c.issued_on, c.due_on, p.charge is not null
from contribution c
left join charge_payment p
  on p.app = 'contribution' and p.charge = c.id and p.refunded_minor < p.amount_minor
where c.payer = :payer and (p.charge is null or :paid)
order by p.charge is not null, case when p.charge is null then c.due_on end, c.due_on desc, c.id
limit :limit;

-- name: bill
select c.id, c.whose, c.category, c.period, c.amount_minor, c.issued_on, c.due_on, p.charge is not null
from contribution c
left join charge_payment p
  on p.app = 'contribution' and p.charge = c.id and p.refunded_minor < p.amount_minor
where c.id = :bill and c.payer = :payer;

-- name: owed
-- What a contribution comes to, whoever pays it.
select amount_minor from contribution where id = :bill;

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
-- What is there already stays as it is.
insert into contribution (id, payer, whose, category, period, amount_minor, issued_on, due_on)
select * from unnest(:ids::text[], :payers::bytea[], :whose::text[], :categories::text[], :periods::text[],
                     :amounts::bigint[], :issued::date[], :due::date[])
on conflict do nothing;
