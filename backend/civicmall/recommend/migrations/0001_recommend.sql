-- what citizens said about cards, and whether they want any
-- depends:

-- migrate: apply

create table recommend.feedback (
    bucket     smallint not null,
    citizen_id uuid     not null,
    item       text     not null,
    action     text     not null check (action in ('dismiss', 'snooze', 'not_me')),
    given_on   date     not null,
    until      date,
    primary key (bucket, citizen_id, item),
    check ((action = 'snooze') = (until is not null))
);

create table recommend.settings (
    bucket     smallint not null,
    citizen_id uuid     not null,
    recommend  boolean  not null,
    primary key (bucket, citizen_id)
);

-- migrate: rollback

drop table recommend.settings, recommend.feedback;
