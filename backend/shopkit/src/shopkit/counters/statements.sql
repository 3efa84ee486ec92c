-- The shop's own schema is first in the search path, so names stand alone.
-- Select lists are the fields of the Structs in desk.py, in order.

-- name: taken
-- How many places are taken of the slots of some days; those never booked are left out.
select slot, taken from counter_slot
where app = :app and begins_at >= :since and begins_at < :until;

-- name: find
select id, slot, place, kind, begins_at, ends_at, matter, code, state
from counter_booking
where id = :booking and citizen = :citizen and app = :app;

-- name: book
select counter_book(
    row(:booking::text, :app::text, :citizen::text, :slot::text, :place::text,
        :kind::text, :begins_at::timestamptz, :ends_at::timestamptz, :matter::text, :code::text,
        'booked', :now::timestamptz)::counter_booking,
    :capacity::integer, :open_max::integer, :now::timestamptz
);

-- name: cancel
-- Both or neither: who comes second finds no booked row and frees nothing.
with gone as (
    update counter_booking set state = 'cancelled'
    where id = :booking and citizen = :citizen and app = :app and state = 'booked'
      and begins_at - make_interval(mins => :cancel_minutes) >= :now
    returning app, slot
)
update counter_slot s set taken = s.taken - 1 from gone
where s.app = gone.app and s.slot = gone.slot
returning s.slot;

-- name: attend
update counter_booking set state = 'attended'
where id = :booking and app = :app and state in ('booked', 'attended')
returning id;

-- name: bookings
-- Those to come first, the next one first; then, if asked for, the others, newest first.
select id, slot, place, kind, begins_at, ends_at, matter, code, state
from counter_booking
where citizen = :citizen and app = :app
  and ((state = 'booked' and ends_at > :now) or :past)
order by (state = 'booked' and ends_at > :now) desc,
         case when state = 'booked' and ends_at > :now then begins_at end,
         begins_at desc, id
limit :limit;
