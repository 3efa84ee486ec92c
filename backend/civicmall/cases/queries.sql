-- name: keep_material(bucket, id, citizen_id, media, size, sha256, body, now, free_max, bytes_max)$
-- Papers that wait for a case are counted, or a citizen could fill the disk with them.
insert into cases.material (bucket, id, citizen_id, media, size, sha256, body, handed_at)
select :bucket::smallint, :id::uuid, :citizen_id::uuid, :media, :size::int, :sha256, :body::bytea,
       :now::timestamptz
from (
    select count(*) as papers, coalesce(sum(size), 0) as bytes from cases.material
    where bucket = :bucket and citizen_id = :citizen_id and case_id is null and id <> :id
) held
where held.papers < :free_max::int and held.bytes + :size::int <= :bytes_max::bigint
on conflict (bucket, id) do update set handed_at = excluded.handed_at
returning id;

-- name: free_materials(bucket, citizen_id, ids)
-- record_class: MaterialRow
select id, citizen_id, case_id, code, seq, media, size, sha256, handed_at from cases.material
where bucket = :bucket and citizen_id = :citizen_id and case_id is null and id = any(:ids::uuid[]);

-- name: materials(bucket, case_id)
-- record_class: MaterialRow
select id, citizen_id, case_id, code, seq, media, size, sha256, handed_at from cases.material
where bucket = :bucket and case_id = :case_id
order by seq, handed_at, id;

-- name: material_body(bucket, case_id, id)^
select media, body from cases.material where bucket = :bucket and case_id = :case_id and id = :id;

-- name: forget_materials(bucket, before, most)$
with gone as (
    delete from cases.material
    where bucket = :bucket and id in (
        select id from cases.material
        where bucket = :bucket and case_id is null and handed_at < :before
        limit :most
    )
    returning id
)
select count(*) from gone;

-- name: open_case(bucket, id, citizen_id, acted_by, shop, app, release, variant, title, form, labels, now, next_at, material_ids, codes, event_id, type, body)$
-- The intent: the case, its papers and its first line, or nothing where a paper is gone.
with wanted as (
    select * from unnest(:material_ids::uuid[], :codes::text[]) as w (material_id, code)
), free as (
    select m.id, w.code from cases.material m join wanted w on w.material_id = m.id
    where m.bucket = :bucket and m.citizen_id = :citizen_id and m.case_id is null
    for update of m
), made as (
    insert into cases.case (bucket, id, citizen_id, acted_by, shop, app, release, variant, title, state, form,
                            labels, submitted_at, next_at)
    select :bucket::smallint, :id::uuid, :citizen_id::uuid, :acted_by::uuid, :shop, :app, :release, :variant,
           :title::jsonb, 'submitted', :form::bytea, :labels::jsonb, :now::timestamptz, :next_at::timestamptz
    where (select count(*) from free) = cardinality(:material_ids::uuid[])
    on conflict (bucket, id) do nothing
    returning id
), attached as (
    update cases.material m set case_id = made.id, code = free.code
    from free, made where m.bucket = :bucket and m.id = free.id
), noted as (
    insert into cases.event (bucket, case_id, no, id, at, actor, acted_by, move, state)
    select :bucket, made.id, 1, :event_id::uuid, :now, 'citizen', :acted_by::uuid, 'submit', 'submitted'
    from made
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id, :type::text, :body::jsonb from made
)
select id from made;

-- name: case(bucket, id)^
-- record_class: CaseRow
select bucket, id, citizen_id, shop, app, variant, title, state, reference, form, progress,
       progress_at, result, submitted_at, due_on, responsible, callback_by, overdue_on, closed_at,
       supplements, tries, version, acted_by
from cases.case where bucket = :bucket and id = :id;

-- name: labels(bucket, id)$
select labels from cases.case where bucket = :bucket and id = :id;

-- name: mine(bucket, citizen_id, before, most, shops)
-- record_class: CaseRow
select bucket, id, citizen_id, shop, app, variant, title, state, reference, form, progress,
       progress_at, result, submitted_at, due_on, responsible, callback_by, overdue_on, closed_at,
       supplements, tries, version, acted_by
from cases.case
where bucket = :bucket and citizen_id = :citizen_id and state <> 'void'
  and (:shops::text[] is null or shop = any(:shops::text[]))
  and (:before::uuid is null or id < :before::uuid)
order by id desc limit :most;

-- name: events(bucket, case_id, most)
-- record_class: EventRow
select id, no, at, actor, move, state, said, acted_by from cases.event
where bucket = :bucket and case_id = :case_id
order by no desc limit :most;

-- name: move(bucket, id, sources, state, closes, reference, due_on, responsible, callback_by, overdue_on, progress, result, seq, now, next_at, actor, acted_by, move, said, event_id, type, body, finished_id, finished_type, finished_body)$
-- Every step of a case after its first: guarded by the state that it may start from, and noted,
-- answered and told in the same write.
with moved as (
    update cases.case c
    set state = :state, version = c.version + 1, tries = 0,
        reference = coalesce(:reference::text, c.reference),
        due_on = coalesce(:due_on::date, c.due_on),
        responsible = coalesce(:responsible::jsonb, c.responsible),
        callback_by = coalesce(:callback_by::timestamptz, c.callback_by),
        overdue_on = coalesce(:overdue_on::date, c.overdue_on),
        progress = coalesce(:progress::bytea, c.progress),
        progress_at = case when :progress::bytea is null then c.progress_at else :now::timestamptz end,
        result = coalesce(:result::bytea, c.result),
        closed_at = case when :closes::boolean then :now::timestamptz end,
        next_at = case when :closes::boolean then null else :next_at::timestamptz end
    where c.bucket = :bucket and c.id = :id and c.state = any(:sources::text[])
      and (:move <> 'overdue' or c.overdue_on is null)
    returning c.id, c.version
), noted as (
    insert into cases.event (bucket, case_id, no, id, at, actor, acted_by, move, state, said)
    select :bucket, moved.id, moved.version, :event_id::uuid, :now, :actor, :acted_by::uuid, :move::text, :state,
           :said::bytea
    from moved
), answered as (
    update cases.supplement s set answered_at = :now
    from moved
    where s.bucket = :bucket and s.case_id = moved.id and s.seq = :seq::smallint
      and s.answered_at is null
), freed as (
    -- The citizen mends the form and submits anew, with the papers that they have handed in.
    update cases.material m set case_id = null, code = null
    from moved where :state = 'void' and m.bucket = :bucket and m.case_id = moved.id
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id, :type::text, :body::jsonb from moved
    union all
    select :bucket, :finished_id::uuid, :finished_type::text, :finished_body::jsonb from moved
    where :state = 'finished'
)
select id from moved;

-- name: keep_progress(bucket, id, progress, due_on, responsible, now, next_at)!
-- What the shop said, where it moved nothing.
update cases.case
set progress = :progress, progress_at = :now, due_on = coalesce(:due_on::date, due_on),
    responsible = coalesce(:responsible::jsonb, responsible), tries = 0, next_at = :next_at
where bucket = :bucket and id = :id and next_at is not null;

-- name: add_supplement(bucket, id, supplement_id, citizen_id, acted_by, form, now, next_at, most, material_ids, codes, bytes_max, event_id, type, body)$
-- The intent to supplement: one at a time, and only while the case waits for the citizen.
with wanted as (
    select * from unnest(:material_ids::uuid[], :codes::text[]) as w (material_id, code)
), free as (
    select m.id, m.size, w.code from cases.material m join wanted w on w.material_id = m.id
    where m.bucket = :bucket and m.citizen_id = :citizen_id and m.case_id is null
    for update of m
), moved as (
    update cases.case c
    set state = 'running', version = c.version + 1, supplements = c.supplements + 1, tries = 0,
        next_at = :next_at::timestamptz
    where c.bucket = :bucket and c.id = :id and c.state = 'waiting_for_citizen'
      and c.supplements < :most::int
      and (select count(*) from free) = cardinality(:material_ids::uuid[])
      and (select coalesce(sum(size), 0) from free)
          + (select coalesce(sum(m.size), 0) from cases.material m
             where m.bucket = :bucket and m.case_id = :id) <= :bytes_max::bigint
    returning c.id, c.version, c.supplements
), made as (
    insert into cases.supplement (bucket, case_id, seq, id, form, brought_at)
    select :bucket, moved.id, moved.supplements, :supplement_id::uuid, :form::bytea, :now::timestamptz
    from moved
), attached as (
    update cases.material m set case_id = moved.id, code = free.code, seq = moved.supplements
    from free, moved where m.bucket = :bucket and m.id = free.id
), noted as (
    insert into cases.event (bucket, case_id, no, id, at, actor, acted_by, move, state)
    select :bucket, moved.id, moved.version, :event_id::uuid, :now, 'citizen', :acted_by::uuid, 'supplement',
           'running'
    from moved
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id, :type::text, :body::jsonb from moved
)
select supplements from moved;

-- name: supplement(bucket, case_id, id)^
-- record_class: SupplementRow
select seq, id, form, brought_at, answered_at from cases.supplement
where bucket = :bucket and case_id = :case_id and id = :id;

-- name: supplements(bucket, case_id)
-- record_class: SupplementRow
select seq, id, form, brought_at, answered_at from cases.supplement
where bucket = :bucket and case_id = :case_id order by seq;

-- name: open_supplement(bucket, case_id)^
-- record_class: SupplementRow
select seq, id, form, brought_at, answered_at from cases.supplement
where bucket = :bucket and case_id = :case_id and answered_at is null
order by seq limit 1;

-- name: due_cases(now, but, most)
-- record_class: DueCase
select bucket, id, shop from cases.case
where next_at <= :now and shop <> all(:but::text[]) order by next_at limit :most;

-- name: opened_since(bucket, citizen_id, since)$
-- Those that were sent back to be mended count too: each of them was kept.
select count(*) from cases.case
where bucket = :bucket and citizen_id = :citizen_id and submitted_at > :since;

-- name: claim(bucket, id, now, next_at)$
-- Of several processes that look at once one gets the case; if it fails, the next look is later.
update cases.case set next_at = :next_at, tries = tries + 1
where bucket = :bucket and id = :id and next_at <= :now
returning id;

-- name: look_soon(bucket, id, now)!
update cases.case set next_at = :now where bucket = :bucket and id = :id and next_at is not null;

-- name: put_desk(shop, id, app, state, reference, submitted_at, due_on, callback_by, overdue_on, closed_at, version, acted)!
insert into cases.desk_case as d (shop, id, app, state, reference, submitted_at, due_on, callback_by,
                                  overdue_on, closed_at, version, acted)
values (:shop, :id, :app, :state, :reference, :submitted_at, :due_on, :callback_by, :overdue_on,
        :closed_at, :version, :acted)
on conflict (shop, id) do update
set state = excluded.state, reference = excluded.reference, due_on = excluded.due_on,
    callback_by = excluded.callback_by, overdue_on = excluded.overdue_on,
    closed_at = excluded.closed_at, version = excluded.version
where d.version < excluded.version;

-- name: desk_cases(shop, wanted, overdue, before, most)
-- record_class: DeskCase
select shop, id, app, state, reference, submitted_at, due_on, callback_by, overdue_on, closed_at, acted
from cases.desk_case
where (:shop::text is null or shop = :shop::text) and state <> 'void'
  and (:wanted::text is null or state = :wanted::text)
  and (not :overdue::boolean or (overdue_on is not null and state = 'pending'))
  and (:before::uuid is null or id < :before::uuid)
order by id desc limit :most;

-- name: export_cases(bucket, citizen_id, after, most)
select id::text as key, id, shop, app, variant, title, state, reference, form, progress, result, submitted_at,
       due_on, closed_at
from cases.case
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: export_events(bucket, citizen_id, after, most)
select concat_ws('/', e.case_id, lpad(e.no::text, 9, '0')) as key, e.case_id, e.no, e.at, e.actor, e.move,
       e.state, e.said
from cases.case c join cases.event e on e.bucket = c.bucket and e.case_id = c.id
where c.bucket = :bucket and c.citizen_id = :citizen_id
  and (:after::text is null or concat_ws('/', e.case_id, lpad(e.no::text, 9, '0')) > :after::text)
order by 1 limit :most;

-- name: export_supplements(bucket, citizen_id, after, most)
select concat_ws('/', s.case_id, lpad(s.seq::text, 9, '0')) as key, s.case_id, s.seq, s.form, s.brought_at,
       s.answered_at
from cases.case c join cases.supplement s on s.bucket = c.bucket and s.case_id = c.id
where c.bucket = :bucket and c.citizen_id = :citizen_id
  and (:after::text is null or concat_ws('/', s.case_id, lpad(s.seq::text, 9, '0')) > :after::text)
order by 1 limit :most;

-- name: export_materials(bucket, citizen_id, after, most)
select id::text as key, id, case_id, code, seq, media, size, sha256, handed_at from cases.material
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: own_material(bucket, citizen_id, id)^
select media, body from cases.material
where bucket = :bucket and citizen_id = :citizen_id and id = :id;

-- name: open_cases(bucket, citizen_id, most)
select id from cases.case
where bucket = :bucket and citizen_id = :citizen_id and closed_at is null order by id limit :most;

-- name: erase(bucket, citizen_id)!
-- Papers that no case has. The others are the department's record.
delete from cases.material where bucket = :bucket and citizen_id = :citizen_id and case_id is null;
