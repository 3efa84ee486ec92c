-- what departments are settled by: their entries as told by events, and what was paid out to them
-- depends: 0002_refunds

-- migrate: apply

-- One entry of a department's account as the lines and refunds tell it: fed by events, keyed by the
-- account, compared with the ledger before any statement is made of it. `posted_at` is the posting's.
create table payments.desk_entry (
    account        text        not null,
    kind           text        not null check (kind in ('payment', 'refund')),
    id             uuid        not null,
    no             smallint    not null,
    posted_at      timestamptz not null,
    shop           text        not null,
    order_id       uuid        not null,
    fee_code       text        not null,
    title          jsonb       not null,
    period         text        not null,
    amount_minor   bigint      not null check (amount_minor > 0),
    receipt_number text,
    primary key (account, kind, id, no)
);
create index desk_entry_in_time on payments.desk_entry (account, posted_at, id, no);
create index desk_entry_of_shop on payments.desk_entry (shop, account);

insert into payments.desk_entry (account, kind, id, no, posted_at, shop, order_id, fee_code, title,
                                 period, amount_minor, receipt_number)
select l.settlement_account, 'payment', l.order_id, l.no, p.posted_at, l.shop, l.order_id, l.fee_code,
       l.title, l.period, l.amount_minor, l.receipt ->> 'number'
from payments.posting p
join payments.line l on l.bucket = p.bucket and l.order_id = p.order_id
where p.kind = 'payment';

insert into payments.desk_entry (account, kind, id, no, posted_at, shop, order_id, fee_code, title,
                                 period, amount_minor, receipt_number)
select l.settlement_account, 'refund', r.id, l.no, r.ended_at, l.shop, l.order_id, l.fee_code,
       l.title, l.period, r.amount_minor, l.receipt ->> 'number'
from payments.refund r
join payments.line l on l.bucket = r.bucket and l.order_id = r.order_id and l.no = r.no
where r.state = 'done';

-- Lines went back before refunds had rows of their own.
insert into payments.desk_entry (account, kind, id, no, posted_at, shop, order_id, fee_code, title,
                                 period, amount_minor, receipt_number)
select distinct on (p.bucket, p.id)
       l.settlement_account, 'refund', p.id, l.no, p.posted_at, l.shop, l.order_id, l.fee_code,
       l.title, l.period, l.amount_minor, l.receipt ->> 'number'
from payments.posting p
join payments.line l on l.bucket = p.bucket and l.order_id = p.order_id and l.state = 'refunded'
    and p.accounts[1] = 'payable:' || l.settlement_account and p.amounts[1] = l.amount_minor
where p.kind = 'refund'
  and not exists (select from payments.refund r
                  where r.bucket = p.bucket and r.order_id = p.order_id and r.no is not null);

-- Money that went to a department's bank. The bucket is made of the account's name, so that all of
-- one account's lie together and its total is one row to guard by.
create table payments.payout (
    bucket       smallint    not null check (bucket between 0 and 255),
    id           uuid        not null,
    account      text        not null,
    shop         text        not null,
    first_on     date        not null,
    last_on      date        not null,
    amount_minor bigint      not null check (amount_minor > 0),
    reference    text        not null check (length(reference) between 1 and 80),
    paid_by      uuid        not null,
    paid_name    text        not null,
    paid_at      timestamptz not null default now(),
    primary key (bucket, id),
    check (first_on <= last_on)
);
create index payout_in_time on payments.payout (bucket, account, paid_at, id);
revoke update, delete, truncate on payments.payout from civicmall_app;

create table payments.payout_total (
    bucket     smallint not null,
    account    text     not null,
    paid_minor bigint   not null check (paid_minor >= 0),
    primary key (bucket, account)
);

-- migrate: rollback

drop table payments.payout_total, payments.payout, payments.desk_entry;
