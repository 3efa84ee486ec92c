-- name: answer(bucket, challenge, expires_at)$
-- A challenge is answered once: whoever comes second gets null.
insert into identity.passkey_answered (bucket, challenge, expires_at)
values (:bucket, :challenge, :expires_at)
on conflict do nothing
returning true;

-- name: claim(bucket, hash, owner)$
-- The owner of a credential id: whoever registered it first.
with claimed as (
    insert into identity.passkey_id (bucket, hash, owner) values (:bucket, :hash, :owner)
    on conflict do nothing
    returning owner
)
select owner from claimed
union all
select owner from identity.passkey_id where bucket = :bucket and hash = :hash
limit 1;

-- name: release(bucket, hash, owner)!
delete from identity.passkey_id where bucket = :bucket and hash = :hash and owner = :owner;

-- name: add(bucket, id, owner, kind, handle, credential_id, public_key, sign_count, backup_eligible, backed_up, transports, name, first, event_id, news, body)^
-- Into the first free slot. Of two at once that want the last one, the key lets one in, and so it does
-- where it must be the `first` factor of an account.
with free as (
    select n from generate_series(1, 20) n
    where not exists (
        select from identity.passkey where bucket = :bucket and owner = :owner and slot = n
    ) and (not :first::boolean or not exists (
        select from identity.passkey where bucket = :bucket and owner = :owner
    ) and not exists (select from identity.staff_totp where staff_id = :owner))
    order by n limit 1
), made as (
    insert into identity.passkey (
        bucket, id, owner, kind, slot, handle, credential_id, public_key, sign_count,
        backup_eligible, backed_up, transports, name
    )
    select :bucket, :id, :owner, :kind, n, :handle, :credential_id, :public_key, :sign_count,
           :backup_eligible, :backed_up, :transports, :name
    from free
    on conflict do nothing
    returning created_at
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :news::text, :body::jsonb from made
    where :kind::text = 'citizen'
)
select exists (select from free) as room, (select created_at from made) as created_at;

-- name: mine(bucket, owner)
-- record_class: PasskeyRow
select id, name, credential_id, transports, backed_up, created_at, last_used_at,
       set_aside_at is not null as set_aside
from identity.passkey where bucket = :bucket and owner = :owner order by id;

-- name: find(bucket, handle, credential_id, kind)^
-- record_class: KeyRow
select id, owner, kind, public_key, backup_eligible, set_aside_at is not null as set_aside
from identity.passkey
where bucket = :bucket and handle = :handle and credential_id = :credential_id and kind = :kind;

-- name: use(bucket, id, sign_count, backed_up, event_id, news, body)$
-- A counter that doesn't grow is a copy's (Web Authentication, section 6.1.1); those that don't count
-- say 0 always. Answers whether the passkey is set aside for it; null: it is gone or was set aside before.
with used as (
    update identity.passkey
    set set_aside_at = case when greatest(sign_count, :sign_count) > 0 and :sign_count <= sign_count
                            then now() end,
        last_used_at = case when greatest(sign_count, :sign_count) > 0 and :sign_count <= sign_count
                            then last_used_at else now() end,
        sign_count = greatest(sign_count, :sign_count),
        backed_up = :backed_up
    where bucket = :bucket and id = :id and set_aside_at is null
    returning kind, set_aside_at is not null as set_aside
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :news::text, :body::jsonb from used
    where set_aside and kind = 'citizen'
)
select set_aside from used;

-- name: rename(bucket, owner, id, name)^
-- record_class: PasskeyRow
update identity.passkey set name = :name where bucket = :bucket and owner = :owner and id = :id
returning id, name, credential_id, transports, backed_up, created_at, last_used_at,
          set_aside_at is not null as set_aside;

-- name: remove(bucket, owner, id, event_id, news, body)$
with gone as (
    delete from identity.passkey where bucket = :bucket and owner = :owner and id = :id
    returning kind, credential_id
), told as (
    insert into kernel.outbox (bucket, id, type, body)
    select :bucket, :event_id::uuid, :news::text, :body::jsonb from gone where kind = 'citizen'
)
select credential_id from gone;

-- name: forget_answered()!
delete from identity.passkey_answered where expires_at < now();
