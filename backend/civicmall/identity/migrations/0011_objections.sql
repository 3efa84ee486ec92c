-- what citizens don't agree with of who read their data, and what an operator answers
-- depends: 0009_audit

-- migrate: apply

-- One per line of the audit. Words and answer are sealed.
create table identity.reading_objection (
    bucket      smallint    not null check (bucket between 0 and 255),
    citizen_id  uuid        not null,
    seq         bigint      not null check (seq > 0),
    id          uuid        not null,
    words       bytea       not null,
    made_at     timestamptz not null,
    due_on      date        not null,
    answer      bytea,
    answered_by uuid,
    answered_at timestamptz,
    primary key (bucket, citizen_id, seq),
    check ((answer is null) = (answered_at is null) and (answer is null) = (answered_by is null))
);
create unique index reading_objection_id on identity.reading_objection (bucket, id);

-- The operators' list, fed by events: where an objection is, and until when; not whose, nor what.
create table identity.desk_reading_objection (
    id          uuid        not null primary key,
    made_at     timestamptz not null,
    due_on      date        not null,
    answered_at timestamptz
);
create index desk_reading_objection_open on identity.desk_reading_objection (id)
    where answered_at is null;

-- migrate: rollback

drop table identity.desk_reading_objection, identity.reading_objection;
