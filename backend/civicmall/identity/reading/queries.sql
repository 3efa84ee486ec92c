-- name: open_record(bucket, citizen_id, staff_id, matter, reason, words, valid_s)$
insert into identity.reading (bucket, citizen_id, staff_id, matter, reason, words, expires_at)
values (:bucket, :citizen_id, :staff_id, :matter, :reason, :words, now() + make_interval(secs => :valid_s::float8))
on conflict (bucket, citizen_id, staff_id, matter) do update
set reason = excluded.reason, words = excluded.words, opened_at = now(), expires_at = excluded.expires_at
returning expires_at;

-- name: is_open(bucket, citizen_id, staff_id, matter)$
select expires_at from identity.reading
where bucket = :bucket and citizen_id = :citizen_id and staff_id = :staff_id and matter = :matter
  and expires_at > now();

-- name: ask_lookup(bucket, id, kind, blind, masked, reason, words, asked_by, asked_name, valid_s)!
insert into identity.lookup (bucket, id, kind, blind, masked, reason, words, asked_by, asked_name, expires_at)
values (:bucket, :id, :kind, :blind, :masked, :reason, :words, :asked_by, :asked_name,
        now() + make_interval(secs => :valid_s::float8));

-- name: lookup(bucket, id)^
-- record_class: LookupRow
select id, kind, blind, masked, reason, words, asked_by, asked_name, asked_at, expires_at, decided_name,
       decided_at, state, expires_at <= now() as over
from identity.lookup where bucket = :bucket and id = :id;

-- name: lookups(before_at, before_id, most)
-- record_class: LookupRow
-- Of all buckets: operators' own requests, some dozens in the time that they are kept.
select id, kind, blind, masked, reason, words, asked_by, asked_name, asked_at, expires_at, decided_name,
       decided_at, state, expires_at <= now() as over
from identity.lookup
where :before_at::timestamptz is null or (asked_at, id) < (:before_at::timestamptz, :before_id::uuid)
order by asked_at desc, id desc limit :most;

-- name: decide_lookup(bucket, id, state, who, name, valid_s)$
-- Whoever asked doesn't approve; from the approval on there is a quarter of an hour.
update identity.lookup
set state = :state, decided_by = :who, decided_name = :name, decided_at = now(),
    expires_at = case when :state = 'approved' then now() + make_interval(secs => :valid_s::float8)
                      else expires_at end
where bucket = :bucket and id = :id and state = 'asked' and expires_at > now()
  and (:state = 'declined' or asked_by <> :who)
returning id;

-- name: by_phone(bucket, blind)$
select citizen_id from identity.phone where bucket = :bucket and blind = :blind;

-- name: by_number(bucket, blind)$
select citizen_id from identity.id_number where bucket = :bucket and blind = :blind;
