-- times at the household registration counters
-- depends: 0002_residence_permits

-- migrate: apply

-- The tables of shopkit.counters. Whose a booking is: the citizen's pseudonym in this shop. Its id
-- is a keyed hash of citizen, app and request, so the primary key lets one request book once.

-- One row a citizen: locking it puts the bookings that one citizen makes at once into a row.
create table counter_citizen (
    citizen text primary key
);

-- How many places of a slot are taken; what was never booked has no row.
create table counter_slot (
    app       text        not null,
    slot      text        not null,
    begins_at timestamptz not null,
    taken     integer     not null check (taken >= 0),
    primary key (app, slot)
);
create index counter_slot_time on counter_slot (app, begins_at);

create table counter_booking (
    id         text        primary key,
    app        text        not null,
    citizen    text        not null references counter_citizen,
    slot       text        not null,
    place      text        not null,
    kind       text        not null check (kind in ('normal', 'after_hours', 'green_channel')),
    begins_at  timestamptz not null,
    ends_at    timestamptz not null check (ends_at > begins_at),
    matter     text,
    code       text        not null,
    state      text        not null check (state in ('booked', 'cancelled', 'attended')),
    booked_at  timestamptz not null,
    foreign key (app, slot) references counter_slot
);
create index counter_booking_time on counter_booking (citizen, begins_at);

-- Books or says why not. It is a function because every statement in it sees what others did
-- while it waited for the citizen's row; one select with the same checks would not.
create function counter_book(
    wanted counter_booking, capacity integer, open_max integer, now timestamptz
) returns text language plpgsql as $$
begin
    insert into counter_citizen as c (citizen) values (wanted.citizen)
    on conflict (citizen) do update set citizen = c.citizen;

    if exists (select from counter_booking b where b.id = wanted.id) then
        return 'known';
    end if;
    if exists (select from counter_booking b where b.citizen = wanted.citizen
               and b.state = 'booked'
               and b.begins_at < wanted.ends_at and b.ends_at > wanted.begins_at) then
        return 'overlap';
    end if;
    if (select count(*) from counter_booking b where b.citizen = wanted.citizen
        and b.app = wanted.app and b.state = 'booked' and b.ends_at > now) >= open_max then
        return 'too_many';
    end if;

    insert into counter_slot as s (app, slot, begins_at, taken)
    select wanted.app, wanted.slot, wanted.begins_at, 1 where capacity > 0
    on conflict (app, slot) do update set taken = s.taken + 1 where s.taken < capacity;
    if not found then
        return 'full';
    end if;
    insert into counter_booking select wanted.*;
    return 'booked';
end
$$;

-- migrate: rollback

drop function counter_book;
drop table counter_booking, counter_slot, counter_citizen;
