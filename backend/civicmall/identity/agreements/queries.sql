-- name: give(bucket, citizen_id, reader, operation, claims, purposes, by, some)^
-- record_class: GivenRow
-- Whether the citizen agreed, what is known of them, and the line that they see of it, at once. Only
-- what they agreed to; nothing unless that is all that was asked for, or some of it will do. What a
-- register attests is sealed in one piece: a fact that it left out stands in the line all the same.
-- The same again within the hour is counted, and leaves no line of its own (ADR 0038).
with held as (
    select claim, purpose from identity.consent
    where bucket = :bucket and citizen_id = :citizen_id and grantee = :reader and taken_back_at is null
), asked as (
    -- Not a look-up for each: that one's cost would make PostgreSQL plan this anew for every call.
    select a.claim, a.no, (a.claim, a.purpose) in (select claim, purpose from held) as agreed
    from unnest(:claims::text[], :purposes::text[]) with ordinality as a(claim, purpose, no)
), citizen as (
    select c.phone, c.name, c.id_number, c.attested, c.uscc, exists (
        select from identity.audit_head h where h.bucket = :bucket and h.citizen_id = :citizen_id
    ) as begun
    from identity.citizen c where c.bucket = :bucket and c.id = :citizen_id
), given as (
    select array(
        select distinct claim from asked
        where agreed and case claim
            when 'phone' then citizen.phone is not null
            when 'name' then citizen.name is not null
            when 'id_number' then citizen.id_number is not null
            when 'uscc' then citizen.uscc is not null
            else claim in ('birth_date', 'sex') and citizen.attested is not null end
        order by 1
    ) as claims
    from citizen
    where :some::boolean or not exists (select from asked where not agreed)
), counted as (
    insert into identity.audit_reading as r (bucket, citizen_id, reader, purpose, claims, by, hour_at)
    select :bucket, :citizen_id, :reader, :operation::text, given.claims, :by::uuid,
           date_trunc('hour', now())
    from given, citizen where cardinality(given.claims) > 0 and citizen.begun
    on conflict (bucket, citizen_id, reader, purpose) do update
    set again = case when r.hour_at >= excluded.hour_at and r.claims = excluded.claims
                          and r.by is not distinct from excluded.by then r.again + 1 else 0 end,
        again_before = case when r.hour_at >= excluded.hour_at and r.claims = excluded.claims
                                 and r.by is not distinct from excluded.by
                            then r.again_before else r.again end,
        hour_at = excluded.hour_at, claims = excluded.claims, by = excluded.by, last_at = now()
    returning r.claims, r.again, r.again_before
), head as (
    update identity.audit_head h
    set seq = h.seq + 1, prev = h.hash, hash = sha256(convert_to(identity.audit_line(
            h.citizen_id, h.seq + 1, now(), 'read', :reader, c.claims, :operation, '', :by::uuid,
            c.again_before, h.hash), 'UTF8'))
    from counted c where h.bucket = :bucket and h.citizen_id = :citizen_id and c.again = 0
    returning h.seq, h.prev, h.hash, c.claims, c.again_before
), line as (
    insert into identity.audit
        (bucket, citizen_id, seq, kind, reader, claims, purpose, reason, by, again, prev, hash)
    select :bucket, :citizen_id, seq, 'read', :reader, claims, :operation, '', :by::uuid, again_before,
           prev, hash
    from head
)
select begun, array(select agreed from asked order by no) as agreed,
       coalesce((select claims from given), '{}') as given, phone, name, id_number, attested,
       uscc
from citizen;

-- name: agreed(bucket, citizen_id, grantee)
select claim, purpose from identity.consent
where bucket = :bucket and citizen_id = :citizen_id and grantee = :grantee and taken_back_at is null;

-- name: agreed_by_app(bucket, citizen_id)
select grantee, claim, purpose from identity.consent
where bucket = :bucket and citizen_id = :citizen_id and taken_back_at is null;

-- name: consents(bucket, citizen_id, most)
-- record_class: ConsentRow
select c.grantee, c.claim, c.purpose, c.texts, c.given_at, c.given_by,
       (select max(r.last_at) from identity.audit_reading r
        where r.bucket = c.bucket and r.citizen_id = c.citizen_id and r.reader = c.grantee
       ) as last_used_at
from identity.consent c
where c.bucket = :bucket and c.citizen_id = :citizen_id and c.taken_back_at is null
order by c.grantee, c.claim, c.given_at limit :most;

-- name: past(bucket, citizen_id, before_at, before_grantee, before_claim, most)
-- record_class: PastRow
select grantee, claim, purpose, texts, given_at, given_by, taken_back_at, taken_back_by
from identity.consent
where bucket = :bucket and citizen_id = :citizen_id and taken_back_at is not null
  and (:before_at::timestamptz is null or (taken_back_at, grantee, claim)
       < (:before_at::timestamptz, :before_grantee::text, :before_claim::text))
order by taken_back_at desc, grantee desc, claim desc limit :most;

-- name: agree(bucket, citizen_id, grantee, claims, purposes, texts, by)
-- What is new of it; a line in the citizen's audit says so.
with given as (
    insert into identity.consent (bucket, citizen_id, grantee, claim, purpose, texts, given_by)
    select :bucket, :citizen_id, :grantee, claim, purpose, said::jsonb, :by::uuid
    from unnest(:claims::text[], :purposes::text[], :texts::text[]) as asked(claim, purpose, said)
    on conflict (bucket, citizen_id, grantee, claim, purpose) where taken_back_at is null do nothing
    returning claim, purpose
), new as (
    select array_agg(distinct claim order by claim) as claims,
           left(string_agg(distinct purpose, ' / ' order by purpose), 400) as purpose
    from given having count(*) > 0
), head as (
    update identity.audit_head h
    set seq = h.seq + 1, prev = h.hash, hash = sha256(convert_to(identity.audit_line(
            h.citizen_id, h.seq + 1, now(), 'consent_given', :grantee, n.claims, n.purpose, '', :by::uuid,
            0, h.hash), 'UTF8'))
    from new n where h.bucket = :bucket and h.citizen_id = :citizen_id
    returning h.seq, h.prev, h.hash, n.claims, n.purpose
), line as (
    insert into identity.audit
        (bucket, citizen_id, seq, kind, reader, claims, purpose, reason, by, again, prev, hash)
    select :bucket, :citizen_id, seq, 'consent_given', :grantee, claims, purpose, '', :by::uuid, 0, prev,
           hash
    from head
)
select claim from given;

-- name: take_back(bucket, citizen_id, grantee, claims, by, client, event_id, type, body)
-- From now on the grantee gets nothing more of it. An app's shop is told; a client's grants end.
with gone as (
    update identity.consent
    set taken_back_at = greatest(now(), given_at), taken_back_by = :by::uuid
    where bucket = :bucket and citizen_id = :citizen_id and grantee = :grantee and taken_back_at is null
      and (:claims::text[] is null or claim = any(:claims::text[]))
    returning claim
), old as (
    select array_agg(distinct claim order by claim) as claims from gone having count(*) > 0
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text,
           :body::jsonb || jsonb_build_object('claims', old.claims)
    from old where :client::text is null
), ended as (
    update identity.grant_ g set revoked_at = now(), why = 'consent'
    from old where g.bucket = :bucket and g.citizen_id = :citizen_id and g.client_id = :client::text
      and g.revoked_at is null
    returning g.id
), head as (
    update identity.audit_head h
    set seq = h.seq + 1, prev = h.hash, hash = sha256(convert_to(identity.audit_line(
            h.citizen_id, h.seq + 1, now(), 'consent_taken_back', :grantee, o.claims, '', '', :by::uuid, 0,
            h.hash), 'UTF8'))
    from old o where h.bucket = :bucket and h.citizen_id = :citizen_id
    returning h.seq, h.prev, h.hash, o.claims
), line as (
    insert into identity.audit
        (bucket, citizen_id, seq, kind, reader, claims, purpose, reason, by, again, prev, hash)
    select :bucket, :citizen_id, seq, 'consent_taken_back', :grantee, claims, '', '', :by::uuid, 0, prev,
           hash
    from head
)
select id from ended;

-- name: without_purpose(most)
-- Apps for which something was agreed to before purposes were kept.
select distinct grantee from identity.consent
where purpose = '' and taken_back_at is null limit :most;

-- name: fill_purpose(grantee, claim, purpose, texts)!
-- Over all buckets: once, when the server is prepared after the update that began to keep purposes.
update identity.consent set purpose = :purpose, texts = :texts
where grantee = :grantee and claim = :claim and purpose = '' and taken_back_at is null;
