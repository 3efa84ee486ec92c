-- name: send(bucket, citizen_id, id, kind, title, body, link)!
-- Whoever sends may send again: the key makes the second time nothing.
insert into inbox.message (bucket, citizen_id, id, kind, title, body, link)
values (:bucket, :citizen_id, :id, :kind, :title, :body, :link)
on conflict do nothing;

-- name: messages(bucket, citizen_id, unread_only, before, most)
-- record_class: MessageRow
-- By id, which begins with the time: the order in which things happened, not in which news came.
select id, kind, title, body, link, sent_at, read_at from inbox.message
where bucket = :bucket and citizen_id = :citizen_id
  and (not :unread_only::boolean or read_at is null)
  and (:before::uuid is null or id < :before::uuid)
order by id desc limit :most;

-- name: unread(bucket, citizen_id, most)$
select count(*) from (
    select from inbox.message
    where bucket = :bucket and citizen_id = :citizen_id and read_at is null
    limit :most
) waiting;

-- name: read(bucket, citizen_id, id, now)^
-- record_class: MessageRow
update inbox.message set read_at = coalesce(read_at, :now)
where bucket = :bucket and citizen_id = :citizen_id and id = :id
returning id, kind, title, body, link, sent_at, read_at;

-- name: read_all(bucket, citizen_id, now)$
with marked as (
    update inbox.message set read_at = :now
    where bucket = :bucket and citizen_id = :citizen_id and read_at is null
    returning id
)
select count(*) from marked;

-- name: forget(bucket, before, most)$
with gone as (
    delete from inbox.message
    where bucket = :bucket and (citizen_id, id) in (
        select citizen_id, id from inbox.message
        where bucket = :bucket and sent_at < :before
        limit :most
    )
    returning id
)
select count(*) from gone;

-- name: export_messages(bucket, citizen_id, after, most)
select id::text as key, id, kind, title, body, link, sent_at, read_at from inbox.message
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: erase(bucket, citizen_id)!
delete from inbox.message where bucket = :bucket and citizen_id = :citizen_id;
