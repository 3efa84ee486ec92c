-- name: record(shop, version, digest, manifest)!
-- Every manifest that ever ran is kept; the same one again changes nothing.
insert into shops.version (shop, version, digest, manifest)
values (:shop, :version, :digest, :manifest)
on conflict do nothing;

-- name: versions(shop, most)
-- record_class: ShopVersion
select version, min(first_seen) as first_seen, count(*) as manifests
from shops.version where shop = :shop
group by version order by min(first_seen) desc limit :most;
