-- name: due_buckets(most)
-- Cheap look over all shards; the locking below then stays within one bucket.
select distinct bucket from kernel.outbox where next_at <= now() and not dead limit :most;

-- name: lease(bucket, most, lease_s)
-- record_class: Delivery
-- A lease instead of a held lock: handlers may wait for somebody else's network.
with due as (
    select id from kernel.outbox
    where bucket = :bucket and next_at <= now() and not dead
    order by id limit :most
    for update skip locked
)
update kernel.outbox o
set next_at = now() + make_interval(secs => :lease_s::float8), attempts = attempts + 1
from due where o.bucket = :bucket and o.id = due.id
returning o.bucket, o.id, o.type, o.body, o.created_at, o.attempts;

-- name: done(bucket, ids)!
delete from kernel.outbox where bucket = :bucket and id = any(:ids::uuid[]);

-- name: failed(bucket, id, error, wait_s, dead)!
update kernel.outbox
set error = :error, dead = :dead, next_at = now() + make_interval(secs => :wait_s::float8)
where bucket = :bucket and id = :id;

-- name: publish(bucket, id, type, body)!
-- For verbs whose own statement does not write the outbox row.
insert into kernel.outbox (bucket, id, type, body) values (:bucket, :id, :type, :body)
on conflict do nothing;

-- name: outbox_counts()^
-- record_class: OutboxCounts
select count(*) filter (where not dead) as waiting, count(*) filter (where dead) as dead from kernel.outbox;

-- name: dead(shop, before, most)
-- record_class: DeadLetter
-- Newest first, over all buckets: there should be none, and the index holds only these.
select bucket, id, type, body ->> 'shop' as shop, created_at, attempts, coalesce(error, '') as error
from kernel.outbox
where dead and (:shop::text is null or body ->> 'shop' = :shop) and (:before::uuid is null or id < :before)
order by id desc limit :most;

-- name: replay(bucket, id)$
-- As if it had just been written: all tries anew.
update kernel.outbox set dead = false, attempts = 0, next_at = now()
where bucket = :bucket and id = :id and dead
returning true;

-- name: claim_key(bucket, owner, scope, key, request_hash, resource_id, lease_s)$
-- The first to come owns the key; after a crash, whoever comes once the lease has run out.
insert into kernel.idempotency as i (bucket, owner, scope, key, request_hash, resource_id, locked_until)
values (:bucket, :owner, :scope, :key, :request_hash, :resource_id,
        now() + make_interval(secs => :lease_s::float8))
on conflict (bucket, owner, scope, key) do update
set locked_until = excluded.locked_until
where i.answer is null and i.locked_until < now() and i.request_hash = excluded.request_hash
returning resource_id;

-- name: key_row(bucket, owner, scope, key)^
-- record_class: KeyRow
select request_hash, answer from kernel.idempotency
where bucket = :bucket and owner = :owner and scope = :scope and key = :key;

-- name: answer_key(bucket, owner, scope, key, answer)!
update kernel.idempotency set answer = :answer
where bucket = :bucket and owner = :owner and scope = :scope and key = :key;

-- name: release_key(bucket, owner, scope, key)!
-- A refusal is not a result: the same key may be tried again.
delete from kernel.idempotency
where bucket = :bucket and owner = :owner and scope = :scope and key = :key and answer is null;

-- name: forget_keys(bucket, keep_s)!
delete from kernel.idempotency
where bucket = :bucket and created_at < now() - make_interval(secs => :keep_s::float8);

-- name: keep_mode(sandbox)$
-- The first start decides; every later one gets what was decided.
with made as (
    insert into kernel.city (sandbox) values (:sandbox) on conflict do nothing returning sandbox
)
select sandbox from made union all select sandbox from kernel.city limit 1;

-- name: erase_keys(bucket, owner)!
delete from kernel.idempotency where bucket = :bucket and owner = :owner;
