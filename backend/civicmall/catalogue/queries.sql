-- name: load(items)$
-- One statement: what changed or went is kept under its old dates, what is new or changed is
-- written, and of two processes that start at once the second finds nothing left to do.
with given as (
    select code, decode(digest, 'hex') as digest, body
    from jsonb_to_recordset(:items) as g (code text, digest text, body jsonb)
), past as (
    insert into catalogue.item_past (code, valid_from, valid_to, digest, body)
    select i.code, i.valid_from, now(), i.digest, i.body
    from catalogue.item i left join given g using (code)
    where g.digest is distinct from i.digest
    on conflict do nothing
), gone as (
    delete from catalogue.item where code not in (select code from given)
), written as (
    insert into catalogue.item as i (code, digest, body)
    select code, digest, body from given
    on conflict (code) do update
    set digest = excluded.digest, body = excluded.body, valid_from = now()
    where i.digest <> excluded.digest
    returning 1
)
select count(*) from written;

-- name: items()
-- record_class: StoredItem
select code, body, valid_from from catalogue.item order by code limit 100000;
