-- name: matters
-- The applicant's newest matters ($1 keyed hash, $2 kinds, $3 one matter's id or null, $4 how
-- many), each row one event; matters newest first, events as they happened.
select a.id, a.kind, a.office, a.pickup, a.applied_on, a.year_full_on, e.what, e.happened_at, e.about
from (
    select * from application
    where applicant = $1 and kind = any ($2::text[]) and ($3::text is null or id = $3)
    order by applied_on desc, id desc
    limit $4
) a
join event e on e.application_id = a.id
order by a.applied_on desc, a.id desc, e.seq;

-- name: known
-- Which of these applicants have a matter of these kinds already.
select distinct applicant from application
where applicant = any ($1::bytea[]) and kind = any ($2::text[]);

-- name: add
-- Applications with their events, all or none; what is there already stays as it is.
with made as (
    insert into application (id, applicant, kind, office, pickup, applied_on, year_full_on)
    select * from unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::date[],
                         $7::date[])
    on conflict do nothing
    returning id
)
insert into event (application_id, seq, what, happened_at, about)
select new.id, new.seq, new.what, new.happened_at, string_to_array(new.about, ',')
from unnest($8::text[], $9::smallint[], $10::text[], $11::timestamptz[], $12::text[])
    as new (id, seq, what, happened_at, about)
join made on made.id = new.id;
