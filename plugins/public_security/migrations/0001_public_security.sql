-- applications for identity cards and what happened to them
-- depends:

-- migrate: apply

-- `applicant` is a keyed hash of the ID number of who handed it in: for a child, the guardian.
create table application (
    id         text primary key,
    applicant  bytea not null check (length(applicant) = 32),
    kind       text  not null check (kind in ('first', 'under_16', 'renewal', 'replacement')),
    office     text  not null,
    pickup     text  not null,
    applied_on date  not null
);
create index application_applicant on application (applicant, applied_on desc, id desc);

create table event (
    application_id text        not null references application (id),
    seq            smallint    not null check (seq >= 0),
    what           text        not null check (what in (
        'accepted', 'fee_settled', 'fee_exempt', 'checked', 'returned', 'supplied', 'reviewed',
        'sent', 'produced', 'arrived', 'collected', 'refused'
    )),
    happened_at    timestamptz not null,
    about          text[]      not null default '{}',
    primary key (application_id, seq),
    check ((what in ('returned', 'refused')) = (about <> '{}'))
);

-- History is only ever added to.
revoke update, delete on application, event from civicmall_shop_public_security;

-- migrate: rollback

drop table event;
drop table application;
