-- accounts, meters, readings, bills with their lines, payments
-- depends:

-- migrate: apply

-- Whose an account is can only be found with the ID number in hand: holder is its keyed hash.
create table account (
    number           text     primary key,
    utility          text     not null check (utility in ('water', 'power', 'gas', 'heating')),
    holder           bytea    not null check (length(holder) = 32),
    persons          smallint not null check (persons between 1 and 50),
    floor_area_milli bigint   check (floor_area_milli > 0),
    opened_on        date     not null,
    check ((utility = 'heating') = (floor_area_milli is not null))
);
create index account_holder on account (holder, utility);

create table meter (
    id           text primary key,
    account      text not null unique references account,
    installed_on date not null
);

-- Taken at the beginning of the day, in thousandths of the utility's unit.
create table reading (
    meter       text    not null references meter,
    read_on     date    not null,
    value_milli bigint  not null check (value_milli >= 0),
    estimated   boolean not null,
    primary key (meter, read_on)
);

-- Half open: period_until is the first day that is not in it. Nothing changes once it is issued.
create table bill (
    id                text     primary key,
    account           text     not null references account,
    persons           smallint not null,
    period_from       date     not null,
    period_until      date     not null check (period_until > period_from),
    issued_on         date     not null,
    due_on            date     not null check (due_on >= issued_on),
    usage_milli       bigint   check (usage_milli >= 0),
    used_before_milli bigint   not null check (used_before_milli >= 0),
    amount_minor      bigint   not null check (amount_minor > 0),
    unique (account, period_from)
);

create table bill_line (
    bill              text     not null references bill,
    position          smallint not null,
    tariff            text     not null,
    component         text     not null,
    tier              smallint not null,
    since             date     not null,
    until             date     not null,
    quantity_milli    bigint   not null,
    price_milli_minor bigint   not null,
    amount_minor      bigint   not null,
    primary key (bill, position)
);

-- The key is the guard: a bill is paid once. late_fee_minor is part of amount_minor.
create table payment (
    bill           text        primary key references bill,
    payment_id     text        not null,
    receipt        text        not null unique,
    amount_minor   bigint      not null,
    late_fee_minor bigint      not null check (late_fee_minor >= 0 and late_fee_minor < amount_minor),
    paid_at        timestamptz not null,
    booked_at      timestamptz not null
);

-- migrate: rollback

drop table payment, bill_line, bill, reading, meter, account;
