-- The shop's own schema is first in the search path, so names stand alone.

-- name: matters
-- Applications with all that happened to them, newest first; whether a clerk is at work.
select a.reference, a.app, a.case_id, a.kept::text, a.state, a.applied_at,
       e.what, e.happened_at, e.step, e.about, e.key,
       exists (select from application_clerk c where c.app = a.app)
from (
    select * from application
    where app = :app
      and (:applicant::bytea is null or applicant = :applicant)
      and (:reference::text is null or reference = :reference)
      and (:case_id::text is null or case_id = :case_id)
    order by applied_at desc, reference desc
    limit :limit
) a
join application_event e on e.reference = a.reference
order by a.applied_at desc, a.reference desc, e.seq;

-- name: enter
-- One statement decides: of the same case, or of two that hold the same, the first one stays.
with entered as (
    insert into application (reference, app, case_id, applicant, held, kept, state, applied_at)
    select n.reference, :app, n.case_id, n.applicant, n.held, n.kept::jsonb, n.state, n.applied_at
    from unnest(:references::text[], :case_ids::text[], :applicants::bytea[], :helds::text[],
                :kepts::text[], :states::text[], :applied::timestamptz[])
        as n (reference, case_id, applicant, held, kept, state, applied_at)
    on conflict do nothing
    returning reference
)
insert into application_event (reference, seq, what, step, about, key, happened_at)
select n.reference, n.seq, n.what, n.step, string_to_array(n.about, ','), n.key, n.happened_at
from unnest(:event_references::text[], :seqs::integer[], :whats::text[], :steps::text[],
            :abouts::text[], :keys::text[], :happened::timestamptz[])
    as n (reference, seq, what, step, about, key, happened_at)
join entered on entered.reference = n.reference;

-- name: append
-- The next event, unless something happened in between; the application's state follows.
with added as (
    insert into application_event (reference, seq, what, step, about, key, happened_at)
    values (:reference, :seq, :what, :step, string_to_array(:about, ','), :key, :happened)
    on conflict do nothing
    returning reference
)
update application a
set state = :state, held = case when :frees::boolean then null else a.held end
from added where added.reference = a.reference
returning a.reference;

-- name: employ
insert into application_clerk (app, since_on) values (:app, :today) on conflict do nothing;
