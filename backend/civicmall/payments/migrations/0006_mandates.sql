-- bills that are debited by themselves: mandates, their debits, and what the sandbox's bank keeps of them
-- depends: 0002_refunds

-- migrate: apply

-- What a citizen allowed. `month_minor` is what was taken, or is being taken, in the month `month_on`
-- (its first day, Asia/Shanghai): one row holds the state and the caps, so one write guards both.
create table payments.mandate (
    bucket          smallint    not null,
    id              uuid        not null,
    citizen_id      uuid        not null,
    shop            text        not null,
    app             text        not null,
    beneficiary     text        not null default '',
    channel         text        not null,
    cap_minor       bigint      not null check (cap_minor > 0),
    month_cap_minor bigint      not null,
    month_on        date,
    month_minor     bigint      not null default 0,
    ends_on         date,
    state           text        not null check (state in
        ('waiting', 'active', 'paused', 'revoked', 'ended')),
    was             text,
    why             text        not null default '' check (why ~ '^[a-z_]{0,40}$'),
    agreement       text,
    made_at         timestamptz not null,
    moved_at        timestamptz not null,
    look_at         timestamptz,
    primary key (bucket, id),
    check (month_cap_minor >= cap_minor),
    constraint mandate_month check (month_minor between 0 and month_cap_minor),
    constraint mandate_step check (coalesce(was, '') || '>' || state in (
        '>waiting', 'waiting>active', 'active>paused', 'paused>active', 'waiting>revoked',
        'active>revoked', 'paused>revoked', 'waiting>ended', 'active>ended', 'paused>ended')),
    check (state not in ('active', 'paused') or agreement is not null),
    check ((look_at is not null) = (state in ('waiting', 'active')))
);
create unique index mandate_once on payments.mandate (bucket, citizen_id, shop, app, beneficiary)
    where state in ('waiting', 'active', 'paused');
create index mandate_of_citizen on payments.mandate (bucket, citizen_id, id);
create index mandate_look on payments.mandate (look_at) where look_at is not null;
create index mandate_ends on payments.mandate (ends_on)
    where ends_on is not null and state in ('waiting', 'active', 'paused');

-- One bill on its way to being debited. Nothing is debited without a reminder three days before, nor
-- without a share of the month's cap (`month_on`): the row itself refuses.
create table payments.mandate_debit (
    bucket       smallint    not null,
    id           uuid        not null,
    mandate_id   uuid        not null,
    citizen_id   uuid        not null,
    shop         text        not null,
    app          text        not null,
    charge_id    text        not null,
    title        jsonb       not null check (title ? 'zh-CN'),
    beneficiary  jsonb       not null check (beneficiary ? 'zh-CN'),
    period       text        not null,
    amount_minor bigint      not null check (amount_minor > 0),
    due_on       date        not null,
    debit_on     date        not null,
    try_on       date        not null,
    tries        smallint    not null default 0 check (tries between 0 and 3),
    state        text        not null check (state in
        ('found', 'announced', 'debiting', 'paid', 'skipped', 'held', 'stopped', 'failed')),
    was          text,
    why          text        not null default '' check (why ~ '^[a-z_]{0,40}$'),
    reminder_id  uuid,
    announced_on date,
    order_id     uuid,
    round        smallint    not null default 0,
    month_on     date,
    next_at      timestamptz,
    found_at     timestamptz not null,
    ended_at     timestamptz,
    primary key (bucket, id),
    constraint mandate_debit_step check (coalesce(was, '') || '>' || state in (
        '>found', '>held', 'found>found', 'found>announced', 'found>stopped', 'announced>found',
        'announced>debiting', 'announced>skipped', 'announced>held', 'announced>stopped',
        'announced>failed', 'debiting>paid', 'debiting>announced', 'debiting>skipped',
        'debiting>stopped', 'debiting>failed')),
    constraint mandate_debit_reminded check (state not in ('announced', 'debiting', 'paid')
        or (reminder_id is not null and announced_on is not null and debit_on - announced_on >= 3)),
    constraint mandate_debit_day check (try_on between debit_on and debit_on + 2),
    constraint mandate_debit_reserved check (
        (state in ('debiting', 'paid')) = (month_on is not null)
        and (month_on is null or (order_id is not null and tries > 0))),
    check ((next_at is not null) = (state in ('announced', 'debiting'))),
    check ((ended_at is not null) = (state in ('paid', 'skipped', 'held', 'stopped', 'failed')))
);
-- A mandate has a bill in hand once, and whoever has several mandates is debited for it by one.
create unique index mandate_debit_bill on payments.mandate_debit (bucket, mandate_id, charge_id)
    where state not in ('skipped', 'stopped');
create unique index mandate_debit_once on payments.mandate_debit (bucket, citizen_id, shop, charge_id)
    where state in ('found', 'announced', 'debiting', 'paid');
create index mandate_debit_of_mandate on payments.mandate_debit (bucket, mandate_id, id);
create index mandate_debit_of_order on payments.mandate_debit (bucket, order_id)
    where order_id is not null;
create index mandate_debit_due on payments.mandate_debit (next_at) where next_at is not null;
create index mandate_debit_unreminded on payments.mandate_debit (found_at) where state = 'found';

-- The sandbox's bank: whom it lets us debit, and how its account behaves.
create table payments.sandbox_agreement (
    bucket     smallint not null,
    mandate_id uuid     not null,
    payer      uuid     not null,
    cap_minor  bigint   not null,
    state      text     not null check (state in ('waiting', 'signed', 'refused', 'ended')),
    mood       text     not null default 'works' check (mood in
        ('works', 'no_funds', 'callback_only')),
    primary key (bucket, mandate_id)
);
create index sandbox_agreement_of_payer on payments.sandbox_agreement (bucket, payer);

-- migrate: rollback

drop table payments.sandbox_agreement, payments.mandate_debit, payments.mandate;
