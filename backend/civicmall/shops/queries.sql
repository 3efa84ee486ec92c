-- name: record(shop, version, digest, manifest)!
-- Every manifest that ever ran is kept; the same one again changes nothing.
insert into shops.version (shop, version, digest, manifest)
values (:shop, :version, :digest, :manifest)
on conflict do nothing;
