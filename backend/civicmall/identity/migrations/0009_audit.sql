-- what was agreed to, by claim and purpose; a citizen's audit: lines that are only ever added to
-- depends: 0001_identity

-- migrate: apply

-- One row per claim and purpose: `purpose` is its text in zh-CN, so another purpose is asked for anew
-- (PIPL article 14). What was taken back stays, so that one can see what held when.
alter table identity.consent rename to consent_before;
alter index identity.consent_pkey rename to consent_before_pkey;

create table identity.consent (
    bucket        smallint    not null,
    citizen_id    uuid        not null,
    grantee       text        not null check (length(grantee) <= 200),
    claim         text        not null check (length(claim) <= 80),
    purpose       text        not null check (length(purpose) <= 400),
    given_at      timestamptz not null default now(),
    texts         jsonb       not null,
    given_by      uuid,
    taken_back_at timestamptz,
    taken_back_by uuid,
    primary key (bucket, citizen_id, grantee, claim, purpose, given_at),
    check (taken_back_at >= given_at)
);
create unique index consent_stands on identity.consent (bucket, citizen_id, grantee, claim, purpose)
    where taken_back_at is null;

-- Before this, the purpose wasn't kept: it is filled in from the manifests when the server is prepared.
insert into identity.consent (bucket, citizen_id, grantee, claim, purpose, given_at, texts)
select bucket, citizen_id, shop || '/' || app, claim, '', given_at, '{}'
from identity.consent_before, unnest(claims) claim
on conflict do nothing;
drop table identity.consent_before;

-- A line of the audit, to the byte: a JSON object in PostgreSQL's spelling. Its SHA-256 is the line's
-- hash, and `prev` is the hash of the line before.
create function identity.audit_line(
    citizen_id uuid, seq bigint, at timestamptz, kind text, reader text, claims text[], purpose text,
    reason text, by uuid, again int, prev bytea
) returns text language sql stable as $$
    select json_build_object(
        'v', 1, 'citizen', citizen_id, 'seq', seq,
        'at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'kind', kind, 'reader', reader, 'claims', claims, 'purpose', purpose, 'reason', reason,
        'by', by, 'again', again, 'prev', encode(prev, 'hex'))::text
$$;

create table identity.audit (
    bucket     smallint    not null check (bucket between 0 and 255),
    citizen_id uuid        not null,
    seq        bigint      not null check (seq > 0),
    at         timestamptz not null default now(),
    kind       text        not null,
    reader     text        not null,
    claims     text[]      not null,
    purpose    text        not null,
    reason     text        not null,
    by         uuid,
    again      int         not null check (again >= 0),
    prev       bytea       not null check (length(prev) = 32),
    hash       bytea       not null check (length(hash) = 32),
    primary key (bucket, citizen_id, seq)
);
-- Lines come in the order of their time: a note for each quarter of a megabyte finds a day's.
create index audit_by_time on identity.audit
    using brin (at) with (pages_per_range = 32, autosummarize = on);

-- Where each citizen's chain ends: whoever adds a line moves it, and waits for whoever does so now.
create table identity.audit_head (
    bucket     smallint not null,
    citizen_id uuid     not null,
    seq        bigint   not null default 0,
    prev       bytea    not null default decode(repeat('00', 32), 'hex'),
    hash       bytea    not null default decode(repeat('00', 32), 'hex'),
    primary key (bucket, citizen_id)
) with (fillfactor = 70);

-- The same reading again by the same person within the hour leaves no line of its own; the next line says how often.
create table identity.audit_reading (
    bucket      smallint    not null,
    citizen_id  uuid        not null,
    reader      text        not null,
    purpose     text        not null,
    claims      text[]      not null,
    by          uuid,
    hour_at     timestamptz not null,
    again       int         not null default 0,
    again_before int        not null default 0,
    last_at     timestamptz not null default now(),
    primary key (bucket, citizen_id, reader, purpose)
) with (fillfactor = 70);

-- One bucket's business day (Asia/Shanghai): how far each chain had come that moved on it (16 bytes of
-- the citizen, 8 of the number, 32 of the hash), and a digest of that upon the day before.
create table identity.audit_anchor (
    bucket    smallint    not null check (bucket between 0 and 255),
    day_on    date        not null,
    lines     bigint      not null,
    heads     bytea       not null check (length(heads) % 56 = 0),
    digest    bytea       not null check (length(digest) = 32),
    closed_at timestamptz not null default now(),
    primary key (bucket, day_on)
);
create index audit_anchor_of_day on identity.audit_anchor (day_on, bucket);

-- One row over all buckets, signed.
create table identity.audit_day (
    day_on    date        not null primary key,
    lines     bigint      not null,
    root      bytea       not null check (length(root) = 32),
    sealed_at timestamptz not null,
    signature bytea       not null check (length(signature) = 64)
);

insert into identity.audit_head (bucket, citizen_id) select bucket, id from identity.citizen;

-- What was counted per day becomes a line each, in the order of time.
do $$
declare
    was record;
    head record;
    text_ text;
begin
    for was in select * from identity.access order by bucket, citizen_id, last_at, reader, purpose loop
        insert into identity.audit_head (bucket, citizen_id) values (was.bucket, was.citizen_id)
        on conflict do nothing;
        select * into head from identity.audit_head h
        where h.bucket = was.bucket and h.citizen_id = was.citizen_id;
        text_ := identity.audit_line(was.citizen_id, head.seq + 1, was.last_at, 'read', was.reader,
                                     was.claims, was.purpose, '', null, was.times - 1, head.hash);
        update identity.audit_head h
        set seq = h.seq + 1, prev = h.hash, hash = sha256(convert_to(text_, 'UTF8'))
        where h.bucket = was.bucket and h.citizen_id = was.citizen_id;
        insert into identity.audit (bucket, citizen_id, seq, at, kind, reader, claims, purpose, reason,
                                    by, again, prev, hash)
        values (was.bucket, was.citizen_id, head.seq + 1, was.last_at, 'read', was.reader, was.claims,
                was.purpose, '', null, was.times - 1, head.hash, sha256(convert_to(text_, 'UTF8')));
        insert into identity.audit_reading (bucket, citizen_id, reader, purpose, claims, hour_at, last_at)
        values (was.bucket, was.citizen_id, was.reader, was.purpose, was.claims,
                date_trunc('hour', was.last_at), was.last_at)
        on conflict (bucket, citizen_id, reader, purpose) do update
        set claims = excluded.claims, hour_at = excluded.hour_at, last_at = excluded.last_at;
    end loop;
end $$;
drop table identity.access;

-- The program adds lines, and neither changes nor removes one, nor says when it was.
revoke insert, update, delete, truncate on identity.audit from civicmall_app;
grant insert (bucket, citizen_id, seq, kind, reader, claims, purpose, reason, by, again, prev, hash)
    on identity.audit to civicmall_app;
revoke update, delete, truncate on identity.audit_anchor, identity.audit_day from civicmall_app;
revoke delete, truncate on identity.audit_head from civicmall_app;
revoke delete, truncate on identity.consent from civicmall_app;

-- The one way in which lines go: those that are anchored, and older than three years.
create function identity.audit_forget(of_bucket smallint, citizens uuid[], seqs bigint[])
returns bigint language sql security definer set search_path to pg_catalog as $$
    with gone as (
        delete from identity.audit a
        using unnest(citizens, seqs) as upto(citizen_id, seq)
        where a.bucket = of_bucket and a.citizen_id = upto.citizen_id and a.seq <= upto.seq
          and a.at < now() - interval '3 years'
        returning 1
    )
    select count(*) from gone
$$;
revoke execute on function identity.audit_forget(smallint, uuid[], bigint[]) from public;
grant execute on function identity.audit_forget(smallint, uuid[], bigint[]) to civicmall_app;

-- migrate: rollback

drop function identity.audit_forget(smallint, uuid[], bigint[]);
drop table identity.audit_day, identity.audit_anchor, identity.audit_reading, identity.audit_head,
           identity.audit, identity.consent;
drop function identity.audit_line(
    uuid, bigint, timestamptz, text, text, text[], text, text, uuid, int, bytea);
create table identity.access (
    bucket     smallint    not null,
    citizen_id uuid        not null,
    day        date        not null,
    reader     text        not null,
    claims     text[]      not null,
    purpose    text        not null,
    times      int         not null default 1,
    last_at    timestamptz not null default now(),
    primary key (bucket, citizen_id, day, reader, purpose)
);
create table identity.consent (
    bucket     smallint    not null,
    citizen_id uuid        not null,
    shop       text        not null,
    app        text        not null,
    claims     text[]      not null,
    given_at   timestamptz not null default now(),
    primary key (bucket, citizen_id, shop, app)
);
