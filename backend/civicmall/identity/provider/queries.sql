-- name: client(client_id)^
-- record_class: Client
select client_id, version, status, kind, native, owner_name as owner, name, purpose, redirect_uris,
       post_logout_redirect_uris, backchannel_logout_uri, auth_method, jwks, sector, scopes, claims,
       min_level, par_required, id_token_alg, drafted_by, drafted_at, approved_by, approved_at
from identity.client where client_id = :client_id and status = 'active';

-- name: secret(client_id, hash)$
select exists (select from identity.client_secret
               where client_id = :client_id and hash = :hash and (ends_at is null or ends_at > now()));

-- name: use_assertion(bucket, hash, expires_at)$
insert into identity.assertion (bucket, hash, expires_at) values (:bucket, :hash, :expires_at)
on conflict do nothing
returning true;

-- name: redeem(bucket, id, client_id, redirect_uri, challenge, days)^
-- record_class: Grant
-- The code's one use and the grant that it becomes. Everything that must hold is in the condition, so
-- of two that bring it at once one gets nothing.
with used as (
    update identity.auth_code c set used_at = now()
    where c.bucket = :bucket and c.id = :id and c.used_at is null and c.expires_at > now()
      and c.client_id = :client_id and c.redirect_uri = :redirect_uri and c.challenge = :challenge
      and exists (select from identity.session s
                  where s.bucket = c.bucket and s.id = c.session_id and s.revoked_at is null)
      and exists (select from identity.consent a
                  where a.bucket = c.bucket and a.citizen_id = c.citizen_id
                    and a.grantee = 'client:' || c.client_id and a.claim = 'sign_in' and a.taken_back_at is null)
    returning c.*
), made as (
    insert into identity.grant_ (bucket, id, citizen_id, session_id, client_id, scope, claims, offline,
                                 acr, amr, auth_time, expires_at)
    select bucket, id, citizen_id, session_id, client_id, scope, claims, 'offline_access' = any(scope),
           acr, amr, auth_time, now() + make_interval(days => :days)
    from used
    returning *
)
select made.id, made.citizen_id, made.session_id, made.client_id, made.scope, made.claims, made.offline,
       made.acr, made.amr, made.auth_time, made.generation, false as just_rotated, used.nonce
from made, used;

-- name: burn_code(bucket, id)^
-- record_class: CodeRow
-- A code that was brought in vain works no more.
with before as (
    select client_id, used_at is not null as used_before from identity.auth_code
    where bucket = :bucket and id = :id
), burnt as (
    update identity.auth_code set used_at = now()
    where bucket = :bucket and id = :id and used_at is null
)
select client_id, used_before from before;

-- name: revoke_grant(bucket, id, why)$
update identity.grant_ set revoked_at = now(), why = :why
where bucket = :bucket and id = :id and revoked_at is null
returning id;

-- name: rotate_grant(bucket, id, client_id, generation)^
-- record_class: Grant
-- The generation in the token is the guard: of two that come with one token, one rotates.
update identity.grant_ g set generation = g.generation + 1, rotated_at = now()
where g.bucket = :bucket and g.id = :id and g.client_id = :client_id and g.generation = :generation
  and g.revoked_at is null and g.expires_at > now()
  and (g.offline or exists (select from identity.session s where s.bucket = g.bucket
                            and s.id = g.session_id and s.revoked_at is null and s.expires_at > now()))
returning g.id, g.citizen_id, g.session_id, g.client_id, g.scope, g.claims, g.offline, g.acr, g.amr,
          g.auth_time, g.generation, false as just_rotated, null::text as nonce;

-- name: grant_(bucket, id, grace_s)^
-- record_class: Grant
-- A grant that still holds; one of a client that was retired does not.
select g.id, g.citizen_id, g.session_id, g.client_id, g.scope, g.claims, g.offline, g.acr, g.amr,
       g.auth_time, g.generation,
       g.rotated_at > now() - make_interval(secs => :grace_s::float8) as just_rotated, null::text as nonce
from identity.grant_ g
where g.bucket = :bucket and g.id = :id and g.revoked_at is null and g.expires_at > now()
  and exists (select from identity.client c where c.client_id = g.client_id and c.status = 'active')
  and (g.offline or exists (select from identity.session s where s.bucket = g.bucket
                            and s.id = g.session_id and s.revoked_at is null and s.expires_at > now()));

-- name: keep_request(bucket, id, kind, client_id, request, browser, valid_s)!
insert into identity.par (bucket, id, kind, client_id, request, browser, expires_at)
values (:bucket, :id, :kind, :client_id, :request, :browser, now() + make_interval(secs => :valid_s::float8));

-- name: take_pushed(bucket, id, client_id)$
-- Once, by whom it is of.
update identity.par set used_at = now()
where bucket = :bucket and id = :id and kind = 'pushed' and client_id = :client_id
  and used_at is null and expires_at > now()
returning request;

-- name: ticket(bucket, id, browser)^
-- record_class: TicketRow
select client_id, request, made_at from identity.par
where bucket = :bucket and id = :id and kind = 'ticket' and browser = :browser
  and used_at is null and expires_at > now();

-- name: bind_ticket(bucket, id, session_id)$
-- The session that the question was shown to; only from there it is answered.
update identity.par set session_id = :session_id
where bucket = :bucket and id = :id and kind = 'ticket' and used_at is null and expires_at > now()
returning true;

-- name: use_ticket(bucket, id, browser, session_id)$
-- Answered once, where it was shown; without a session where nobody is signed in yet.
update identity.par set used_at = now()
where bucket = :bucket and id = :id and kind = 'ticket' and browser = :browser and used_at is null
  and expires_at > now() and session_id is not distinct from :session_id::uuid
returning true;

-- name: add_code(bucket, id, citizen_id, session_id, client_id, redirect_uri, challenge, scope, claims, nonce, acr, amr, auth_time, valid_s)!
insert into identity.auth_code (bucket, id, citizen_id, session_id, client_id, redirect_uri, challenge, scope,
                                claims, nonce, acr, amr, auth_time, expires_at)
values (:bucket, :id, :citizen_id, :session_id, :client_id, :redirect_uri, :challenge, :scope, :claims,
        :nonce, :acr, :amr, :auth_time, now() + make_interval(secs => :valid_s::float8));

-- name: forget(days)!
-- A grant that is over is kept for as long as a token of it may turn up again and must be known.
with requests as (
    delete from identity.par where expires_at < now() - interval '1 hour'
), codes as (
    delete from identity.auth_code where expires_at < now() - interval '1 day'
), assertions as (
    delete from identity.assertion where expires_at < now()
)
delete from identity.grant_ where expires_at < now() - make_interval(days => :days);

-- name: clients()
-- record_class: Client
-- What is in force and what waits for a second person; a city has some hundred clients.
select client_id, version, status, kind, native, owner_name as owner, name, purpose, redirect_uris,
       post_logout_redirect_uris, backchannel_logout_uri, auth_method, jwks, sector, scopes, claims,
       min_level, par_required, id_token_alg, drafted_by, drafted_at, approved_by, approved_at
from identity.client where status in ('draft', 'active') order by client_id, version limit 2000;

-- name: has_ended(client_id)$
-- There was one in force, and there is none now.
select coalesce(bool_or(approved_at is not null) and not bool_or(status = 'active'), false)
from identity.client where client_id = :client_id;

-- name: drop_draft(client_id)!
-- What was drafted and not approved is kept, so that a version's number is one content's for ever.
update identity.client set status = 'retired', retired_at = now()
where client_id = :client_id and status = 'draft';

-- name: draft(client_id, kind, native, owner, name, purpose, redirect_uris, post_logout_redirect_uris, backchannel_logout_uri, auth_method, jwks, sector, scopes, claims, min_level, par_required, id_token_alg, by)$
insert into identity.client (client_id, version, status, kind, native, owner_name, name, purpose, redirect_uris,
    post_logout_redirect_uris, backchannel_logout_uri, auth_method, jwks, sector, scopes, claims,
    min_level, par_required, id_token_alg, drafted_by)
select :client_id::text, coalesce(max(version), 0) + 1, 'draft', :kind::text, :native::boolean, :owner::text,
    :name::jsonb, :purpose::jsonb, :redirect_uris::text[], :post_logout_redirect_uris::text[],
    :backchannel_logout_uri::text, :auth_method::text, :jwks::jsonb, :sector::text, :scopes::text[],
    :claims::jsonb, :min_level::smallint, :par_required::boolean, :id_token_alg::text, :by::uuid
from identity.client where client_id = :client_id::text
returning version;

-- name: replace_active(client_id, version, by)!
-- Makes room for the version that the next statement approves.
update identity.client set status = 'retired', retired_at = now()
where client_id = :client_id and status = 'active'
  and exists (select from identity.client d where d.client_id = :client_id and d.version = :version
              and d.status = 'draft' and d.drafted_by <> :by);

-- name: approve(client_id, version, by)$
update identity.client set status = 'active', approved_by = :by, approved_at = now()
where client_id = :client_id and version = :version and status = 'draft' and drafted_by <> :by
returning version;

-- name: drafted_by(client_id, version)$
select drafted_by from identity.client
where client_id = :client_id and version = :version and status = 'draft';

-- name: retire(client_id)$
with secrets as (
    update identity.client_secret set ends_at = now() where client_id = :client_id
), retired as (
    update identity.client set status = 'retired', retired_at = now()
    where client_id = :client_id and status in ('draft', 'active')
    returning version
)
select max(version) from retired;

-- name: new_secret(client_id, hash, by, overlap_s)$
-- The last one works on for a while; what came before it is over.
with last as (
    update identity.client_secret set ends_at = least(ends_at, now() + make_interval(secs => :overlap_s::float8))
    where client_id = :client_id and (ends_at is null or ends_at > now())
)
insert into identity.client_secret (client_id, hash, made_by)
select :client_id, :hash, :by from identity.client
where client_id = :client_id and status = 'active'
  and auth_method in ('client_secret_basic', 'client_secret_post')
returning true;

-- name: operator(username)$
select id from identity.staff where username = :username and role = 'operator' and active;
