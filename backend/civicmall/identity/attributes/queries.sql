-- name: declare(bucket, citizen_id, before, names, values, as_ofs, told_ats, forgotten)$
-- What was declared before facts had dates moves here with it. `before` is that piece as it was read:
-- of two that would move it at once, one is asked to read again.
with mine as (
    select id, declared from identity.citizen
    where bucket = :bucket and id = :citizen_id and declared is not distinct from :before::bytea
    for update
), moved as (
    update identity.citizen c set declared = null from mine
    where c.bucket = :bucket and c.id = mine.id and mine.declared is not null
), gone as (
    delete from identity.attribute a using mine
    where a.bucket = :bucket and a.citizen_id = mine.id and a.source = 'self'
      and a.name = any(:forgotten::text[])
), told as (
    insert into identity.attribute as a (bucket, citizen_id, name, source, value, as_of, told_at)
    select :bucket, mine.id, t.name, 'self', t.value, t.as_of, t.told_at
    from mine, unnest(:names::text[], :values::bytea[], :as_ofs::date[], :told_ats::timestamptz[])
        as t (name, value, as_of, told_at)
    on conflict (bucket, citizen_id, name, source) do update
    set value = excluded.value, as_of = excluded.as_of, told_at = excluded.told_at
    where a.told_at <= excluded.told_at
)
select true from mine;

-- name: attested(bucket, citizen_id, name, source)^
-- record_class: AttestedRow
select value, as_of from identity.attribute
where bucket = :bucket and citizen_id = :citizen_id and name = :name and source = :source;

-- name: attest(bucket, citizen_id, name, source, value, as_of, now, event_id, type, body)$
-- A day before the one that is here changes nothing, so news may come twice and in any order; nor does
-- one up to the day that the source's desk withdrew. Whoever objected has an answer with it. Null: nothing
-- changed.
with told as (
    insert into identity.attribute as a (bucket, citizen_id, name, source, value, as_of, told_at)
    select :bucket::smallint, c.id, :name::text, :source::text, :value::bytea, :as_of::date,
           :now::timestamptz
    from identity.citizen c
    where c.bucket = :bucket and c.id = :citizen_id
      and not exists (select from identity.deletion d
                      where d.bucket = :bucket and d.citizen_id = :citizen_id)
      and not exists (select from identity.dispute w
                      where w.bucket = :bucket and w.citizen_id = :citizen_id and w.name = :name
                        and w.source = :source and w.withdrawn_as_of >= :as_of)
    on conflict (bucket, citizen_id, name, source) do update
    set value = excluded.value, as_of = excluded.as_of, told_at = excluded.told_at
    where a.as_of <= excluded.as_of
    returning name
), answered as (
    delete from identity.dispute d using told
    where d.bucket = :bucket and d.citizen_id = :citizen_id and d.name = told.name
      and d.source = :source
    returning d.id, d.verdict
), news as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, :body::jsonb || jsonb_build_object('dispute_id', id)
    from answered where verdict is null and id is not null
)
select true from told;

-- name: unattest(bucket, citizen_id, name, source, as_of, event_id, type, body)$
with gone as (
    delete from identity.attribute
    where bucket = :bucket and citizen_id = :citizen_id and name = :name and source = :source
      and as_of <= :as_of
    returning name
), answered as (
    delete from identity.dispute d using gone
    where d.bucket = :bucket and d.citizen_id = :citizen_id and d.name = gone.name
      and d.source = :source
    returning d.id, d.verdict
), news as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, :body::jsonb || jsonb_build_object('dispute_id', id)
    from answered where verdict is null and id is not null
)
select true from gone;

-- name: switch_off(bucket, citizen_id, name)$
-- Null: it was so already.
insert into identity.attribute_off (bucket, citizen_id, name)
select :bucket::smallint, c.id, :name::text from identity.citizen c
where c.bucket = :bucket and c.id = :citizen_id
on conflict do nothing
returning true;

-- name: switch_on(bucket, citizen_id, name)$
delete from identity.attribute_off where bucket = :bucket and citizen_id = :citizen_id and name = :name
returning true;

-- name: dispute(bucket, citizen_id, name, source, words, now, event_id, type, body)$
-- The objection and the news of it. Objecting again changes the words, and tells again; after an answer
-- it is a new one.
with said as (
    insert into identity.dispute as d (bucket, citizen_id, name, source, words, disputed_at, id)
    select :bucket::smallint, :citizen_id::uuid, :name::text, :source::text, :words::bytea,
           :now::timestamptz, :event_id::uuid
    where :source = 'register' or exists (
        select from identity.attribute a
        where a.bucket = :bucket and a.citizen_id = :citizen_id and a.name = :name
          and a.source = :source)
    on conflict (bucket, citizen_id, name, source) do update
    set words = excluded.words,
        id = case when d.verdict is null then coalesce(d.id, excluded.id) else excluded.id end,
        disputed_at = case when d.verdict is null then d.disputed_at else excluded.disputed_at end,
        verdict = null, answer = null, answered_by = null, answered_at = null, withdrawn_as_of = null
    returning id
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, :body::jsonb || jsonb_build_object('dispute_id', id)
    from said
)
select true from said;

-- name: take_back_dispute(bucket, citizen_id, name, source, event_id, type, body)$
with gone as (
    delete from identity.dispute
    where bucket = :bucket and citizen_id = :citizen_id and name = :name and source = :source
      and verdict is null
    returning id
), news as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, :body::jsonb || jsonb_build_object('dispute_id', id)
    from gone where id is not null
)
select true from gone;

-- name: objection(bucket, citizen_id, name, source)^
-- record_class: DisputeRow
select words, disputed_at from identity.dispute
where bucket = :bucket and citizen_id = :citizen_id and name = :name and source = :source
  and verdict is null;

-- name: dispute_by_id(bucket, id)^
-- record_class: OwnDispute
select id, citizen_id, name, source, words, disputed_at, verdict, answer, answered_at
from identity.dispute where bucket = :bucket and id = :id;

-- name: answered_disputes(bucket, citizen_id)
-- record_class: OwnDispute
select id, citizen_id, name, source, words, disputed_at, verdict, answer, answered_at
from identity.dispute
where bucket = :bucket and citizen_id = :citizen_id and verdict is not null
order by answered_at desc;

-- name: answer_dispute(bucket, id, verdict, answer, who, now, event_id, type, body)$
-- Answered once. What is withdrawn goes in the same statement, with the day up to which it was so.
with told as (
    update identity.dispute d
    set verdict = :verdict, answer = :answer::bytea, answered_by = :who::uuid, answered_at = :now,
        withdrawn_as_of = case when :verdict = 'withdrawn' then (
            select a.as_of from identity.attribute a
            where a.bucket = d.bucket and a.citizen_id = d.citizen_id and a.name = d.name
              and a.source = d.source) end
    where d.bucket = :bucket and d.id = :id and d.verdict is null
    returning d.citizen_id, d.name, d.source
), gone as (
    delete from identity.attribute a using told
    where :verdict::text = 'withdrawn' and a.bucket = :bucket and a.citizen_id = told.citizen_id
      and a.name = told.name and a.source = told.source
), news as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, :body::jsonb from told
)
select true from told;

-- name: feed_dispute(shop, id, name, disputed_at)!
insert into identity.desk_dispute (shop, id, name, disputed_at)
values (:shop, :id, :name, :disputed_at) on conflict do nothing;

-- name: close_desk_dispute(shop, id, name, outcome, at)!
-- News may come in any order: one that is over before the desk heard of it is there as closed.
insert into identity.desk_dispute as d (shop, id, name, disputed_at, outcome, closed_at)
values (:shop, :id, :name, :at, :outcome, :at)
on conflict (shop, id) do update set outcome = excluded.outcome, closed_at = excluded.closed_at
where d.outcome is null;

-- name: desk_disputes(shop, waiting, before, most)
-- record_class: DeskDispute
select shop, id, name, disputed_at, outcome, closed_at from identity.desk_dispute
where (:shop::text is null or shop = :shop) and (not :waiting::boolean or outcome is null) and (:before::uuid is null or id < :before::uuid)
order by id desc limit :most;

-- name: forget_disputes(days)!
delete from identity.desk_dispute where disputed_at < now() - make_interval(days => :days);

-- name: events(bucket, citizen_id)
-- record_class: EventRow
select id, event, told_at from identity.life_event
where bucket = :bucket and citizen_id = :citizen_id order by id limit 200;

-- name: add_event(bucket, citizen_id, id, event, now, events_max)$
insert into identity.life_event (bucket, citizen_id, id, event, told_at)
select :bucket::smallint, c.id, :id::uuid, :event::bytea, :now::timestamptz
from identity.citizen c
where c.bucket = :bucket and c.id = :citizen_id
  and (select count(*) from identity.life_event l
       where l.bucket = :bucket and l.citizen_id = :citizen_id and l.id <> :id::uuid)
      < :events_max::int
on conflict (bucket, citizen_id, id) do update set event = excluded.event
returning told_at;

-- name: change_event(bucket, citizen_id, id, event, now)$
update identity.life_event set event = :event, told_at = :now
where bucket = :bucket and citizen_id = :citizen_id and id = :id
returning told_at;

-- name: remove_event(bucket, citizen_id, id)$
delete from identity.life_event where bucket = :bucket and citizen_id = :citizen_id and id = :id
returning true;

-- name: begin_deletion(bucket, citizen_id, blind, kept, now)$
-- From here on the phone is nobody's: whoever has it may begin anew, and no device is one of theirs. No passkey and no account elsewhere
-- leads back in, whatever becomes of the process. Null: it had begun already.
with begun as (
    insert into identity.deletion (bucket, citizen_id, asked_at, kept)
    select :bucket::smallint, c.id, :now::timestamptz, :kept::jsonb from identity.citizen c
    where c.bucket = :bucket and c.id = :citizen_id
    on conflict do nothing
    returning citizen_id
), freed as (
    delete from identity.phone p using begun
    where p.bucket = :bucket and p.blind = :blind::bytea and p.citizen_id = begun.citizen_id
), known as (
    delete from identity.known_device k using begun
    where k.bucket = :bucket and k.blind = :blind::bytea
), keys as (
    update identity.passkey k set set_aside_at = :now from begun
    where k.bucket = :bucket and k.owner = begun.citizen_id and k.set_aside_at is null
), links as (
    update identity.upstream_link l set ended_at = :now from begun
    where l.bucket = :bucket and l.citizen_id = begun.citizen_id and l.ended_at is null
)
select true from begun;

-- name: deletion(bucket, citizen_id)^
-- record_class: DeletionRow
select citizen_id, asked_at, rooms, erased_at from identity.deletion
where bucket = :bucket and citizen_id = :citizen_id;

-- name: unfinished(begun_s, most)
-- record_class: DeletionRow
select citizen_id, asked_at, rooms, erased_at from identity.deletion
where erased_at is null and asked_at <= now() - make_interval(secs => :begun_s::float8)
order by asked_at limit :most;

-- name: room_erased(bucket, citizen_id, room)!
update identity.deletion set rooms = array_append(rooms, :room)
where bucket = :bucket and citizen_id = :citizen_id and not :room = any(rooms);

-- name: deletion_done(bucket, citizen_id, now)$
update identity.deletion set erased_at = :now
where bucket = :bucket and citizen_id = :citizen_id and erased_at is null
returning true;
