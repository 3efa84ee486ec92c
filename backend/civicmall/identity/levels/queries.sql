-- name: try_again(bucket, blind, most)$
-- Counts before it tells, so that a thousand at once are no more than one after the other. Null: too many.
insert into identity.tries as t (bucket, blind, day, tries)
values (:bucket, :blind, current_date, 1)
on conflict (bucket, blind, day) do update set tries = t.tries + 1
where t.tries < :most
returning tries;

-- name: give_back(bucket, blind)!
update identity.tries set tries = tries - 1
where bucket = :bucket and blind = :blind and day = current_date and tries > 0;

-- name: holder(bucket, blind)$
select citizen_id from identity.id_number where bucket = :bucket and blind = :blind;

-- name: take_number(bucket, blind, id)$
-- The holder of an ID number: whoever verified with it first.
with claimed as (
    insert into identity.id_number (bucket, blind, citizen_id) values (:bucket, :blind, :id)
    on conflict do nothing
    returning citizen_id
)
select citizen_id from claimed
union all
select citizen_id from identity.id_number where bucket = :bucket and blind = :blind
limit 1;

-- name: release_number(bucket, blind, id)!
delete from identity.id_number where bucket = :bucket and blind = :blind and citizen_id = :id;

-- name: raise_to_name(bucket, id, name, id_number, attested, event_id, type, body, way)$
with raised as (
    update identity.citizen
    set level = greatest(level, 2), name = :name, id_number = :id_number, attested = :attested,
        verified_at = now()
    where bucket = :bucket and id = :id and level < 2
    returning level
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, :body::jsonb from raised
), head as (
    update identity.audit_head h
    set seq = h.seq + 1, prev = h.hash, hash = sha256(convert_to(identity.audit_line(
            h.citizen_id, h.seq + 1, now(), 'level', '', array['level_2', :way::text], '', '', null, 0, h.hash), 'UTF8'))
    where h.bucket = :bucket and h.citizen_id = :id and exists (select from raised)
    returning h.seq, h.prev, h.hash
), line as (
    insert into identity.audit
        (bucket, citizen_id, seq, kind, reader, claims, purpose, reason, again, prev, hash)
    select :bucket, :id, seq, 'level', '', array['level_2', :way::text], '', '', 0, prev, hash from head
)
select level from raised;

-- name: begin_face(bucket, id, citizen_id, blind, ticket, seconds)$
insert into identity.face_check (bucket, id, citizen_id, blind, ticket, expires_at)
values (:bucket, :id, :citizen_id, :blind, :ticket, now() + make_interval(secs => :seconds::float8))
returning expires_at;

-- name: open_face(bucket, id, citizen_id)^
-- record_class: FaceCheckRow
select blind, ticket from identity.face_check
where bucket = :bucket and id = :id and citizen_id = :citizen_id and state = 'open'
  and expires_at > now();

-- name: fail_face(bucket, id, citizen_id)$
update identity.face_check set state = 'failed', ended_at = now()
where bucket = :bucket and id = :id and citizen_id = :citizen_id and state = 'open'
returning true;

-- name: raise_by_face(bucket, id, citizen_id, event_id, type, body, way)$
-- A result is used once; level, check and news in one.
with ended as (
    update identity.face_check set state = 'passed', ended_at = now()
    where bucket = :bucket and id = :id and citizen_id = :citizen_id and state = 'open'
      and expires_at > now()
    returning bucket, citizen_id
), raised as (
    update identity.citizen c set level = 3, seen_at = now()
    from ended e where c.bucket = e.bucket and c.id = e.citizen_id and c.level >= 2
    returning c.level
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, :body::jsonb from raised
), head as (
    update identity.audit_head h
    set seq = h.seq + 1, prev = h.hash, hash = sha256(convert_to(identity.audit_line(
            h.citizen_id, h.seq + 1, now(), 'level', '', array['level_3', :way::text], '', '', null, 0, h.hash), 'UTF8'))
    where h.bucket = :bucket and h.citizen_id = :citizen_id and exists (select from raised)
    returning h.seq, h.prev, h.hash
), line as (
    insert into identity.audit
        (bucket, citizen_id, seq, kind, reader, claims, purpose, reason, again, prev, hash)
    select :bucket, :citizen_id, seq, 'level', '', array['level_3', :way::text], '', '', 0, prev, hash from head
)
select level from raised;

-- name: show_code(bucket, citizen_id, hash, tries, seconds)!
insert into identity.counter_code (bucket, citizen_id, hash, tries_left, expires_at)
values (:bucket, :citizen_id, :hash, :tries, now() + make_interval(secs => :seconds::float8))
on conflict (bucket, citizen_id) do update
set hash = excluded.hash, tries_left = excluded.tries_left, expires_at = excluded.expires_at;

-- name: raise_at_counter(bucket, citizen_id, hash, event_id, type, body, way)$
-- Spends a try before it tells; the right code works once. True: raised.
with tried as (
    update identity.counter_code
    set tries_left = case when hash = :hash then 0 else tries_left - 1 end
    where bucket = :bucket and citizen_id = :citizen_id and tries_left > 0 and expires_at > now()
    returning hash = :hash as right
), raised as (
    update identity.citizen c set level = 3, seen_at = now()
    from tried t where t.right and c.bucket = :bucket and c.id = :citizen_id and c.level >= 2
    returning c.level
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, :body::jsonb from raised
), head as (
    update identity.audit_head h
    set seq = h.seq + 1, prev = h.hash, hash = sha256(convert_to(identity.audit_line(
            h.citizen_id, h.seq + 1, now(), 'level', '', array['level_3', :way::text], '', '', null, 0, h.hash), 'UTF8'))
    where h.bucket = :bucket and h.citizen_id = :citizen_id and exists (select from raised)
    returning h.seq, h.prev, h.hash
), line as (
    insert into identity.audit
        (bucket, citizen_id, seq, kind, reader, claims, purpose, reason, again, prev, hash)
    select :bucket, :citizen_id, seq, 'level', '', array['level_3', :way::text], '', '', 0, prev, hash from head
)
select exists (select from raised);

-- name: keep_face(bucket, id, number)!
insert into identity.sandbox_face (bucket, id, number) values (:bucket, :id, :number);

-- name: choose_face(bucket, id, state)$
update identity.sandbox_face set state = :state
where bucket = :bucket and id = :id and state = 'waiting'
returning true;

-- name: sandbox_face(bucket, id)^
select number, state from identity.sandbox_face where bucket = :bucket and id = :id;

-- name: forget(days)!
with tries as (
    delete from identity.tries where day < current_date - :days::int
), spent as (
    delete from identity.spent where expires_at < now()
), faces as (
    delete from identity.face_check where expires_at < now() - make_interval(days => :days)
), codes as (
    delete from identity.counter_code where expires_at < now() - make_interval(days => :days)
)
delete from identity.sandbox_face where began_at < now() - make_interval(days => :days);
