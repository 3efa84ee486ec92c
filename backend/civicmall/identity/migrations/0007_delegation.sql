-- acting for a child, a relative, an enterprise
-- depends: 0001_identity

-- migrate: apply

-- An account without a phone is one that a register vouches for: a child's, an enterprise's. An enterprise
-- has its unified social credit code (GB 32100, sealed) in place of an ID number.
alter table identity.citizen
    add column kind text not null default 'person' check (kind in ('person', 'enterprise')),
    add column uscc bytea,
    alter column phone drop not null,
    drop constraint citizen_check,
    add constraint citizen_known check (case kind
        when 'person' then
            uscc is null and (level >= 2) = (name is not null and id_number is not null and verified_at is not null)
            and (phone is not null or level >= 2)
        else level >= 2 and name is not null and uscc is not null and verified_at is not null
            and phone is null and id_number is null end);

-- Enterprises by the keyed hash of their code; the bucket is the hash's first byte, and theirs too.
create table identity.enterprise (
    bucket     smallint not null,
    blind      bytea    not null check (length(blind) = 32),
    citizen_id uuid     not null,
    primary key (bucket, blind)
);

-- Who may act for whom, in the bucket of whom it is about. Whoever was invited by phone is known by the
-- phone's keyed hash until they accept: its first byte is their bucket, whether they have an account or not.
create table identity.delegation (
    bucket         smallint    not null,
    id             uuid        not null,
    kind           text        not null check (kind in ('child', 'relative', 'representative', 'agent')),
    principal      uuid,
    agent          uuid,
    invited        bytea       check (length(invited) = 32),
    -- As each is shown to the other: a masked name, or a masked phone until they accept. Sealed.
    principal_name bytea       not null,
    agent_name     bytea       not null,
    may            text[]      not null check (may <> '{}' and may <@ array['view', 'apply', 'pay']),
    shops          text[]      check (shops <> '{}'),
    valid_until    timestamptz,
    granted_by     uuid        not null,
    state          text        not null check (state in ('invited', 'active', 'ended')),
    reason         text        not null default '' check (reason in ('', 'agent', 'principal', 'declined',
                               'lapsed', 'expired', 'of_age', 'register')),
    created_at     timestamptz not null default now(),
    answer_by      timestamptz,
    began_at       timestamptz,
    ended_at       timestamptz,
    asked_at       timestamptz not null default now(),
    primary key (bucket, id),
    check ((state = 'ended') = (ended_at is not null) and (state = 'ended') = (reason <> '')),
    check (state <> 'active' or (principal is not null and agent is not null and began_at is not null)),
    check (state <> 'invited' or (invited is not null and answer_by is not null
                                  and (principal is null) <> (agent is null))),
    check (principal <> agent),
    check (kind not in ('child', 'agent') or valid_until is not null)
);
create index delegation_principal on identity.delegation (bucket, principal, id desc);
create index delegation_invited on identity.delegation (bucket, invited) where state = 'invited' and principal is null;
create index delegation_ended on identity.delegation (ended_at) where ended_at is not null;
create index delegation_due on identity.delegation (least(valid_until, answer_by)) where state <> 'ended';
create index delegation_asked on identity.delegation (asked_at)
    where state = 'active' and kind in ('child', 'representative');
-- What a register proves, one of a pair holds at a time.
create unique index delegation_proved on identity.delegation (bucket, principal, agent, kind)
    where state = 'active' and kind in ('child', 'representative');

-- What somebody may act by, in their own bucket: the ids, whose last byte says where the rest lies. Written
-- before the delegation itself and never changed. `holder` is a citizen's id, or the keyed hash of a phone.
create table identity.delegation_held (
    bucket     smallint    not null,
    holder     bytea       not null check (length(holder) in (16, 32)),
    id         uuid        not null,
    created_at timestamptz not null default now(),
    primary key (bucket, holder, id)
);

-- migrate: rollback

drop table identity.delegation_held, identity.delegation, identity.enterprise;
delete from identity.citizen where phone is null;
alter table identity.citizen
    drop constraint citizen_known,
    alter column phone set not null,
    drop column kind,
    drop column uscc,
    add constraint citizen_check
        check ((level >= 2) = (name is not null and id_number is not null and verified_at is not null));
