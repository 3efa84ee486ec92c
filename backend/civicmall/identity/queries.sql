-- name: send_code(bucket, blind, hash, valid_s, tries, window_s, sends_max, day_sends_max)$
-- One code per phone at a time; window and day count how many were sent. Null: too many.
insert into identity.code as c (bucket, blind, hash, tries_left, expires_at, sent, window_start, day_sent)
values (:bucket, :blind, :hash, :tries, now() + make_interval(secs => :valid_s::float8), 1, now(), 1)
on conflict (bucket, blind) do update
set hash = excluded.hash, tries_left = excluded.tries_left, expires_at = excluded.expires_at,
    sent = case when c.window_start < now() - make_interval(secs => :window_s::float8)
                then 1 else c.sent + 1 end,
    window_start = case when c.window_start < now() - make_interval(secs => :window_s::float8)
                        then now() else c.window_start end,
    day = current_date,
    day_sent = case when c.day < current_date then 1 else c.day_sent + 1 end,
    day_wrong = case when c.day < current_date then 0 else c.day_wrong end
where (c.sent < :sends_max or c.window_start < now() - make_interval(secs => :window_s::float8))
  and (c.day_sent < :day_sends_max or c.day < current_date)
returning sent;

-- name: try_code(bucket, blind, hash, day_wrong_max)^
-- Spends a try before it tells, so a thousand guesses at once are still five.
update identity.code
set tries_left = case when hash = :hash then 0 else tries_left - 1 end,
    day_wrong = day_wrong + (hash <> :hash)::int
where bucket = :bucket and blind = :blind and tries_left > 0 and expires_at > now()
  and day_wrong < :day_wrong_max
returning hash = :hash as right, tries_left;

-- name: add_citizen(bucket, blind, id, phone)$
-- Whoever comes first makes the citizen; everybody gets the one that there is.
with claimed as (
    insert into identity.phone (bucket, blind, citizen_id) values (:bucket, :blind, :id)
    on conflict do nothing
    returning citizen_id
), made as (
    insert into identity.citizen (bucket, id, phone)
    select :bucket, citizen_id, :phone from claimed
), chain as (
    insert into identity.audit_head (bucket, citizen_id) select :bucket, citizen_id from claimed
    on conflict do nothing
)
select citizen_id from claimed
union all
select citizen_id from identity.phone where bucket = :bucket and blind = :blind
limit 1;

-- name: citizen(bucket, id)^
-- record_class: CitizenRow
-- With all that is said of them: few rows each, found by the beginning of their keys.
select c.id, c.level, c.phone, c.name, c.id_number, c.attested, c.declared, c.created_at, c.verified_at,
       coalesce(a.names, '{}') as names, coalesce(a.sources, '{}') as sources,
       coalesce(a.vals, '{}') as values, coalesce(a.as_ofs, '{}') as as_ofs,
       coalesce(a.told_ats, '{}') as told_ats,
       coalesce(e.events, '{}') as events, coalesce(e.told, '{}') as events_told,
       coalesce(d.disputed, '{}') as disputed, coalesce(d.ats, '{}') as disputed_ats,
       array(select o.name from identity.attribute_off o
             where o.bucket = :bucket and o.citizen_id = :id) as off,
       c.kind, c.uscc, c.seen_at
from identity.citizen c
cross join lateral (
    select array_agg(t.name) as names, array_agg(t.source) as sources, array_agg(t.value) as vals,
           array_agg(t.as_of) as as_ofs, array_agg(t.told_at) as told_ats
    from identity.attribute t where t.bucket = :bucket and t.citizen_id = :id) a
cross join lateral (
    select array_agg(l.event) as events, array_agg(l.told_at) as told
    from identity.life_event l where l.bucket = :bucket and l.citizen_id = :id) e
cross join lateral (
    select array_agg(s.name || '/' || s.source) as disputed, array_agg(s.disputed_at) as ats
    from identity.dispute s where s.bucket = :bucket and s.citizen_id = :id and s.verdict is null) d
where c.bucket = :bucket and c.id = :id;

-- name: open_session(bucket, id, owner, kind, device, hours, amr, place, seen, event_id, type, body)$
-- A citizen who was signed in before is told of a device that isn't known; the first is no news. Without
-- `seen` nobody can tell. Answers whether it is told.
with before as (
    select bool_or(coalesce(seen = :seen, :seen::bytea is null)) as known
    from identity.session where bucket = :bucket and owner = :owner
), made as (
    insert into identity.session (bucket, id, owner, kind, device, expires_at, amr, place, seen)
    values (:bucket, :id, :owner, :kind, :device, now() + make_interval(hours => :hours), :amr, :place, :seen)
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, :body::jsonb from before
    where not known and :kind::text = 'citizen'
    returning id
), head as (
    -- The line in the citizen's audit: how they signed in (ADR 0038).
    update identity.audit_head h
    set seq = h.seq + 1, prev = h.hash, hash = sha256(convert_to(identity.audit_line(
            h.citizen_id, h.seq + 1, now(), 'sign_in', '', :amr::text[], '', '', null, 0, h.hash), 'UTF8'))
    where h.bucket = :bucket and h.citizen_id = :owner and :kind::text = 'citizen'
    returning h.seq, h.prev, h.hash
), line as (
    insert into identity.audit
        (bucket, citizen_id, seq, kind, reader, claims, purpose, reason, again, prev, hash)
    select :bucket, :owner, seq, 'sign_in', '', :amr::text[], '', '', 0, prev, hash from head
)
select exists (select from told);

-- name: rotate(bucket, id, generation, idle_s)^
-- record_class: SessionRow
-- The generation in the token is the guard: of two that come with one token, one rotates. A session of
-- staff is over when it was left alone for too long.
update identity.session s
set generation = s.generation + 1, rotated_at = now()
where s.bucket = :bucket and s.id = :id and s.generation = :generation
  and s.revoked_at is null and s.expires_at > now()
  and (s.kind = 'citizen' or s.rotated_at > now() - make_interval(secs => :idle_s::float8))
returning s.owner, s.generation, false as just_rotated,
          (select c.level from identity.citizen c where c.bucket = s.bucket and c.id = s.owner) as level;

-- name: session(bucket, id, grace_s, idle_s)^
-- record_class: SessionRow
select s.owner, s.generation,
       s.rotated_at > now() - make_interval(secs => :grace_s::float8) as just_rotated,
       (select c.level from identity.citizen c where c.bucket = s.bucket and c.id = s.owner) as level
from identity.session s
where s.bucket = :bucket and s.id = :id and s.revoked_at is null and s.expires_at > now()
  and (s.kind = 'citizen' or s.rotated_at > now() - make_interval(secs => :idle_s::float8));

-- name: revoke(bucket, id, owner)$
-- Where an ended session came from is nobody's business any more. Clients that the citizen signed in
-- to from there are told; the session's id is the event's, for it ends once. A citizen finds a line.
with ended as (
    update identity.session set revoked_at = now(), place = null
    where bucket = :bucket and id = :id and owner = :owner and revoked_at is null
    returning id, owner, kind
), parted as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, e.id, 'identity.session_ended', jsonb_build_object(
        'citizen_id', e.owner, 'session_id', e.id, 'clients', g.clients, 'at', now())
    from ended e, lateral (
        select array_agg(distinct client_id) as clients from identity.grant_
        where bucket = :bucket and session_id = e.id
    ) g where g.clients is not null
), head as (
    update identity.audit_head h
    set seq = h.seq + 1, prev = h.hash, hash = sha256(convert_to(identity.audit_line(
            h.citizen_id, h.seq + 1, now(), 'sign_out', '', '{}'::text[], '', '', null, 0, h.hash), 'UTF8'))
    where h.bucket = :bucket and h.citizen_id = :owner and exists (select from ended e where e.kind = 'citizen')
    returning h.seq, h.prev, h.hash
), line as (
    insert into identity.audit
        (bucket, citizen_id, seq, kind, reader, claims, purpose, reason, again, prev, hash)
    select :bucket, :owner, seq, 'sign_out', '', '{}'::text[], '', '', 0, prev, hash from head
)
select id from ended;

-- name: revoke_copied(bucket, id, owner, event_id, type, body)$
-- The same because its refresh token was copied, which a citizen is told.
with ended as (
    update identity.session set revoked_at = now(), place = null
    where bucket = :bucket and id = :id and owner = :owner and revoked_at is null
    returning id, owner, kind
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, :body::jsonb from ended where kind = 'citizen'
), parted as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, e.id, 'identity.session_ended', jsonb_build_object(
        'citizen_id', e.owner, 'session_id', e.id, 'clients', g.clients, 'at', now())
    from ended e, lateral (
        select array_agg(distinct client_id) as clients from identity.grant_
        where bucket = :bucket and session_id = e.id
    ) g where g.clients is not null
), head as (
    update identity.audit_head h
    set seq = h.seq + 1, prev = h.hash, hash = sha256(convert_to(identity.audit_line(
            h.citizen_id, h.seq + 1, now(), 'copied', '', '{}'::text[], '', '', null, 0, h.hash), 'UTF8'))
    where h.bucket = :bucket and h.citizen_id = :owner and exists (select from ended e where e.kind = 'citizen')
    returning h.seq, h.prev, h.hash
), line as (
    insert into identity.audit
        (bucket, citizen_id, seq, kind, reader, claims, purpose, reason, again, prev, hash)
    select :bucket, :owner, seq, 'copied', '', '{}'::text[], '', '', 0, prev, hash from head
)
select id from ended;

-- name: revoke_others(bucket, owner, but)
with ended as (
    update identity.session set revoked_at = now(), place = null
    where bucket = :bucket and owner = :owner and id <> :but and revoked_at is null
    returning id, owner, kind
), parted as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, e.id, 'identity.session_ended', jsonb_build_object(
        'citizen_id', e.owner, 'session_id', e.id, 'clients', g.clients, 'at', now())
    from ended e, lateral (
        select array_agg(distinct client_id) as clients from identity.grant_
        where bucket = :bucket and session_id = e.id
    ) g where g.clients is not null
), head as (
    update identity.audit_head h
    set seq = h.seq + 1, prev = h.hash, hash = sha256(convert_to(identity.audit_line(
            h.citizen_id, h.seq + 1, now(), 'sign_out_others', '', '{}'::text[], '', '', null, 0, h.hash), 'UTF8'))
    where h.bucket = :bucket and h.citizen_id = :owner and exists (select from ended e where e.kind = 'citizen')
    returning h.seq, h.prev, h.hash
), line as (
    insert into identity.audit
        (bucket, citizen_id, seq, kind, reader, claims, purpose, reason, again, prev, hash)
    select :bucket, :owner, seq, 'sign_out_others', '', '{}'::text[], '', '', 0, prev, hash from head
)
select id from ended;

-- name: sessions(bucket, owner, most)
-- record_class: DeviceRow
select id, device, created_at, rotated_at as last_used_at, amr, place from identity.session
where bucket = :bucket and owner = :owner and revoked_at is null and expires_at > now()
order by id desc limit :most;

-- name: signed_in(bucket, id, recent_s)^
-- record_class: SignedIn
-- Who came by an account elsewhere may have been signed in there for weeks: that shows nothing new.
select owner, kind, created_at as at, amr,
       created_at > now() - make_interval(secs => :recent_s::float8) and not 'federated' = any(amr) as recent
from identity.session
where bucket = :bucket and id = :id and revoked_at is null and expires_at > now();

-- name: revoked_since(seconds)
select id from identity.session
where revoked_at > now() - make_interval(secs => :seconds::float8)
union all
select id from identity.delegation
where ended_at > now() - make_interval(secs => :seconds::float8)
union all
select id from identity.grant_
where revoked_at > now() - make_interval(secs => :seconds::float8);

-- name: keep_message(bucket, id, phone, body)!
insert into identity.sandbox_message (bucket, id, phone, body) values (:bucket, :id, :phone, :body);

-- name: messages(most)
-- The developer's page: few rows, and only where the sandbox's sender works.
select phone, body, sent_at from identity.sandbox_message order by sent_at desc limit :most;

-- name: forget(days)!
with codes as (
    delete from identity.code where expires_at < now() - interval '1 day'
), messages as (
    delete from identity.sandbox_message where sent_at < now() - interval '2 days'
)
delete from identity.session where expires_at < now() - make_interval(days => :days);

-- name: signing_keys()
-- record_class: SigningKeyRow
-- Those that still sign, will sign, or have signed what still holds.
select generation, made_at, signs_from, ends_at, rsa from identity.signing_key
where ends_at is null or ends_at > now() order by generation;

-- name: add_signing_key(generation, rsa, publish_s)!
insert into identity.signing_key (generation, signs_from, rsa)
values (:generation, now() + make_interval(secs => :publish_s::float8), :rsa)
on conflict do nothing;

-- name: end_signing_keys(before, overlap_s)!
-- An end that was nearer stays: a key that was given up at once doesn't come back.
update identity.signing_key k
set ends_at = least(k.ends_at, n.signs_from + make_interval(secs => :overlap_s::float8))
from identity.signing_key n
where n.generation = :before and k.generation < :before;

-- name: newest_signing_key_is_older(days)$
select coalesce(max(made_at) < now() - make_interval(days => :days), false) from identity.signing_key;

-- name: count_attempt(bucket, blind, most, window_s)$
-- Counts, and says in the same statement how many seconds to wait where it is full; null: go on.
-- The count stops one above the limit, so that a flood writes no more than it must.
insert into identity.attempt as a (bucket, blind, count, began_at) values (:bucket, :blind, 1, now())
on conflict (bucket, blind) do update
set count = case when a.began_at <= now() - make_interval(secs => :window_s::float8) then 1
                 else least(a.count + 1, :most::int + 1) end,
    began_at = case when a.began_at <= now() - make_interval(secs => :window_s::float8) then now()
                    else a.began_at end
returning case when a.count > :most::int
    then greatest(1, ceil(extract(epoch from a.began_at + make_interval(secs => :window_s::float8) - now())))::int end;

-- name: knows_device(bucket, blind, hash)$
select exists (
    select from identity.known_device where bucket = :bucket and blind = :blind and hash = :hash
);

-- name: know_device(bucket, blind, hash)!
insert into identity.known_device as k (bucket, blind, hash) values (:bucket, :blind, :hash)
on conflict (bucket, blind, hash) do update set last_at = now();

-- name: forget_attempts()!
with devices as (
    delete from identity.known_device where last_at < now() - interval '400 days'
), readings as (
    delete from identity.reading where expires_at < now() - interval '1 day'
), lookups as (
    delete from identity.lookup where asked_at < now() - interval '90 days'
)
delete from identity.attempt where began_at < now() - interval '1 day';
