"""Checks of the capability `appointments`."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from msgspec import Struct

from ..contract import BookAsk, Booking, BookingsQuery, Slot, Slots  # noqa: TID252 (the package is one thing)
from ..errors import NotFound, Refused  # noqa: TID252 (the same)
from ..sandbox import Person  # noqa: TID252 (the same)
from .bench import UNKNOWN, Bench, fresh, in_both_languages
from .checks import Failed, asks_for_claims, check, fail, hold, short

on_appointments = partial(check, "appointments", capability="appointments")
TRIED: Final = 40
"""People who try to book until one may: a department may take one booking of each."""


class Booked(Struct, frozen=True):
    """A booking that was made."""

    person: Person
    asked: BookAsk
    slot: Slot
    booking: Booking


async def slots(b: Bench, person: Person, **more: Any) -> Slots:
    """The times of the next weeks. Raises Failed where there are none."""
    found: Slots = await b.ask("appointments.slots", b.days_ahead(**more), person)
    hold(found.slots, "no slot is free in the next weeks")
    return found


async def left(b: Bench, done: Booked) -> int:
    """How many places a slot has by now; none where it isn't shown any more."""
    found = await b.ask("appointments.slots", b.days_ahead(), done.person)
    return next((slot.left for slot in found.slots if slot.id == done.slot.id), 0)


async def booked(b: Bench) -> Booked:
    """Somebody's booking. Raises Failed where nobody may book."""
    said = ""
    for person in b.people[:TRIED]:
        found = await slots(b, person)
        free = [slot for slot in found.slots if slot.left]
        free.reverse()  # the last one: it can be given back still, whatever the time of day
        slot = next((s for s in free if s.kind == "normal"), free[0] if free else None)
        if slot is None:
            fail("no slot of the next weeks has a place left")
        asked = BookAsk(fresh("book"), slot.id, found.matters[0].id if found.matters else None)
        try:
            return Booked(person, asked, slot, await b.ask("appointments.book", asked, person))
        except Refused as error:
            said = error.detail
    raise Failed(f"nobody may book: {said!r}")


async def give_back(b: Bench, done: Booked) -> Booking:
    """Cancel it."""
    return await b.ask("appointments.cancel", done.booking.id, done.person)


async def listed(b: Bench, person: Person) -> dict[str, Booking]:
    """A person's bookings, past ones too."""
    found = await b.ask("appointments.list", BookingsQuery(past=True, limit=100), person)
    return {booking.id: booking for booking in found}


@on_appointments()
async def slots_in_both_languages(b: Bench) -> None:
    """Every text of places, times and matters is there in Chinese and in English."""
    in_both_languages(await slots(b, b.people[0]))


@on_appointments()
async def slots_limit_respected(b: Bench) -> None:
    """With a limit of one, the earliest time comes alone."""
    every, few = await slots(b, b.people[0]), await slots(b, b.people[0], limit=1)
    hold(len(every.slots) > 1, "there is one slot only, so the limit limits nothing")
    hold([s.id for s in few.slots] == [every.slots[0].id], f"{short([s.id for s in few.slots])}")


@on_appointments()
async def slots_of_one_place(b: Bench) -> None:
    """A time is also there when its place alone is asked for."""
    one = (await slots(b, b.people[0])).slots[0]
    there = await slots(b, b.people[0], place=one.place.id)
    hold(one.id in {slot.id for slot in there.slots}, f"{one.id} is not at {one.place.id}")


@on_appointments()
async def booked_twice_is_one_booking(b: Bench) -> None:
    """A booking is asked for at least once: the same request is the same booking."""
    done = await booked(b)
    again = await b.answers("appointments.book", done.asked, done.person)
    await give_back(b, done)
    hold(again == done.booking, f"{short(done.booking)}, then {short(again)}")


@on_appointments()
async def booked_is_listed(b: Bench) -> None:
    """A booking stands in the citizen's list, as it was answered."""
    done = await booked(b)
    mine = await listed(b, done.person)
    in_both_languages(done.booking)
    await give_back(b, done)
    hold(mine.get(done.booking.id) == done.booking, f"{short(mine.get(done.booking.id))}")


@on_appointments()
async def booked_takes_a_place(b: Bench) -> None:
    """A booked slot has one place less, and the booking is for the slot's time."""
    done = await booked(b)
    now = await left(b, done)
    await give_back(b, done)
    hold(now == done.slot.left - 1, f"{done.slot.left} places, then {now}")
    hold(done.booking.begins_at == done.slot.begins_at, f"it begins at {done.booking.begins_at}")


@on_appointments()
async def cancelled_frees_its_place(b: Bench) -> None:
    """A booking that was given back leaves its place to others."""
    done = await booked(b)
    taken = await left(b, done)
    await give_back(b, done)
    now = await left(b, done)
    hold(now == taken + 1, f"{taken} places, then {now}")


@on_appointments()
async def cancelled_is_listed_as_such(b: Bench) -> None:
    """A booking that was given back is booked no more."""
    done = await booked(b)
    await give_back(b, done)
    found = (await listed(b, done.person)).get(done.booking.id)
    hold(found is None or found.state == "cancelled", f"{short(found)}")


@on_appointments()
async def cancelled_twice_is_the_same(b: Bench) -> None:
    """Giving back twice is as well as once."""
    done = await booked(b)
    first = await give_back(b, done)
    again = await b.answers("appointments.cancel", done.booking.id, done.person)
    hold(first == again, f"{short(first)}, then {short(again)}")


@on_appointments()
async def cancel_unknown_and_foreign_alike(b: Bench) -> None:
    """A booking that doesn't exist and somebody else's are refused in the same words."""
    done = await booked(b)
    try:
        await b.alike("appointments.cancel", done.booking.id, b.other_than(done.person))
    finally:
        await b.answers("appointments.cancel", done.booking.id, done.person)


@on_appointments()
async def book_an_unknown_slot_is_refused(b: Bench) -> None:
    """A slot that doesn't exist can't be booked."""
    asked = BookAsk(fresh("book"), UNKNOWN)
    await b.refusal("appointments.book", asked, b.people[0], (NotFound, Refused))


@on_appointments(when=asks_for_claims)
async def booking_needs_its_claims(b: Bench) -> None:
    """Without the claims that the app asks for, a booking is refused."""
    slot = (await slots(b, b.people[0])).slots[0]
    await b.needs_claims("appointments.book", BookAsk(fresh("book"), slot.id))
