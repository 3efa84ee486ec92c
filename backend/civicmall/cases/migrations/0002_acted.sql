-- who did a citizen's part of a case for them
-- depends: 0001_cases

-- migrate: apply

-- The citizen who acted; null: the case's own. Only ever beside the actor `citizen`.
alter table cases.event
    add column acted_by uuid,
    add constraint event_acted check (acted_by is null or actor = 'citizen');
-- For desks, without saying who: handed in for the citizen by somebody who acts for them.
alter table cases.case add column acted_by uuid;
alter table cases.desk_case add column acted boolean not null default false;

-- migrate: rollback

alter table cases.desk_case drop column acted;
alter table cases.case drop column acted_by;
alter table cases.event drop constraint event_acted, drop column acted_by;
