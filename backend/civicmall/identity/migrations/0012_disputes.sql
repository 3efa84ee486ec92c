-- what becomes of an objection to a fact: a department answers it, or it is over in another way
-- depends: 0008_attributes

-- migrate: apply

-- `id` is that of the event which tells the desk; null: told before it was kept. An answered row stays, for
-- its citizen reads it, until the source attests something new. What was withdrawn is not taken from the
-- same record again: only as of a later day than `withdrawn_as_of`.
alter table identity.dispute
    add column id              uuid,
    add column verdict         text check (verdict in ('kept', 'withdrawn')),
    add column answer          bytea,
    add column answered_by     uuid,
    add column answered_at     timestamptz,
    add column withdrawn_as_of date,
    add constraint dispute_answered check (
        (verdict is null) = (answer is null) and (verdict is null) = (answered_at is null)
        and (verdict is null) = (answered_by is null)
        and (withdrawn_as_of is null or verdict = 'withdrawn'));
create unique index dispute_id on identity.dispute (bucket, id);

alter table identity.desk_dispute
    add column outcome   text check (outcome in ('kept', 'withdrawn', 'corrected', 'taken_back')),
    add column closed_at timestamptz,
    add constraint desk_dispute_closed check ((outcome is null) = (closed_at is null));

-- migrate: rollback

alter table identity.desk_dispute drop constraint desk_dispute_closed, drop column closed_at,
    drop column outcome;
drop index identity.dispute_id;
delete from identity.dispute where verdict is not null;
alter table identity.dispute drop constraint dispute_answered, drop column withdrawn_as_of,
    drop column answered_at, drop column answered_by, drop column answer, drop column verdict,
    drop column id;
