-- the releases of every shop, and each step that was taken with one
-- depends:

-- migrate: apply

-- One manifest of one shop. Found in a folder (`folder`) or handed in by its department
-- (`submitted`). `rank` sorts as the version does (rules.rank).
create table releases.release (
    id             uuid        primary key,
    shop           text        not null,
    version        text        not null,
    rank           text        collate "C" not null,
    digest         text        not null check (digest ~ '^[0-9a-f]{64}$'),
    kind           text        not null check (kind in ('folder', 'submitted')),
    state          text        not null check (state in ('submitted', 'approved', 'rejected', 'canary', 'live',
                                                         'replaced', 'suspended', 'retired', 'withdrawn')),
    percent        smallint    not null default 0 check (percent between 0 and 100),
    manifest       jsonb       not null,
    report         jsonb       not null,
    submitter      uuid        check ((submitter is not null) = (kind = 'submitted')),
    submitter_name text        not null,
    approver       uuid        check (approver <> submitter),
    submitted_at   timestamptz not null,
    changed_at     timestamptz not null,
    live_at        timestamptz,
    unique (shop, version, digest)
);
-- A department's version names one manifest; whoever runs the city may redeploy a folder.
create unique index release_version on releases.release (shop, version) where kind = 'submitted';
-- A shop has one release that serves (or is suspended), and one on trial.
create unique index release_main on releases.release (shop) where state in ('live', 'suspended');
create unique index release_canary on releases.release (shop) where state = 'canary';
create index release_state on releases.release (state, id desc);

-- Who did what, in order; only ever added to. `who` is null where city IT deployed a folder.
create table releases.step (
    no         bigint      generated always as identity primary key,
    release_id uuid        not null references releases.release,
    shop       text        not null,
    at         timestamptz not null,
    who        uuid,
    name       text        not null,
    move       text        not null,
    was        text        not null,
    now        text        not null,
    percent    smallint    not null,
    note       text        not null check (length(note) <= 1000),
    check (was || ' ' || move || ' ' || now in (
        'draft submit submitted',
        'draft deploy live',
        'submitted approve approved',
        'submitted reject rejected',
        'approved reject rejected',
        'approved canary canary',
        'canary canary canary',
        'approved publish live',
        'canary publish live',
        'live suspend suspended',
        'suspended resume live',
        'live retire retired',
        'suspended retire retired',
        'canary rollback withdrawn',
        'live rollback withdrawn',
        'suspended rollback withdrawn',
        'replaced restore live',
        'live replace replaced',
        'live drop withdrawn',
        'suspended drop withdrawn',
        'canary drop withdrawn',
        'replaced drop withdrawn',
        'replaced deploy live',
        'withdrawn deploy live'))
);
create index step_release on releases.step (release_id, no);

revoke delete on releases.release from civicmall_app;
revoke update, delete on releases.step from civicmall_app;

-- migrate: rollback

drop table releases.step;
drop table releases.release;
