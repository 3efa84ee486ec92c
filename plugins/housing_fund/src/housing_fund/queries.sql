-- The shop's own schema is first in the search path, so names stand alone.
-- Select lists are the fields of the Structs in ledger.py, loans.py and records.py, in order.

-- name: account
select number, opened_on, opening_minor, day, sealed_on from account where holder = :holder;

-- name: contributions
select since, base_minor, employer_percent, employee_percent
from contribution where account = :account order by since;

-- name: withdrawn
-- What was paid out. An account that is closed stops earning on the day of the application.
select (case when (a.kept ->> 'closes')::boolean then a.applied_at else max(e.happened_at) end
        at time zone 'Asia/Shanghai')::date,
       a.reference, (a.kept ->> 'amount_minor')::bigint, (a.kept ->> 'closes')::boolean,
       a.kept ->> 'reason', (a.kept ->> 'rent_until')::date
from application a
join application_event e on e.reference = a.reference
where a.app = 'withdrawal' and a.state = 'finished' and a.kept ->> 'account' = :account
group by a.reference
order by 1, 2;

-- name: loan
select id, home, granted_on, principal_minor, months, method, every, due_day, overdue_minor
from loan where holder = :holder;

-- name: changed
-- Changes of repayment that were granted, in order.
select (max(e.happened_at) at time zone 'Asia/Shanghai')::date,
       a.kept ->> 'method', (a.kept ->> 'every')::int
from application a
join application_event e on e.reference = a.reference
where a.app = 'repayment_change' and a.state = 'finished' and a.kept ->> 'loan' = :loan
group by a.reference
order by max(e.happened_at), a.reference;

-- name: known
select number from account;

-- name: open_accounts
-- A sandbox citizen's ID number may change with the calendar; the account stays.
insert into account (number, holder, opened_on, opening_minor, day, sealed_on)
select * from unnest(:numbers::text[], :holders::bytea[], :opened::date[], :openings::bigint[],
                     :days::smallint[], :sealed::date[])
on conflict (number) do update set holder = excluded.holder;

-- name: contribute
insert into contribution (account, since, base_minor, employer_percent, employee_percent)
select * from unnest(:accounts::text[], :sinces::date[], :bases::bigint[], :employers::smallint[],
                     :employees::smallint[])
on conflict do nothing;

-- name: lend
insert into loan (id, holder, home, granted_on, principal_minor, months, method, every, due_day,
                  overdue_minor)
select * from unnest(:ids::text[], :holders::bytea[], :homes::text[], :granted::date[],
                     :principals::bigint[], :months::smallint[], :methods::text[],
                     :everys::smallint[], :due_days::smallint[], :overdues::bigint[])
on conflict (id) do update set holder = excluded.holder;
