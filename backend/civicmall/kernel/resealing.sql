-- Templates, not statements: {table}, {column}, {columns}, {key}, {set} and {where} are filled in with names from
-- the rooms' own lists, never with anything that came from outside.

-- name: waiting
select count(*) from {table} where {where};

-- name: batch
select {key}, {columns} from {table} where {where};

-- name: batch_of_bucket
select {key}, {columns} from {table} where bucket = $2 and ({where});

-- name: change
-- Whoever wrote meanwhile wrote with a key of their own, and that stays.
update {table} set {set} where {where};

-- name: key_of
select a.attname from pg_index i
join unnest(i.indkey) with ordinality k (no, at) on true
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.no
where i.indrelid = $1::text::regclass and i.indisprimary order by k.at;
