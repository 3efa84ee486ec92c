-- name: object(bucket, citizen_id, seq, id, words, now, due_on, most, type, body)^
-- record_class: Kept
-- The objection and the news of it, whose id is the objection's, for it is told once. The same request
-- again finds its own.
with line as (
    select seq from identity.audit
    where bucket = :bucket and citizen_id = :citizen_id and seq = :seq and kind = 'read'
), there as (
    select id from identity.reading_objection
    where bucket = :bucket and citizen_id = :citizen_id and seq = :seq
), said as (
    insert into identity.reading_objection as o (bucket, citizen_id, seq, id, words, made_at, due_on)
    select :bucket::smallint, :citizen_id::uuid, line.seq, :id::uuid, :words::bytea,
           :now::timestamptz, :due_on::date
    from line
    where (select count(*) from identity.reading_objection
           where bucket = :bucket and citizen_id = :citizen_id and id <> :id
             and made_at > :now::timestamptz - interval '1 day') < :most::int
    on conflict (bucket, citizen_id, seq) do update set words = o.words where o.id = excluded.id
    returning id
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, id, :type::text, :body::jsonb from said
    on conflict do nothing
)
select exists (select from line) as there, exists (select from there where id <> :id) as taken,
       exists (select from said) as kept;

-- name: one(bucket, citizen_id, seq)^
-- record_class: ObjectionRow
select seq, words, made_at, due_on, answer, answered_at from identity.reading_objection
where bucket = :bucket and citizen_id = :citizen_id and seq = :seq;

-- name: mine(bucket, citizen_id, before, most)
-- record_class: ObjectionRow
select seq, words, made_at, due_on, answer, answered_at from identity.reading_objection
where bucket = :bucket and citizen_id = :citizen_id
  and (:before::bigint is null or seq < :before::bigint)
order by seq desc limit :most;

-- name: objected(bucket, citizen_id, seqs)
select seq from identity.reading_objection
where bucket = :bucket and citizen_id = :citizen_id and seq = any(:seqs::bigint[]);

-- name: feed(id, made_at, due_on)!
insert into identity.desk_reading_objection (id, made_at, due_on)
values (:id, :made_at, :due_on) on conflict do nothing;

-- name: feed_answer(id, made_at, due_on, answered_at)!
-- Also where the news of the objection itself comes later.
insert into identity.desk_reading_objection as d (id, made_at, due_on, answered_at)
values (:id, :made_at, :due_on, :answered_at)
on conflict (id) do update set answered_at = excluded.answered_at;

-- name: desk_open(after, most)
-- Oldest first: what is due first stands first.
select id from identity.desk_reading_objection
where answered_at is null and (:after::uuid is null or id > :after::uuid)
order by id limit :most;

-- name: desk_answered(before, most)
select id from identity.desk_reading_objection
where answered_at is not null and (:before::uuid is null or id < :before::uuid)
order by id desc limit :most;

-- name: desk_rows(buckets, ids)
-- record_class: DeskRow
select o.id, a.at as read_at, a.reader, s.role, s.shop, a.claims, a.purpose, a.reason, a.by, o.words,
       o.made_at, o.due_on, o.answer, o.answered_at
from identity.reading_objection o
join identity.audit a on a.bucket = o.bucket and a.citizen_id = o.citizen_id and a.seq = o.seq
left join identity.staff s on a.reader = 'staff:' || s.id
where o.bucket = any(:buckets::smallint[]) and o.id = any(:ids::uuid[]);

-- name: standing(bucket, id)^
-- record_class: Standing
select o.citizen_id, o.seq, a.reader, a.by, o.answered_at is not null as answered
from identity.reading_objection o
join identity.audit a on a.bucket = o.bucket and a.citizen_id = o.citizen_id and a.seq = o.seq
where o.bucket = :bucket and o.id = :id;

-- name: answer(bucket, id, answer, staff_id, now, event_id, type)$
-- Once. The citizen is told that there is an answer, not what it says.
with answered as (
    update identity.reading_objection
    set answer = :answer, answered_by = :staff_id, answered_at = :now
    where bucket = :bucket and id = :id and answered_at is null
    returning id, citizen_id, made_at, due_on
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, jsonb_build_object(
        'citizen_id', citizen_id, 'objection', id, 'made_at', made_at, 'due_on', due_on,
        'at', :now::timestamptz)
    from answered
)
select id from answered;

-- name: erase(bucket, citizen_id)
delete from identity.reading_objection where bucket = :bucket and citizen_id = :citizen_id
returning id;

-- name: erase_desk(ids)!
delete from identity.desk_reading_objection where id = any(:ids::uuid[]);

-- name: forget(days)!
delete from identity.reading_objection where answered_at < now() - make_interval(days => :days::int);

-- name: forget_desk(days)!
delete from identity.desk_reading_objection
where answered_at < now() - make_interval(days => :days::int);
