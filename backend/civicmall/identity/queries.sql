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
)
select citizen_id from claimed
union all
select citizen_id from identity.phone where bucket = :bucket and blind = :blind
limit 1;

-- name: citizen(bucket, id)^
-- record_class: CitizenRow
select id, level, phone, name, id_number, attested, declared
from identity.citizen where bucket = :bucket and id = :id;

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

-- name: verify(bucket, id, name, id_number, attested)$
update identity.citizen
set level = greatest(level, 2), name = :name, id_number = :id_number, attested = :attested,
    verified_at = now()
where bucket = :bucket and id = :id and level < 2
returning level;

-- name: declare(bucket, id, before, declared)$
-- `before` is what was read: of two declarations at once, one is asked to read again.
update identity.citizen set declared = :declared
where bucket = :bucket and id = :id and declared is not distinct from :before::bytea
returning true;

-- name: open_session(bucket, id, owner, kind, device, days)!
insert into identity.session (bucket, id, owner, kind, device, expires_at)
values (:bucket, :id, :owner, :kind, :device, now() + make_interval(days => :days));

-- name: rotate(bucket, id, generation)^
-- record_class: SessionRow
-- The generation in the token is the guard: of two that come with one token, one rotates.
update identity.session s
set generation = s.generation + 1, rotated_at = now()
where s.bucket = :bucket and s.id = :id and s.generation = :generation
  and s.revoked_at is null and s.expires_at > now()
returning s.owner, s.generation, false as just_rotated,
          (select c.level from identity.citizen c where c.bucket = s.bucket and c.id = s.owner) as level;

-- name: session(bucket, id, grace_s)^
-- record_class: SessionRow
select s.owner, s.generation,
       s.rotated_at > now() - make_interval(secs => :grace_s::float8) as just_rotated,
       (select c.level from identity.citizen c where c.bucket = s.bucket and c.id = s.owner) as level
from identity.session s
where s.bucket = :bucket and s.id = :id and s.revoked_at is null and s.expires_at > now();

-- name: revoke(bucket, id, owner)$
update identity.session set revoked_at = now()
where bucket = :bucket and id = :id and owner = :owner and revoked_at is null
returning id;

-- name: sessions(bucket, owner, most)
-- record_class: SessionView
select id, device, created_at, rotated_at as last_used_at from identity.session
where bucket = :bucket and owner = :owner and revoked_at is null and expires_at > now()
order by id desc limit :most;

-- name: revoked_since(seconds)
select id from identity.session
where revoked_at > now() - make_interval(secs => :seconds::float8);

-- name: consents(bucket, citizen_id)
-- record_class: Consent
select shop, app, claims, given_at from identity.consent
where bucket = :bucket and citizen_id = :citizen_id order by shop, app limit 500;

-- name: consent(bucket, citizen_id, shop, app)^
-- record_class: Consent
select shop, app, claims, given_at from identity.consent
where bucket = :bucket and citizen_id = :citizen_id and shop = :shop and app = :app;

-- name: give_consent(bucket, citizen_id, shop, app, claims)^
-- record_class: Consent
insert into identity.consent (bucket, citizen_id, shop, app, claims)
values (:bucket, :citizen_id, :shop, :app, :claims)
on conflict (bucket, citizen_id, shop, app) do update
set claims = excluded.claims, given_at = now()
returning shop, app, claims, given_at;

-- name: take_back_consent(bucket, citizen_id, shop, app, event_id, type, body)$
with gone as (
    delete from identity.consent
    where bucket = :bucket and citizen_id = :citizen_id and shop = :shop and app = :app
    returning true
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :type::text, :body::jsonb from gone
)
select true from gone;

-- name: note_access(bucket, citizen_id, day, reader, claims, purpose)!
insert into identity.access as a (bucket, citizen_id, day, reader, claims, purpose)
values (:bucket, :citizen_id, :day, :reader, :claims, :purpose)
on conflict (bucket, citizen_id, day, reader, purpose) do update
set times = a.times + 1, last_at = now(),
    claims = array(select distinct unnest(a.claims || excluded.claims) order by 1);

-- name: give(bucket, citizen_id, day, shop, app, purpose, claims, some)^
-- record_class: GivenRow
-- Whether the citizen agreed, what is known of them, and the line that they see of it, at once. Only
-- what they agreed to; nothing unless that is all that was asked for, or some of it will do. What a
-- register attests is sealed in one piece: a fact that it left out stands in the line all the same.
with agreed as (
    select claims from identity.consent
    where bucket = :bucket and citizen_id = :citizen_id and shop = :shop and app = :app
), citizen as (
    select phone, name, id_number, attested from identity.citizen
    where bucket = :bucket and id = :citizen_id
), given as (
    select array(
        select claim from unnest(:claims::text[]) claim
        where claim = any(agreed.claims) and case claim
            when 'phone' then true
            when 'name' then citizen.name is not null
            when 'id_number' then citizen.id_number is not null
            else claim in ('birth_date', 'sex') and citizen.attested is not null end
        order by 1
    ) as claims
    from citizen, agreed where :some::boolean or agreed.claims @> :claims::text[]
), noted as (
    insert into identity.access as a (bucket, citizen_id, day, reader, claims, purpose)
    select :bucket, :citizen_id, :day, :shop || '/' || :app, given.claims, :purpose::text
    from given where cardinality(given.claims) > 0
    on conflict (bucket, citizen_id, day, reader, purpose) do update
    set times = a.times + 1, last_at = now(),
        claims = array(select distinct unnest(a.claims || excluded.claims) order by 1)
)
select coalesce((select claims from agreed), '{}') as agreed,
       coalesce((select claims from given), '{}') as given, phone, name, id_number, attested
from citizen;

-- name: accesses(bucket, citizen_id, before_day, before_reader, before_purpose, most)
-- record_class: AccessRow
select day, reader, claims, purpose, times, last_at from identity.access
where bucket = :bucket and citizen_id = :citizen_id
  and (:before_day::date is null
       or (day, reader, purpose) < (:before_day::date, :before_reader::text, :before_purpose::text))
order by day desc, reader desc, purpose desc limit :most;

-- name: staff(username)^
-- record_class: StaffRow
select id, password, name, role, shop from identity.staff
where username = :username and active and (wait_until is null or wait_until <= now());

-- name: staff_failed(username, free)!
-- After some free tries each further one doubles the wait: a minute, two, four, up to an hour.
update identity.staff
set failures = failures + 1,
    wait_until = case when failures + 1 >= :free
        then now() + least(interval '1 minute' * power(2, least(failures + 1 - :free, 6)), interval '1 hour') end
where username = :username;

-- name: staff_passed(id)!
update identity.staff set failures = 0, wait_until = null where id = :id and failures > 0;

-- name: has_staff(username)$
select exists (select from identity.staff where username = :username);

-- name: staff_by_id(id)^
-- record_class: StaffRow
select id, password, name, role, shop from identity.staff where id = :id and active;

-- name: add_staff(id, username, password, name, role, shop)$
insert into identity.staff (id, username, password, name, role, shop)
values (:id, :username, :password, :name, :role, :shop)
on conflict (username) do nothing
returning true;

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
), accesses as (
    delete from identity.access where day < current_date - 3 * 365
)
delete from identity.session where expires_at < now() - make_interval(days => :days);
