-- name: hold(bucket, holder, id)!
-- The id in the bucket of who is to act. Without the delegation itself it means nothing.
insert into identity.delegation_held (bucket, holder, id) values (:bucket, :holder, :id)
on conflict do nothing;

-- name: hold_few(bucket, holder, id, most)$
-- The same for one who asks others: not more than so many a day. Null: too many.
insert into identity.delegation_held (bucket, holder, id)
select :bucket::smallint, :holder::bytea, :id::uuid
where (select count(*) from identity.delegation_held
       where bucket = :bucket and holder = :holder and id <> :id
         and created_at > now() - interval '1 day') < :most::int
on conflict (bucket, holder, id) do update set created_at = identity.delegation_held.created_at
returning id;

-- name: held(bucket, holders, most)
select id from identity.delegation_held
where bucket = :bucket and holder = any(:holders::bytea[])
order by id desc limit :most;

-- name: invite(bucket, id, kind, principal, agent, invited, principal_name, agent_name, may, shops, valid_until, granted_by, answer_by, now, most)$
-- Null: too many of one giver in a day.
insert into identity.delegation (bucket, id, kind, principal, agent, invited, principal_name, agent_name, may,
                                 shops, valid_until, granted_by, state, created_at, answer_by)
select :bucket::smallint, :id::uuid, :kind, :principal::uuid, :agent::uuid, :invited::bytea,
       :principal_name::bytea, :agent_name::bytea, :may::text[], :shops::text[], :valid_until::timestamptz,
       :granted_by::uuid, 'invited', :now::timestamptz, :answer_by::timestamptz
where (select count(*) from identity.delegation
       where bucket = :bucket and principal = :principal and granted_by = :granted_by and id <> :id
         and created_at > :now::timestamptz - interval '1 day') < :most::int
on conflict (bucket, id) do update set answer_by = identity.delegation.answer_by
returning id;

-- name: proved(bucket, id, kind, principal, agent, principal_name, agent_name, may, valid_until, now)$
-- What a register proves begins at once; whoever proves it again has the one that there is. An enterprise
-- has one legal representative: the register knows no other any more.
with before as (
    update identity.delegation
    set state = 'ended', reason = 'register', ended_at = now()
    where bucket = :bucket and principal = :principal and kind = 'representative' and state = 'active'
      and :kind::text = 'representative' and agent <> :agent
), made as (
    insert into identity.delegation (bucket, id, kind, principal, agent, principal_name, agent_name, may,
                                     valid_until, granted_by, state, created_at, began_at)
    values (:bucket, :id, :kind, :principal, :agent, :principal_name, :agent_name, :may, :valid_until, :agent,
            'active', :now, :now)
    on conflict (bucket, principal, agent, kind)
        where state = 'active' and kind in ('child', 'representative') do nothing
    returning id
)
select id from made
union all
select id from identity.delegation
where bucket = :bucket and principal = :principal and agent = :agent and kind = :kind and state = 'active'
limit 1;

-- name: accept(bucket, id, invited, citizen_id, name, now)$
-- Whoever has the phone takes the place that is free, once, and never both places.
update identity.delegation
set principal = coalesce(principal, :citizen_id::uuid), agent = coalesce(agent, :citizen_id::uuid),
    principal_name = case when principal is null then :name::bytea else principal_name end,
    agent_name = case when agent is null then :name::bytea else agent_name end,
    state = 'active', began_at = :now::timestamptz, invited = null
where bucket = :bucket and id = :id and state = 'invited' and invited = :invited
  and answer_by > :now::timestamptz and (valid_until is null or valid_until > :now::timestamptz)
  and coalesce(principal, agent) <> :citizen_id
returning id;

-- name: end(bucket, id, reason)$
update identity.delegation set state = 'ended', reason = :reason, ended_at = now(), invited = null
where bucket = :bucket and id = :id and state <> 'ended'
returning id;

-- name: delegation(bucket, id)^
-- record_class: Row
select id, kind, principal, agent, invited, principal_name, agent_name, may, shops, valid_until, granted_by,
       state, reason, created_at, answer_by, began_at, ended_at
from identity.delegation where bucket = :bucket and id = :id;

-- name: granted(bucket, principal, invited, most)
-- record_class: Row
select id, kind, principal, agent, invited, principal_name, agent_name, may, shops, valid_until, granted_by,
       state, reason, created_at, answer_by, began_at, ended_at
from identity.delegation
where bucket = :bucket and principal = :principal
   or bucket = :bucket and principal is null and state = 'invited' and invited = :invited::bytea
order by id desc limit :most;

-- name: open_child(bucket, blind, id, name, id_number, attested)$
-- The account of an ID number: whoever has it, or a new one without a phone.
with claimed as (
    insert into identity.id_number (bucket, blind, citizen_id) values (:bucket, :blind, :id)
    on conflict do nothing
    returning citizen_id
), made as (
    insert into identity.citizen (bucket, id, level, name, id_number, attested, verified_at)
    select :bucket, citizen_id, 2, :name, :id_number, :attested, now() from claimed
)
select citizen_id from claimed
union all
select citizen_id from identity.id_number where bucket = :bucket and blind = :blind
limit 1;

-- name: open_enterprise(bucket, blind, id, name, uscc)$
with claimed as (
    insert into identity.enterprise (bucket, blind, citizen_id) values (:bucket, :blind, :id)
    on conflict do nothing
    returning citizen_id
), made as (
    insert into identity.citizen (bucket, id, kind, level, name, uscc, verified_at)
    select :bucket, citizen_id, 'enterprise', 2, :name, :uscc, now() from claimed
)
select citizen_id from claimed
union all
select citizen_id from identity.enterprise where bucket = :bucket and blind = :blind
limit 1;

-- name: due(now, most)
-- record_class: Due
select bucket, id from identity.delegation
where state <> 'ended' and least(valid_until, answer_by) <= :now limit :most;

-- name: to_ask(days, most)
-- record_class: Due
select bucket, id from identity.delegation
where state = 'active' and kind in ('child', 'representative')
  and asked_at < now() - make_interval(days => :days::int)
order by asked_at limit :most;

-- name: asked(bucket, id)!
update identity.delegation set asked_at = now() where bucket = :bucket and id = :id;

-- name: pair(bucket, principal, agent, kind)$
-- What a register proved of two, if it holds.
select id from identity.delegation
where bucket = :bucket and principal = :principal and agent = :agent and kind = :kind and state = 'active'
limit 1;

-- name: take_over(bucket, blind, holder, id)$
-- An account without a phone gives its ID number away: nobody can sign in to it any more.
update identity.id_number set citizen_id = :id
where bucket = :bucket and blind = :blind and citizen_id = :holder
  and exists (select from identity.citizen c
              where c.bucket = :bucket and c.id = :holder and c.phone is null)
returning citizen_id;
