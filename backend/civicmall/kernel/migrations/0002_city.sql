-- whether this database is a sandbox's: decided when it is made, for ever
-- depends: 0001_kernel

-- migrate: apply

create table kernel.city (
    one     boolean primary key default true check (one),
    sandbox boolean not null
);
revoke update, delete, truncate on kernel.city from civicmall_app;

-- migrate: rollback

drop table kernel.city;
