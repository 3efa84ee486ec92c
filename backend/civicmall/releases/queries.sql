-- name: one_by_one(key)!
-- Until the transaction ends: who submits later sees what was submitted before.
select pg_advisory_xact_lock(:key::bigint);

-- name: submit(id, shop, version, rank, digest, manifest, account, report, who, name, note, at)$
-- Only a version above all before, and with no other shop's settlement account; the same request
-- again changes nothing.
with made as (
    insert into releases.release (id, shop, version, rank, digest, kind, state, manifest, report, submitter,
                                  submitter_name, submitted_at, changed_at)
    select :id, :shop, :version, :rank, :digest, 'submitted', 'submitted', :manifest, :report, :who, :name, :at, :at
    where not exists (select from releases.release where shop = :shop and rank >= :rank)
      and not exists (select from releases.release
                      where shop <> :shop and manifest ->> 'settlement_account' = :account
                        and state not in ('retired', 'withdrawn', 'rejected'))
    on conflict do nothing
    returning id, shop
)
insert into releases.step (release_id, shop, at, who, name, move, was, now, percent, note)
select id, shop, :at, :who, :name, 'submit', 'draft', 'submitted', 0, :note from made
returning release_id;

-- name: advance(id, move, sources, target, four_eyes, who, name, note, percent, at)$
-- One release one step on, whatever others do meanwhile: of two who act at once, one does.
with it as (
    select r.id, r.shop, r.state from releases.release r
    where r.id = :id and r.state = any(:sources::text[])
      and (:move::text <> 'approve' or r.submitter is distinct from :who::uuid)
      and (not :four_eyes::boolean or (r.submitter is distinct from :who::uuid and r.approver is distinct from :who::uuid))
      and (:move::text <> 'canary' or not exists (
          select from releases.release o where o.shop = r.shop and o.id <> r.id and o.state = 'canary'))
    for update
), moved as (
    update releases.release r
    set state = :target, changed_at = :at,
        approver = case when :move::text = 'approve' then :who::uuid else r.approver end,
        percent = coalesce(:percent::smallint, r.percent)
    from it where r.id = it.id
    returning r.id, r.percent
)
insert into releases.step (release_id, shop, at, who, name, move, was, now, percent, note)
select it.id, it.shop, :at, :who::uuid, :name, :move::text, it.state, :target, moved.percent, :note
from it join moved using (id)
returning release_id;

-- name: publish(id, sources, who, name, note, at)$
-- The new one comes and the old ones go in one statement: a shop is never without a live release,
-- and never has two. `out` is counted so that it is done before the new one needs its place.
with it as (
    select r.id, r.shop, r.state from releases.release r
    where r.id = :id and r.state = any(:sources::text[])
      and r.submitter is distinct from :who::uuid and r.approver is distinct from :who::uuid
    for update
), out as (
    update releases.release r
    set state = case when o.state = 'live' then 'replaced' else 'withdrawn' end, changed_at = :at
    from (
        select x.id, x.state from releases.release x join it on x.shop = it.shop and x.id <> it.id
        where x.state in ('live', 'suspended', 'canary') for update of x
    ) o
    where r.id = o.id
    returning r.id, o.state as was, r.state as now
), moved as (
    update releases.release r set state = 'live', changed_at = :at, live_at = :at
    from it where r.id = it.id and (select count(*) from out) >= 0
    returning r.id
)
insert into releases.step (release_id, shop, at, who, name, move, was, now, percent, note)
select it.id, it.shop, :at, :who::uuid, :name, 'publish', it.state, 'live', 0, :note from it join moved using (id)
union all
select out.id, it.shop, :at, :who::uuid, :name, case when out.now = 'replaced' then 'replace' else 'drop' end,
       out.was, out.now, 0, '' from out, it
returning release_id;

-- name: rollback(id, sources, who, name, note, at)$
-- The live release goes and the one before it is live again; a canary only goes.
with it as (
    select r.id, r.shop, r.state from releases.release r
    where r.id = :id and r.state = any(:sources::text[]) for update
), back as (
    select r.id from releases.release r join it on r.shop = it.shop and it.state <> 'canary'
    where r.state = 'replaced' order by r.live_at desc limit 1 for update of r
), gone as (
    update releases.release r set state = 'withdrawn', changed_at = :at
    from it where r.id = it.id and (it.state = 'canary' or exists (select from back))
    returning r.id
), restored as (
    update releases.release r set state = 'live', changed_at = :at
    from back where r.id = back.id and (select count(*) from gone) = 1
    returning r.id
)
insert into releases.step (release_id, shop, at, who, name, move, was, now, percent, note)
select it.id, it.shop, :at, :who::uuid, :name, 'rollback', it.state, 'withdrawn', 0, :note from it join gone using (id)
union all
select restored.id, it.shop, :at, :who::uuid, :name, 'restore', 'replaced', 'live', 0, '' from restored, it
returning release_id;

-- name: retire(id, sources, who, name, note, at)$
-- The shop closes for good; what was on trial goes with it.
with it as (
    select r.id, r.shop, r.state from releases.release r
    where r.id = :id and r.state = any(:sources::text[]) for update
), trial as (
    update releases.release r set state = 'withdrawn', changed_at = :at
    from it where r.shop = it.shop and r.state = 'canary'
    returning r.id
), moved as (
    update releases.release r set state = 'retired', changed_at = :at from it where r.id = it.id returning r.id
)
insert into releases.step (release_id, shop, at, who, name, move, was, now, percent, note)
select it.id, it.shop, :at, :who::uuid, :name, 'retire', it.state, 'retired', 0, :note from it join moved using (id)
union all
select trial.id, it.shop, :at, :who::uuid, :name, 'drop', 'canary', 'withdrawn', 0, '' from trial, it
returning release_id;

-- name: deploy(id, shop, version, rank, digest, manifest, name, at)$
-- What city IT put into a folder is live when it is found, unless an operator suspended or retired
-- the shop, or a submitted release serves that is as new or was preferred to this one before.
with main as (
    select kind, state, rank, digest from releases.release
    where shop = :shop and state in ('live', 'suspended')
), known as (
    select state from releases.release where shop = :shop and version = :version and digest = :digest
), fit as (
    select true where case
        when exists (select from main) then exists (
            select from main where state = 'live' and digest <> :digest
              and (kind = 'folder' or (rank < :rank and not exists (select from known))))
        else not exists (select from releases.release where shop = :shop and state = 'retired') end
), out as (
    update releases.release r
    set state = case when r.kind = 'folder' then 'withdrawn' else 'replaced' end, changed_at = :at
    from (
        select x.id, x.state from releases.release x
        where x.shop = :shop and x.digest <> :digest and exists (select from fit)
          and (x.state = 'live' or (x.kind = 'folder' and x.state = 'replaced')) for update
    ) o
    where r.id = o.id
    returning r.id, o.state as was, r.state as now
), come as (
    insert into releases.release as r (id, shop, version, rank, digest, kind, state, manifest, report, submitter_name,
                                       submitted_at, changed_at, live_at)
    select :id, :shop, :version, :rank, :digest, 'folder', 'live', :manifest, '[]', :name, :at, :at, :at
    from fit where (select count(*) from out) >= 0
    on conflict (shop, version, digest) do update set state = 'live', changed_at = :at, live_at = :at
    returning r.id
)
insert into releases.step (release_id, shop, at, name, move, was, now, percent, note)
select id, :shop, :at, :name, 'deploy', coalesce((select state from known), 'draft'), 'live', 0, '' from come
union all
select id, :shop, :at, :name, case when now = 'replaced' then 'replace' else 'drop' end, was, now, 0, '' from out
returning release_id;

-- name: release(id)^
-- record_class: ReleaseRow
select id, shop, version, digest, kind, state, percent, submitter, submitter_name, approver, submitted_at, changed_at,
       live_at
from releases.release where id = :id;

-- name: some(shop, states, before, most)
-- record_class: ReleaseRow
select id, shop, version, digest, kind, state, percent, submitter, submitter_name, approver, submitted_at, changed_at,
       live_at
from releases.release
where (:shop::text is null or shop = :shop) and (:states::text[] is null or state = any(:states))
  and (:before::uuid is null or id < :before)
order by id desc limit :most;

-- name: papers(id)^
-- record_class: PapersRow
select manifest, report from releases.release where id = :id;

-- name: prior(id, shop, live_at)^
-- record_class: PriorRow
-- What citizens had before this release, or have while it is looked at: not what was live most lately,
-- for that may have been rolled back, and what it asked for in vain must stand out the next time too.
select r.version, r.manifest from releases.release r join releases.step s on s.release_id = r.id
where r.shop = :shop and r.id <> :id and s.now = 'live' and (:live_at::timestamptz is null or s.at < :live_at)
order by s.no desc limit 1;

-- name: goes_back(shop)$
select exists (select from releases.release where shop = :shop and state = 'replaced');

-- name: account_taken(shop, account)$
select exists (select from releases.release
               where shop <> :shop and manifest ->> 'settlement_account' = :account
                 and state not in ('retired', 'withdrawn', 'rejected'));

-- name: highest(shop)$
select version from releases.release where shop = :shop order by rank desc limit 1;

-- name: steps(id, most)
-- record_class: Step
select at, name, move, was, now, percent, note from releases.step where release_id = :id order by no limit :most;

-- name: placed()
-- record_class: PlacedRow
-- Of each shop what serves, what is on trial, or how it ended.
select shop, version, digest, kind, state, percent from releases.release r
where state in ('live', 'canary', 'suspended')
   or (state = 'retired' and not exists (
       select from releases.release o where o.shop = r.shop
         and (o.state in ('live', 'suspended') or (o.state = 'retired' and (o.live_at, o.id) > (r.live_at, r.id)))))
order by shop, state;

-- name: manifests(digests)
-- record_class: ManifestRow
select distinct on (digest) digest, manifest from releases.release where digest = any(:digests::text[]);
