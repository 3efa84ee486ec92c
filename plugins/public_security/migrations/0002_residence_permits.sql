-- applications for residence permits and their yearly endorsement
-- depends: 0001_public_security

-- migrate: apply

alter table application
    add column year_full_on date,
    drop constraint application_kind_check,
    add constraint application_kind_check check (kind in (
        'first', 'under_16', 'renewal', 'replacement',
        'permit_new', 'permit_endorsement', 'permit_replacement'
    )),
    add constraint application_year_check check (
        (kind in ('permit_new', 'permit_endorsement', 'permit_replacement'))
        = (year_full_on is not null)
    );

alter table event
    drop constraint event_what_check,
    add constraint event_what_check check (what in (
        'accepted', 'fee_settled', 'fee_exempt', 'checked', 'returned', 'supplied', 'reviewed',
        'sent', 'produced', 'arrived', 'collected', 'refused', 'verified', 'issued', 'endorsed'
    ));

-- migrate: rollback

alter table event
    drop constraint event_what_check,
    add constraint event_what_check check (what in (
        'accepted', 'fee_settled', 'fee_exempt', 'checked', 'returned', 'supplied', 'reviewed',
        'sent', 'produced', 'arrived', 'collected', 'refused'
    ));

alter table application
    drop constraint application_year_check,
    drop constraint application_kind_check,
    add constraint application_kind_check check (
        kind in ('first', 'under_16', 'renewal', 'replacement')
    ),
    drop column year_full_on;
