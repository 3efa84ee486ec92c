-- closed days of the ledger: what stood in them, chained from day to day and signed
-- depends: 0002_refunds

-- migrate: apply

-- The program may not say when something was posted: that is the database's own clock, now().
revoke insert on payments.posting from civicmall_app;
grant insert (bucket, id, order_id, kind, accounts, amounts) on payments.posting to civicmall_app;
alter table payments.posting add constraint posting_bucket check (bucket between 0 and 255);

-- Rows come in the order of their time, so a note for each quarter of a megabyte finds a day's
-- postings; unlike a tree, it costs whoever posts nothing.
create index posting_by_time on payments.posting
    using brin (posted_at) with (pages_per_range = 32, autosummarize = on);

-- One bucket's postings of one business day (Asia/Shanghai), as they stood when it was closed.
create table payments.ledger_bucket (
    bucket    smallint    not null check (bucket between 0 and 255),
    day_on    date        not null,
    postings  bigint      not null,
    accounts  text[]      not null,
    totals    bigint[]    not null,
    entries   bigint[]    not null,
    marks     bytea       not null,
    digest    bytea       not null check (length(digest) = 32),
    closed_at timestamptz not null default now(),
    primary key (bucket, day_on),
    check (length(marks) = 8 * postings),
    check (cardinality(accounts) = cardinality(totals) and cardinality(accounts) = cardinality(entries)),
    check (payments.sums_to_zero(totals))
);
create index ledger_bucket_of_day on payments.ledger_bucket (day_on, bucket);

-- One row for all buckets: balances at the end of the day, and one root for the whole past.
create table payments.ledger_day (
    day_on    date        not null primary key,
    postings  bigint      not null,
    accounts  text[]      not null,
    balances  bigint[]    not null,
    entries   bigint[]    not null,
    root      bytea       not null check (length(root) = 32),
    sealed_at timestamptz not null,
    signature bytea       not null check (length(signature) = 64),
    closed_at timestamptz not null default now(),
    check (cardinality(accounts) = cardinality(balances) and cardinality(accounts) = cardinality(entries)),
    check (payments.sums_to_zero(balances))
);
revoke update, delete, truncate on payments.ledger_bucket, payments.ledger_day from civicmall_app;

-- migrate: rollback

drop table payments.ledger_day, payments.ledger_bucket;
drop index payments.posting_by_time;
alter table payments.posting drop constraint posting_bucket;
grant insert on payments.posting to civicmall_app;
