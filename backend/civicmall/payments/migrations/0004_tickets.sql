-- what operators must look into, and the statements of channels that say what it is
-- depends: 0002_refunds

-- migrate: apply

-- For operators, so keyed by what it is about; an order's id says itself where the order lives.
create table payments.ticket (
    id            uuid        not null primary key,
    kind          text        not null check (kind ~ '^[a-z_]{1,40}$'),
    channel       text        not null,
    reference     text        not null check (length(reference) between 1 and 120),
    order_id      uuid,
    refund_id     uuid,
    here_minor    bigint,
    there_minor   bigint,
    day_on        date,
    line          int,
    reason        text        not null default '' check (length(reason) <= 200),
    state         text        not null check (state in ('open', 'resolved')),
    opened_at     timestamptz not null default now(),
    seen_at       timestamptz not null default now(),
    due_on        date        not null,
    resolved_at   timestamptz,
    resolved_by   text,
    resolved_name text        not null default '',
    note          text        not null default '' check (length(note) <= 1000),
    unique (channel, kind, reference),
    check ((state = 'resolved') = (resolved_at is not null)),
    check ((resolved_at is not null) = (resolved_by is not null))
);
create index ticket_newest on payments.ticket (opened_at desc, id desc);
create index ticket_open on payments.ticket (due_on, opened_at, id) where state = 'open';
create index ticket_of_day on payments.ticket (channel, day_on) where state = 'open';

-- Working days are the program's to count; five days hold three of them but for long holidays.
insert into payments.ticket (id, kind, channel, reference, order_id, there_minor, state, opened_at,
                             seen_at, due_on, resolved_at, resolved_by)
select gen_random_uuid(), outcome, channel, txn, order_id, amount_minor,
       case when resolved_at is null then 'open' else 'resolved' end, seen_at, seen_at,
       (seen_at at time zone 'Asia/Shanghai')::date + 5, resolved_at,
       case when resolved_at is not null then 'system' end
from payments.mismatch
on conflict do nothing;
drop table payments.mismatch;

-- A day's statement of a channel: which file, how far it was read, what came of it.
create table payments.statement (
    id         int         generated always as identity primary key,
    channel    text        not null,
    day_on     date        not null,
    digest     bytea       not null check (length(digest) = 32),
    size_bytes bigint      not null,
    state      text        not null default 'reading' check (state in ('reading', 'read', 'matched')),
    skip_bad   boolean     not null default false,
    at_byte    bigint      not null default 0,
    at_line    int         not null default 0,
    entries    bigint      not null default 0,
    bad        bigint      not null default 0,
    tally      bigint[]    not null,
    round      int         not null default 1,
    round_at   timestamptz not null default now(),
    outcomes   text[]      not null default '{}',
    counts     bigint[]    not null default '{}',
    there      bigint[]    not null default '{}',
    here       bigint[]    not null default '{}',
    fee_minor  bigint      not null default 0,
    begun_at   timestamptz not null default now(),
    matched_at timestamptz,
    unique (channel, day_on, digest),
    check (at_byte <= size_bytes),
    check ((state = 'matched') <= (matched_at is not null))
);
create index statement_newest on payments.statement (day_on desc, channel);

-- Its rows. Written in bulk, in the order of buckets within each piece of the file.
create table payments.statement_row (
    bucket       smallint    not null,
    statement    int         not null,
    line         int         not null,
    kind         text        not null,
    number       uuid,
    original     uuid,
    strange      text,
    txn          text        not null,
    amount_minor bigint      not null,
    fee_minor    bigint      not null,
    happened_at  timestamptz not null,
    state        text        not null,
    primary key (bucket, statement, line)
);
create index statement_row_refund on payments.statement_row (bucket, number) where kind = 'refund';

-- Lines that could not be read: their number and why, never what stands in them.
create table payments.statement_bad (
    statement int  not null,
    line      int  not null,
    reason    text not null,
    primary key (statement, line)
);

-- What doesn't fit, and what was done about it.
create table payments.statement_gap (
    bucket      smallint    not null,
    statement   int         not null,
    round       int         not null,
    kind        text        not null,
    reference   text        not null,
    line        int,
    number      uuid,
    order_id    uuid,
    txn         text,
    there_minor bigint,
    here_minor  bigint,
    happened_at timestamptz not null,
    outcome     text check (outcome in ('repaired', 'begun', 'ticket')),
    primary key (bucket, statement, round, kind, reference)
);

-- One bucket's part of a day's result; the fee is what was posted for it.
create table payments.reconciled (
    bucket    smallint    not null check (bucket between 0 and 255),
    channel   text        not null,
    day_on    date        not null,
    statement int         not null,
    round     int         not null,
    outcomes  text[]      not null,
    counts    bigint[]    not null,
    there     bigint[]    not null,
    here      bigint[]    not null,
    fee_minor bigint      not null,
    was_minor bigint      not null,
    done_at   timestamptz not null default now(),
    primary key (bucket, channel, day_on)
);

-- A day of ours is found by time: notes for each quarter of a megabyte cost whoever pays nothing.
create index channel_payment_by_time on payments.channel_payment
    using brin (paid_at) with (pages_per_range = 32, autosummarize = on);
create index refund_by_end on payments.refund (ended_at) where state = 'done';

-- migrate: rollback

drop index payments.refund_by_end, payments.channel_payment_by_time;
drop table payments.reconciled, payments.statement_gap, payments.statement_bad,
           payments.statement_row, payments.statement;
create table payments.mismatch (
    channel      text        not null,
    txn          text        not null,
    bucket       smallint    not null,
    order_id     uuid        not null,
    amount_minor bigint      not null,
    outcome      text        not null,
    seen_at      timestamptz not null,
    resolved_at  timestamptz,
    primary key (channel, txn, bucket)
);
insert into payments.mismatch (channel, txn, bucket, order_id, amount_minor, outcome, seen_at, resolved_at)
select channel, reference, ('x' || right(order_id::text, 2))::bit(8)::int, order_id, there_minor, kind,
       opened_at, resolved_at
from payments.ticket where kind in ('amount_differs', 'unknown_order', 'late', 'double');
drop table payments.ticket;
