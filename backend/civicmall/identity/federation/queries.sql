-- name: spend(bucket, hash, seconds)$
-- Of two that come with the same, one goes on.
insert into identity.spent (bucket, hash, expires_at)
values (:bucket, :hash, now() + make_interval(secs => :seconds::float8))
on conflict do nothing
returning true;

-- name: subject(bucket, blind)$
select citizen_id from identity.upstream_subject where bucket = :bucket and blind = :blind;

-- name: take_subject(bucket, blind, citizen_id)$
-- Whoever was connected first keeps it until they let it go.
with claimed as (
    insert into identity.upstream_subject (bucket, blind, citizen_id)
    values (:bucket, :blind, :citizen_id)
    on conflict do nothing
    returning citizen_id
)
select citizen_id from claimed
union all
select citizen_id from identity.upstream_subject where bucket = :bucket and blind = :blind
limit 1;

-- name: let_subject_go(bucket, blind, citizen_id)!
delete from identity.upstream_subject
where bucket = :bucket and blind = :blind and citizen_id = :citizen_id;

-- name: use_link(bucket, citizen_id, blind)$
update identity.upstream_link set used_at = now()
where bucket = :bucket and citizen_id = :citizen_id and blind = :blind and ended_at is null
returning true;

-- name: add_link(bucket, citizen_id, blind, id, issuer, agreed, most, event_id, type, body)^
-- record_class: UpstreamLink
-- One that was taken away comes back only where the citizen agrees. Told of when it is new.
with added as (
    insert into identity.upstream_link as l (bucket, citizen_id, blind, id, issuer)
    select :bucket, :citizen_id, :blind, :id, :issuer
    where (select count(*) from identity.upstream_link o
           where o.bucket = :bucket and o.citizen_id = :citizen_id and o.blind <> :blind
             and o.ended_at is null) < :most
    on conflict (bucket, citizen_id, blind) do update
    set ended_at = null, used_at = now(),
        id = case when l.ended_at is null then l.id else excluded.id end,
        linked_at = case when l.ended_at is null then l.linked_at else now() end
    where l.ended_at is null or :agreed::boolean
    returning l.id, l.issuer, l.linked_at, l.used_at
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, :body::jsonb from added where added.id = :id
)
select id, issuer, linked_at, used_at from added;

-- name: was_ended(bucket, citizen_id, blind)$
select exists (
    select from identity.upstream_link
    where bucket = :bucket and citizen_id = :citizen_id and blind = :blind and ended_at is not null
);

-- name: links(bucket, citizen_id)
-- record_class: UpstreamLink
select id, issuer, linked_at, used_at from identity.upstream_link
where bucket = :bucket and citizen_id = :citizen_id and ended_at is null
order by id desc limit 50;

-- name: end_link(bucket, citizen_id, id)^
update identity.upstream_link set ended_at = now()
where bucket = :bucket and citizen_id = :citizen_id and id = :id and ended_at is null
returning blind, issuer;
