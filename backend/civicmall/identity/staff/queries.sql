-- name: staff(username)^
-- record_class: SignInRow
select s.id, s.password, s.name, s.role, s.shop,
       exists (select from identity.staff_totp t where t.staff_id = s.id) as totp,
       exists (select from identity.passkey p where p.bucket = get_byte(uuid_send(s.id), 15)
               and p.owner = s.id) as passkey
from identity.staff s
where s.username = :username and s.active and (s.wait_until is null or s.wait_until <= now());

-- name: staff_failed(username, free)!
-- After some free tries each further one doubles the wait: a minute, two, four, up to an hour. A try in
-- a wait is none: its password isn't looked at, and whoever just tries again waits no longer for it.
update identity.staff
set failures = failures + 1,
    wait_until = case when failures + 1 >= :free
        then now() + least(interval '1 minute' * power(2, least(failures + 1 - :free, 6)), interval '1 hour') end
where username = :username and (wait_until is null or wait_until <= now());

-- name: staff_passed(id)!
update identity.staff set failures = 0, wait_until = null where id = :id and failures > 0;

-- name: standing(bucket, id, session_id)^
-- record_class: StandingRow
-- `mfa`, or a passkey alone (RFC 8176): that much was shown when the session was opened.
select s.name, s.role, s.shop,
       coalesce((select n.amr && array['mfa', 'hwk', 'swk'] from identity.session n
                 where n.bucket = :bucket and n.id = :session_id and n.owner = s.id), false) as proved,
       exists (select from identity.staff_totp t where t.staff_id = s.id)
       or exists (select from identity.passkey p where p.bucket = :bucket and p.owner = s.id) as enrolled
from identity.staff s where s.id = :id and s.active;

-- name: has_staff(username)$
select exists (select from identity.staff where username = :username);

-- name: add_staff(id, username, password, name, role, shop)$
insert into identity.staff (id, username, password, name, role, shop)
values (:id, :username, :password, :name, :role, :shop)
on conflict (username) do nothing
returning true;

-- name: username(id)$
select username from identity.staff where id = :id;

-- name: id_of(username)$
select id from identity.staff where username = :username;

-- name: password(id)$
select password from identity.staff where id = :id and active and (wait_until is null or wait_until <= now());

-- name: set_password(id, before, password)$
-- `before` is what the current one was checked against: of two changes at once one is made.
update identity.staff set password = :password, password_at = now(), failures = 0, wait_until = null
where id = :id and password = :before and active
returning id;

-- name: give_password(username, password)$
update identity.staff set password = :password, password_at = now(), failures = 0, wait_until = null
where username = :username
returning id;

-- name: disable(username)$
update identity.staff set active = false where username = :username
returning id;

-- name: end_sessions(bucket, owner, but)
-- All sessions of an account, but the one that is named, if any.
update identity.session set revoked_at = now()
where bucket = :bucket and owner = :owner and revoked_at is null and id is distinct from :but::uuid
returning id;

-- name: accounts(after, most)
-- record_class: StaffAccount
select s.username, s.name, s.role, s.shop, s.active,
       exists (select from identity.staff_totp t where t.staff_id = s.id) as second_factor,
       coalesce(s.wait_until > now(), false)
       or exists (select from identity.staff_tries y where y.staff_id = s.id and y.wait_until > now()) as waiting,
       s.made_at, s.password_at
from identity.staff s
where :after::text is null or s.username > :after::text
order by s.username limit :most;

-- name: add_ticket(hash, staff_id, tries, valid_s)!
insert into identity.staff_ticket (hash, staff_id, tries_left, expires_at)
values (:hash, :staff_id, :tries, now() + make_interval(secs => :valid_s::float8));

-- name: spend_ticket(hash)$
-- Spends a try before it tells, so a thousand codes at once are still five.
update identity.staff_ticket t set tries_left = tries_left - 1
where t.hash = :hash and t.tries_left > 0 and t.expires_at > now()
  and exists (select from identity.staff s where s.id = t.staff_id and s.active)
returning t.staff_id;

-- name: claim_ticket(hash)$
-- For a factor that needs no tries: whoever brings the ticket first has it.
delete from identity.staff_ticket t
where t.hash = :hash and t.tries_left > 0 and t.expires_at > now()
  and exists (select from identity.staff s where s.id = t.staff_id and s.active)
returning t.staff_id;

-- name: peek_ticket(hash)$
select staff_id from identity.staff_ticket
where hash = :hash and tries_left > 0 and expires_at > now();

-- name: spend_try(staff_id, free)$
-- A try of a second factor, counted before it is looked at; null while the account waits. After some
-- free tries each further one doubles the wait: a minute, two, four, up to an hour.
insert into identity.staff_tries as t (staff_id, failures) values (:staff_id, 1)
on conflict (staff_id) do update
set failures = t.failures + 1,
    wait_until = case when t.failures + 1 >= :free
        then now() + least(interval '1 minute' * power(2, least(t.failures + 1 - :free, 6)), interval '1 hour') end
where t.wait_until is null or t.wait_until <= now()
returning failures;

-- name: totp(staff_id)^
-- record_class: TotpRow
select secret, last_step from identity.staff_totp where staff_id = :staff_id;

-- name: take_step(staff_id, step, secret)$
-- A code is good once: the step that it belongs to must be newer than the last one taken.
with taken as (
    update identity.staff_totp set last_step = :step
    where staff_id = :staff_id and last_step < :step and secret = :secret
    returning staff_id
), passed as (
    update identity.staff_tries set failures = 0, wait_until = null
    where staff_id in (select staff_id from taken)
)
select staff_id from taken;

-- name: sign_in_step(staff_id, step, secret, hash)$
-- The same for a ticket, which it uses up.
with ticket as (
    delete from identity.staff_ticket where hash = :hash and staff_id = :staff_id and expires_at > now()
    returning staff_id
), taken as (
    update identity.staff_totp t set last_step = :step from ticket k
    where t.staff_id = k.staff_id and t.last_step < :step and t.secret = :secret
    returning t.staff_id
), passed as (
    update identity.staff_tries set failures = 0, wait_until = null
    where staff_id in (select staff_id from taken)
)
select staff_id from taken;

-- name: sign_in_recovery(staff_id, code, hash)$
with ticket as (
    delete from identity.staff_ticket where hash = :hash and staff_id = :staff_id and expires_at > now()
    returning staff_id
), taken as (
    update identity.staff_recovery r set used_at = now() from ticket k
    where r.staff_id = k.staff_id and r.hash = :code and r.used_at is null
    returning r.staff_id
), passed as (
    update identity.staff_tries set failures = 0, wait_until = null
    where staff_id in (select staff_id from taken)
)
select staff_id from taken;

-- name: has_recovery(staff_id, code)$
select exists (
    select from identity.staff_recovery where staff_id = :staff_id and hash = :code and used_at is null
);

-- name: recovery_left(staff_id)$
select count(*)::int from identity.staff_recovery where staff_id = :staff_id and used_at is null;

-- name: enrolled_at(staff_id)$
select enrolled_at from identity.staff_totp where staff_id = :staff_id;

-- name: has_passkey(bucket, staff_id)$
select exists (select from identity.passkey where bucket = :bucket and owner = :staff_id);

-- name: begin_enrolment(session_id, staff_id, secret, replaces, valid_s)!
insert into identity.staff_enrolment as e (session_id, staff_id, secret, replaces, expires_at)
values (:session_id, :staff_id, :secret, :replaces, now() + make_interval(secs => :valid_s::float8))
on conflict (session_id) do update
set secret = excluded.secret, replaces = excluded.replaces, expires_at = excluded.expires_at
where e.staff_id = excluded.staff_id;

-- name: enrolment(session_id, staff_id)^
-- record_class: EnrolmentRow
select secret, replaces from identity.staff_enrolment
where session_id = :session_id and staff_id = :staff_id and expires_at > now();

-- name: enrol(session_id, staff_id, before, secret, step, codes)$
-- The secret that this session was shown becomes the account's, with its recovery codes; where there is
-- one already, only if whoever began has proved it. Of two that finish at once, one does.
with shown as (
    delete from identity.staff_enrolment
    where session_id = :session_id and staff_id = :staff_id and secret = :before and expires_at > now()
    returning staff_id, replaces
), kept as (
    insert into identity.staff_totp as t (staff_id, secret, last_step)
    select staff_id, :secret, :step from shown
    on conflict (staff_id) do update
    set secret = excluded.secret, last_step = excluded.last_step, enrolled_at = now()
    where (select replaces from shown)
    returning staff_id
), old as (
    delete from identity.staff_recovery where staff_id in (select staff_id from kept)
), fresh as (
    insert into identity.staff_recovery (staff_id, hash)
    select kept.staff_id, code from kept, unnest(:codes::bytea[]) as code
), passed as (
    update identity.staff_tries set failures = 0, wait_until = null
    where staff_id in (select staff_id from kept)
)
select staff_id from kept;

-- name: new_recovery(staff_id, codes)!
with old as (
    delete from identity.staff_recovery where staff_id = :staff_id
)
insert into identity.staff_recovery (staff_id, hash)
select :staff_id, code from unnest(:codes::bytea[]) as code;

-- name: drop_factors(bucket, staff_id)
-- Answers the passkeys' credential ids, which lie elsewhere and are released after.
with totp as (
    delete from identity.staff_totp where staff_id = :staff_id
), recovery as (
    delete from identity.staff_recovery where staff_id = :staff_id
), enrolments as (
    delete from identity.staff_enrolment where staff_id = :staff_id
), tickets as (
    delete from identity.staff_ticket where staff_id = :staff_id
), tries as (
    delete from identity.staff_tries where staff_id = :staff_id
)
delete from identity.passkey where bucket = :bucket and owner = :staff_id
returning credential_id;

-- name: ask_reset(id, username, reason, asked_by, valid_s)$
-- One at a time for an account; one that nobody decided in time makes way.
with over as (
    update identity.factor_reset r set state = 'declined', decided_by = asked_by, decided_at = now()
    from identity.staff s
    where s.username = :username and r.staff_id = s.id and r.state = 'asked' and r.expires_at <= now()
    returning 1
)
insert into identity.factor_reset (id, staff_id, reason, asked_by, expires_at)
select :id, s.id, :reason, :asked_by, now() + make_interval(secs => :valid_s::float8)
from identity.staff s
where s.username = :username and s.active
  and not exists (select from identity.factor_reset r
                  where r.staff_id = s.id and r.state = 'asked' and r.expires_at > now())
  and (select count(*) from over) >= 0 -- so that it is done first
returning id;

-- name: resets(most)
-- record_class: ResetRow
select r.id, s.username, s.name, r.staff_id, r.reason, r.asked_by as asked_id, a.name as asked_by,
       r.asked_at, r.expires_at
from identity.factor_reset r
join identity.staff s on s.id = r.staff_id join identity.staff a on a.id = r.asked_by
where r.state = 'asked' and r.expires_at > now()
order by r.asked_at limit :most;

-- name: reset(id)^
-- record_class: ResetRow
select r.id, s.username, s.name, r.staff_id, r.reason, r.asked_by as asked_id, a.name as asked_by,
       r.asked_at, r.expires_at
from identity.factor_reset r
join identity.staff s on s.id = r.staff_id join identity.staff a on a.id = r.asked_by
where r.id = :id;

-- name: decide_reset(id, state, who)$
-- Not by whoever asked, and not by whose it is; a no may be anybody's who may decide.
update identity.factor_reset
set state = :state, decided_by = :who, decided_at = now()
where id = :id and state = 'asked' and expires_at > now()
  and (:state = 'declined' or (asked_by <> :who and staff_id <> :who))
returning staff_id;

-- name: forget()!
with tickets as (
    delete from identity.staff_ticket where expires_at < now()
)
delete from identity.staff_enrolment where expires_at < now();
