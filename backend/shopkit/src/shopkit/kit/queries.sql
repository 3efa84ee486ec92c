-- name: tables
select table_name from information_schema.tables where table_schema = current_schema()

-- name: found
select distinct (regexp_matches(t::text, $1, 'g'))[1] from "{table}" t
