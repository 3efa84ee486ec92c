-- What is given to somebody of themselves: pages by `key`; and what is forgotten when they leave.

-- name: citizen(bucket, citizen_id, after, most)
select id::text as key, id, level, kind, phone, name, id_number, uscc, attested, declared, created_at,
       verified_at, seen_at
from identity.citizen
where bucket = :bucket and id = :citizen_id and :after::text is null limit :most;

-- name: attributes(bucket, citizen_id, after, most)
select name || '/' || source as key, name, source, value, as_of, told_at from identity.attribute
where bucket = :bucket and citizen_id = :citizen_id
  and (:after::text is null or name || '/' || source > :after::text)
order by 1 limit :most;

-- name: attributes_off(bucket, citizen_id, after, most)
select name as key, name from identity.attribute_off
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or name > :after::text)
order by 1 limit :most;

-- name: disputes(bucket, citizen_id, after, most)
select name || '/' || source as key, name, source, words, disputed_at, verdict, answer, answered_at
from identity.dispute
where bucket = :bucket and citizen_id = :citizen_id
  and (:after::text is null or name || '/' || source > :after::text)
order by 1 limit :most;

-- name: life_events(bucket, citizen_id, after, most)
select id::text as key, id, event, told_at from identity.life_event
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: sessions(bucket, citizen_id, after, most)
select id::text as key, id, device, place as network, amr, created_at, rotated_at as last_used_at,
       expires_at, revoked_at
from identity.session
where bucket = :bucket and owner = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: passkeys(bucket, citizen_id, after, most)
select id::text as key, id, name, created_at, last_used_at, set_aside_at from identity.passkey
where bucket = :bucket and owner = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: consents(bucket, citizen_id, after, most)
select concat_ws('/', grantee, claim, given_at at time zone 'UTC', purpose) as key, grantee, claim, purpose,
       texts, given_at, given_by, taken_back_at, taken_back_by
from identity.consent
where bucket = :bucket and citizen_id = :citizen_id
  and (:after::text is null
       or concat_ws('/', grantee, claim, given_at at time zone 'UTC', purpose) > :after::text)
order by 1 limit :most;

-- name: audit(bucket, citizen_id, after, most)
select lpad(seq::text, 19, '0') as key, seq, at, kind, reader, claims, purpose, reason, by, again,
       encode(prev, 'hex') as prev, encode(hash, 'hex') as hash
from identity.audit
where bucket = :bucket and citizen_id = :citizen_id
  and (:after::text is null or seq > :after::text::bigint)
order by seq limit :most;

-- name: readings(bucket, citizen_id, after, most)
select staff_id || '/' || matter as key, staff_id, matter, reason, words, opened_at, expires_at
from identity.reading
where bucket = :bucket and citizen_id = :citizen_id
  and (:after::text is null or staff_id || '/' || matter > :after::text)
order by 1 limit :most;

-- name: reading_objections(bucket, citizen_id, after, most)
select lpad(seq::text, 19, '0') as key, seq, words, made_at, due_on, answer, answered_at
from identity.reading_objection
where bucket = :bucket and citizen_id = :citizen_id
  and (:after::text is null or seq > :after::text::bigint)
order by seq limit :most;

-- name: grants(bucket, citizen_id, after, most)
select id::text as key, id, client_id, scope, claims, offline, acr, amr, auth_time, made_at,
       rotated_at as last_used_at, expires_at, revoked_at
from identity.grant_
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: upstream_links(bucket, citizen_id, after, most)
select id::text as key, id, issuer, linked_at, used_at, ended_at from identity.upstream_link
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: face_checks(bucket, citizen_id, after, most)
select id::text as key, id, state, expires_at, ended_at from identity.face_check
where bucket = :bucket and citizen_id = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: delegations(bucket, citizen_id, after, most)
select id::text as key, id, kind, agent_name, may, shops, valid_until, state, reason, created_at,
       began_at, ended_at
from identity.delegation
where bucket = :bucket and principal = :citizen_id and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: held(bucket, citizen_id, after, most)
select id::text as key, id, created_at from identity.delegation_held
where bucket = :bucket and holder = uuid_send(:citizen_id::uuid)
  and (:after::text is null or id > :after::text::uuid)
order by id limit :most;

-- name: end_delegations(bucket, citizen_id, principal, agent, lapsed_s)!
-- Those by which others act for them; who they were to each other goes with it.
with gone as (
    delete from identity.delegation
    where bucket = :bucket and principal = :citizen_id
      and ended_at < now() - make_interval(secs => :lapsed_s::float8)
)
update identity.delegation
set state = 'ended', reason = case when state = 'ended' then reason else 'principal' end,
    ended_at = coalesce(ended_at, now()), invited = null, principal_name = :principal,
    agent_name = :agent
where bucket = :bucket and principal = :citizen_id
  and (ended_at is null or ended_at >= now() - make_interval(secs => :lapsed_s::float8));

-- name: end_held(bucket, id, citizen_id, agent)!
-- One by which they act for somebody else, who keeps the row.
update identity.delegation
set state = 'ended', reason = case when state = 'ended' then reason else 'agent' end,
    ended_at = coalesce(ended_at, now()), invited = null, agent_name = :agent
where bucket = :bucket and id = :id and agent = :citizen_id;

-- name: invited(bucket, blind)
-- What the owner of a phone was asked and didn't answer: as the one who is to act, and as the one for whom.
select id from identity.delegation_held where bucket = :bucket and holder = :blind
union
select id from identity.delegation where bucket = :bucket and invited = :blind and state = 'invited' and principal is null;

-- name: decline(bucket, id, blind)!
update identity.delegation set state = 'ended', reason = 'declined', ended_at = now(), invited = null
where bucket = :bucket and id = :id and state = 'invited' and invited = :blind;

-- name: forget_invited(bucket, blind)!
delete from identity.delegation_held where bucket = :bucket and holder = :blind;

-- name: forget_held(bucket, citizen_id)!
delete from identity.delegation_held
where bucket = :bucket and holder = uuid_send(:citizen_id::uuid);

-- name: passkey_ids(bucket, citizen_id)
select credential_id from identity.passkey where bucket = :bucket and owner = :citizen_id limit 100;

-- name: forget_passkey_id(bucket, hash, owner)!
delete from identity.passkey_id where bucket = :bucket and hash = :hash and owner = :owner;

-- name: forget_number(bucket, blind, citizen_id)!
delete from identity.id_number where bucket = :bucket and blind = :blind and citizen_id = :citizen_id;

-- name: upstream_blinds(bucket, citizen_id)
select blind from identity.upstream_link where bucket = :bucket and citizen_id = :citizen_id limit 100;

-- name: forget_upstream(bucket, blind, citizen_id)!
delete from identity.upstream_subject
where bucket = :bucket and blind = :blind and citizen_id = :citizen_id;

-- name: erase(bucket, citizen_id, phone, lapsed_s)!
-- The rest, at once. What ended stays for as long as others must still learn that it has.
with attributes as (
    delete from identity.attribute where bucket = :bucket and citizen_id = :citizen_id
), switches as (
    delete from identity.attribute_off where bucket = :bucket and citizen_id = :citizen_id
), disputes as (
    delete from identity.dispute where bucket = :bucket and citizen_id = :citizen_id
), events as (
    delete from identity.life_event where bucket = :bucket and citizen_id = :citizen_id
), codes as (
    delete from identity.auth_code where bucket = :bucket and citizen_id = :citizen_id
), links as (
    delete from identity.upstream_link where bucket = :bucket and citizen_id = :citizen_id
), faces as (
    delete from identity.face_check where bucket = :bucket and citizen_id = :citizen_id
), counters as (
    delete from identity.counter_code where bucket = :bucket and citizen_id = :citizen_id
), passkeys as (
    delete from identity.passkey where bucket = :bucket and owner = :citizen_id
), known as (
    delete from identity.known_device k using identity.phone p
    where p.bucket = :bucket and p.citizen_id = :citizen_id and k.bucket = :bucket and k.blind = p.blind
), lapsed_grants as (
    delete from identity.grant_
    where bucket = :bucket and citizen_id = :citizen_id
      and revoked_at < now() - make_interval(secs => :lapsed_s::float8)
), grants as (
    update identity.grant_ set revoked_at = now(), why = 'left'
    where bucket = :bucket and citizen_id = :citizen_id and revoked_at is null
), lapsed as (
    delete from identity.session
    where bucket = :bucket and owner = :citizen_id
      and revoked_at < now() - make_interval(secs => :lapsed_s::float8)
), parted as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, e.id, 'identity.session_ended', jsonb_build_object(
        'citizen_id', e.owner, 'session_id', e.id, 'clients', g.clients, 'at', now())
    from identity.session e, lateral (
        select array_agg(distinct client_id) as clients from identity.grant_
        where bucket = :bucket and session_id = e.id
    ) g
    where e.bucket = :bucket and e.owner = :citizen_id and e.revoked_at is null
      and g.clients is not null
    on conflict do nothing
), sessions as (
    update identity.session
    set revoked_at = coalesce(revoked_at, now()), device = '', place = null, seen = null
    where bucket = :bucket and owner = :citizen_id
      and (revoked_at is null or revoked_at >= now() - make_interval(secs => :lapsed_s::float8))
), phones as (
    delete from identity.phone where bucket = :bucket and citizen_id = :citizen_id
)
update identity.citizen
set level = 1, phone = :phone, name = null, id_number = null, attested = null, declared = null,
    verified_at = null, seen_at = null
where bucket = :bucket and id = :citizen_id;
