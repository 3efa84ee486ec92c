-- name: tell(bucket, ids, type, bodies)!
insert into kernel.outbox (bucket, id, type, body)
select :bucket, id, :type::text, body
from unnest(:ids::uuid[], :bodies::jsonb[]) as due(id, body)
on conflict do nothing;
