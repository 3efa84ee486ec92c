-- name: begin(bucket, citizen_id)!
insert into identity.audit_head (bucket, citizen_id) values (:bucket, :citizen_id)
on conflict do nothing;

-- name: note(bucket, citizen_id, kind, reader, claims, purpose, reason, by, fold)$
-- A line at the end of the citizen's chain; whoever adds another waits for this one. With `fold` the
-- same reading again within the hour is only counted. False: there is no chain yet.
with chain as (
    select exists (select from identity.audit_head h
                   where h.bucket = :bucket and h.citizen_id = :citizen_id) as begun
), counted as (
    insert into identity.audit_reading as r (bucket, citizen_id, reader, purpose, claims, by, hour_at)
    select :bucket, :citizen_id, :reader::text, :purpose::text, :claims::text[], :by::uuid,
           date_trunc('hour', now())
    from chain where begun and :fold::boolean
    on conflict (bucket, citizen_id, reader, purpose) do update
    set again = case when r.hour_at >= excluded.hour_at and r.claims = excluded.claims
                          and r.by is not distinct from excluded.by then r.again + 1 else 0 end,
        again_before = case when r.hour_at >= excluded.hour_at and r.claims = excluded.claims
                                 and r.by is not distinct from excluded.by
                            then r.again_before else r.again end,
        hour_at = excluded.hour_at, claims = excluded.claims, by = excluded.by, last_at = now()
    returning r.again, r.again_before
), new as (
    select again_before as again from counted where again = 0
    union all
    select 0 where not :fold::boolean
), head as (
    update identity.audit_head h
    set seq = h.seq + 1, prev = h.hash, hash = sha256(convert_to(identity.audit_line(
            h.citizen_id, h.seq + 1, now(), :kind::text, :reader, :claims, :purpose, :reason::text,
            :by::uuid, n.again, h.hash), 'UTF8'))
    from new n where h.bucket = :bucket and h.citizen_id = :citizen_id
    returning h.seq, h.prev, h.hash, n.again
), line as (
    insert into identity.audit
        (bucket, citizen_id, seq, kind, reader, claims, purpose, reason, by, again, prev, hash)
    select :bucket, :citizen_id, seq, :kind, :reader, :claims, :purpose, :reason, :by, again, prev, hash
    from head
)
select begun from chain;

-- name: accesses(bucket, citizen_id, before, reader, since_at, until_at, most)
-- record_class: AccessRead
-- What was read again within the hour stands in the reader's next line, or is being counted still. The
-- lines after the page are read once: to look for each row's next one reads them for each row.
with page as (
    select a.seq, a.at, a.reader, a.claims, a.purpose, a.reason, a.by
    from identity.audit a
    where a.bucket = :bucket and a.citizen_id = :citizen_id and a.kind = 'read'
      and (:before::bigint is null or a.seq < :before::bigint)
      and (:reader::text is null or a.reader = :reader::text)
      and (:since_at::timestamptz is null or a.at >= :since_at::timestamptz)
      and (:until_at::timestamptz is null or a.at < :until_at::timestamptz)
    order by a.seq desc limit :most
), ahead as materialized (
    select seq, again from (
        select n.seq, lead(n.again) over (
            partition by n.reader collate "C", n.purpose collate "C" order by n.seq) as again
        from identity.audit n
        where n.bucket = :bucket and n.citizen_id = :citizen_id and n.kind = 'read' and n.reason = ''
          and n.seq >= (select min(seq) from page)
          and (:reader::text is null or n.reader = :reader::text)
    ) every
    where seq <= (select max(seq) from page)
)
select p.seq, p.at, p.reader, p.claims, p.purpose, p.reason, p.by,
       1 + case when p.reason <> '' then 0 else coalesce(
           h.again,
           (select r.again from identity.audit_reading r
            where r.bucket = :bucket and r.citizen_id = :citizen_id and r.reader = p.reader
              and r.purpose = p.purpose), 0) end as times
from page p left join ahead h on h.seq = p.seq
order by p.seq desc;

-- name: staff_marks(ids)
-- record_class: StaffMark
select id, role, shop from identity.staff where id = any(:ids::uuid[]);

-- name: lines(bucket, citizen_id, before, most)
-- record_class: Line
select bucket, citizen_id, seq, at, kind, reader, claims, purpose, reason, by, again, prev, hash
from identity.audit
where bucket = :bucket and citizen_id = :citizen_id
  and (:before::bigint is null or seq < :before::bigint)
order by seq desc limit :most;

-- name: readers(bucket, citizen_id, most)
-- Signing in at a client and acting are counted in the same place, and are no reading.
select reader from identity.audit_reading
where bucket = :bucket and citizen_id = :citizen_id and reader <> ''
  and purpose <> 'client.sign_in'
union
select reader from (
    select reader from identity.audit
    where bucket = :bucket and citizen_id = :citizen_id and kind = 'read'
    order by seq desc limit 1000) lately
order by 1 limit :most;

-- name: standing()^
-- record_class: Standing
-- Of other roles' transactions PostgreSQL doesn't tell; the program's are what adds lines.
select now() as now_at,
       (select max(day_on) from identity.audit_day) as last_on,
       case when not exists (select from identity.audit_day)
            then (select min(at) from identity.audit) end as first_at,
       least((select min(xact_start) from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid()),
             (select min(prepared) from pg_prepared_xacts where database = current_database())
       ) as oldest_at;

-- name: alone(key)$
-- Whether no other process closes at this time; held until the transaction ends.
select pg_try_advisory_xact_lock(:key::bigint);

-- name: heads(start_at, end_at)
-- record_class: Head
-- A day is read once over all buckets, found by time.
select bucket, citizen_id, seq, hash, lines
from (select bucket, citizen_id, seq, hash,
             count(*) over (partition by bucket) as lines,
             row_number() over (partition by bucket, citizen_id order by seq desc) as no
      from identity.audit where at >= :start_at::timestamptz and at < :end_at::timestamptz) day
where no = 1 order by bucket, citizen_id;

-- name: lines_between(start_at, end_at)
-- record_class: LineAfter
select a.bucket, a.citizen_id, a.seq, a.at, a.kind, a.reader, a.claims, a.purpose, a.reason, a.by,
       a.again, a.prev, a.hash, b.hash as before
from identity.audit a left join identity.audit b
    on b.bucket = a.bucket and b.citizen_id = a.citizen_id and b.seq = a.seq - 1
where a.at >= :start_at::timestamptz and a.at < :end_at::timestamptz
order by a.bucket, a.citizen_id, a.seq;

-- name: close_bucket(bucket, day_on, lines, heads, digest, previous, end_at, grace_s)!
-- Only once the day and the grace are over, and after the day that the digest was made upon.
insert into identity.audit_anchor (bucket, day_on, lines, heads, digest)
select :bucket, :day_on, :lines, :heads, :digest
where now() >= :end_at::timestamptz + make_interval(secs => :grace_s::float8)
  and case when :previous::bytea is null
           then not exists (select from identity.audit_anchor
                            where bucket = :bucket and day_on < :day_on::date)
           else exists (select from identity.audit_anchor
                        where bucket = :bucket and day_on = :day_on::date - 1
                          and digest = :previous::bytea) end
on conflict do nothing;

-- name: close_day(day_on, lines, root, sealed_at, signature, previous)!
insert into identity.audit_day (day_on, lines, root, sealed_at, signature)
select :day_on, :lines, :root, :sealed_at, :signature
where (select count(*) from identity.audit_anchor where day_on = :day_on::date) = 256
  and case when :previous::bytea is null then not exists (select from identity.audit_day)
           else exists (select from identity.audit_day
                        where day_on = :day_on::date - 1 and root = :previous::bytea) end
on conflict do nothing;

-- name: anchors(day_on)
-- record_class: Anchor
select bucket, day_on, lines, heads, digest from identity.audit_anchor
where day_on = :day_on order by bucket;

-- name: anchors_of(day_on, buckets)
-- record_class: Anchor
select bucket, day_on, lines, heads, digest from identity.audit_anchor
where day_on = :day_on and bucket = any(:buckets::smallint[]) order by bucket;

-- name: digests(day_on)
-- record_class: BucketDigest
select bucket, digest from identity.audit_anchor where day_on = :day_on order by bucket;

-- name: count_buckets(start_at, end_at, buckets)
select bucket, count(*) as lines from identity.audit
where at >= :start_at::timestamptz and at < :end_at::timestamptz and bucket = any(:buckets::smallint[])
group by bucket;

-- name: ends_now(bucket, citizens, seqs)
-- record_class: EndNow
-- Lines by their keys, each beside its chain's head.
select a.bucket, a.citizen_id, a.seq, a.at, a.kind, a.reader, a.claims, a.purpose, a.reason, a.by,
       a.again, a.prev, a.hash, h.seq as head, h.hash as head_hash
from unnest(:citizens::uuid[], :seqs::bigint[]) as asked(citizen_id, seq)
join identity.audit a
    on a.bucket = :bucket and a.citizen_id = asked.citizen_id and a.seq = asked.seq
left join identity.audit_head h on h.bucket = :bucket and h.citizen_id = a.citizen_id;

-- name: days(first_on, last_on)
-- record_class: AuditDay
select day_on, lines, root, sealed_at, signature from identity.audit_day
where (:first_on::date is null or day_on >= :first_on::date)
  and (:last_on::date is null or day_on <= :last_on::date)
order by day_on;

-- name: wrong_heads(most)
-- record_class: WrongHead
-- Chains whose end isn't where their head says.
select coalesce(h.bucket, a.bucket) as bucket, coalesce(h.citizen_id, a.citizen_id) as citizen_id,
       h.seq, a.seq as last
from identity.audit_head h full join (
    select distinct on (bucket, citizen_id) bucket, citizen_id, seq, hash
    from identity.audit order by bucket, citizen_id, seq desc
) a on a.bucket = h.bucket and a.citizen_id = h.citizen_id
where coalesce(h.seq, 0) <> coalesce(a.seq, 0) or (a.seq is not null and h.hash <> a.hash)
   or (a.seq is null and h.hash <> decode(repeat('00', 32), 'hex'))
order by 1, 2 limit :most;

-- name: count_lines(start_at, end_at)$
select count(*) from identity.audit
where (:start_at::timestamptz is null or at >= :start_at::timestamptz)
  and (:end_at::timestamptz is null or at < :end_at::timestamptz);

-- name: forget_lines(bucket, citizens, seqs)$
select identity.audit_forget(:bucket, :citizens, :seqs);
