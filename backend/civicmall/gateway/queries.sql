-- name: note_call(bucket, citizen_id, day, shop, app, id, operation)$
insert into gateway.call (bucket, citizen_id, day, shop, app, id, operation)
values (:bucket, :citizen_id, :day, :shop, :app, :id, :operation)
on conflict (bucket, citizen_id, day, shop, app) do update
set finished_at = now(), operation = excluded.operation
returning id;

-- name: call(bucket, id, citizen_id)^
-- record_class: FinishedCall
select id, shop, app, operation, finished_at from gateway.call
where bucket = :bucket and id = :id and citizen_id = :citizen_id;

-- name: forget_calls(days)!
delete from gateway.call where day < current_date - :days::int;

-- name: take_nonce(bucket, keyid, nonce, until)$
-- True for whoever comes first, in whatever process.
insert into gateway.nonce (bucket, keyid, nonce, until)
values (:bucket, :keyid, :nonce, to_timestamp(:until::bigint))
on conflict do nothing
returning true;

-- name: forget_nonces()!
delete from gateway.nonce where until < now();

-- name: keep_sub(bucket, shop, sub, citizen_id)!
insert into gateway.sub (bucket, shop, sub, citizen_id) values (:bucket, :shop, :sub, :citizen_id)
on conflict do nothing;

-- name: behind_sub(bucket, shop, sub)$
select citizen_id from gateway.sub where bucket = :bucket and shop = :shop and sub = :sub;

-- name: forget_sub(bucket, shop, sub)!
delete from gateway.sub where bucket = :bucket and shop = :shop and sub = :sub;

-- name: export_calls(bucket, citizen_id, after, most)
select id::text as key, id, day, shop, app, operation, finished_at from gateway.call
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: erase(bucket, citizen_id)!
delete from gateway.call where bucket = :bucket and citizen_id = :citizen_id;
