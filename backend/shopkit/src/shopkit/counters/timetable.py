"""When a counter can be booked: opening hours, slots and their ids. Pure, no clock, no database.

A slot is derived from the timetable and never stored beforehand: its id says the place, the
city's time at which it begins, and the kind; `Timetable.find` takes only ids that it would give.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from .. import workdays  # noqa: TID252 (the package is one thing)
from ..contract import Matter, Place, SlotKind, Text  # noqa: TID252 (the package is one thing)
from ..local import CITY  # noqa: TID252 (the same)

COUNTERS_MAX: Final = 100
"""Places of one app: as many as an answer may have."""
DAYS_MAX: Final = 60
"""How many days ahead may be booked at most: nobody keeps an appointment of next year."""
MINUTES_A_DAY: Final = 24 * 60
MADE_UP: Final = 1
"""A working day at a weekend, made up for a holiday, has Monday's hours."""
LETTERS: Final[dict[SlotKind, str]] = {"normal": "n", "after_hours": "a", "green_channel": "g"}
SLOT_ID: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,39})\.(\d{8}T\d{4})\.([nag])", re.ASCII)

Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$(?!\n)")]
Weekday = Annotated[int, Meta(ge=1, le=7)]
"""ISO 8601: 1 is Monday."""


class Hours(Struct, frozen=True, forbid_unknown_fields=True):
    """Open on these weekdays from `opens` to `closes`; `after_hours` is 延时服务."""

    days: Annotated[list[Weekday], Meta(min_length=1)]
    opens: Clock
    closes: Clock
    kind: Literal["normal", "after_hours"] = "normal"

    @property
    def minutes(self) -> tuple[int, int]:
        """Both ends in minutes since midnight."""
        return _minutes(self.opens), _minutes(self.closes)


class Counter(Struct, frozen=True, forbid_unknown_fields=True):
    """One place's counter. A slot is for `capacity` people; `green` of them are kept for the
    green channel, outside after-hours. A place without hours is closed, but known to old bookings.
    """

    place: Place
    slot_minutes: Annotated[int, Meta(ge=5, le=480)]
    capacity: Annotated[int, Meta(ge=1, le=1_000)]
    hours: list[Hours] = []
    green: Annotated[int, Meta(ge=0)] = 0
    matters: list[str] = []
    """What is done here; empty: everything."""
    closed: frozenset[date] = frozenset()
    """Days on which this place alone is closed."""


class Opening(Struct, frozen=True, order=True):
    """A slot: for how many, from when to when."""

    begins_at: datetime
    place: str
    kind: SlotKind
    ends_at: datetime
    capacity: int

    @property
    def id(self) -> str:
        """What it is booked by."""
        return f"{self.place}.{self.begins_at:%Y%m%dT%H%M}.{LETTERS[self.kind]}"


class Timetable(Struct, frozen=True, forbid_unknown_fields=True):
    """What the department decides, as data."""

    counters: Annotated[list[Counter], Meta(min_length=1, max_length=COUNTERS_MAX)]
    source: str
    """Where hours and rules were published, or who keeps them."""
    matters: Annotated[list[Matter], Meta(max_length=50)] = []
    days_ahead: Annotated[int, Meta(ge=0, le=DAYS_MAX)] = 14
    """The last day that can be booked, counted from today."""
    notice_minutes: Annotated[int, Meta(ge=0, le=MINUTES_A_DAY * 7)] = 0
    """How long before it begins a slot can still be booked."""
    cancel_minutes: Annotated[int, Meta(ge=0, le=MINUTES_A_DAY * 7)] = 0
    """How long before it begins a booking can still be cancelled."""
    open_max: Annotated[int, Meta(ge=1, le=20)] = 2
    """Bookings to come that one citizen may have."""
    green_note: Text | None = None
    """Whom the green channel is for, and what they show at the counter."""
    example: bool = False
    """True where the figures are an example, not published ones."""

    def counter(self, place: str) -> Counter | None:
        """The counter at a place, if there is one."""
        return next((c for c in self.counters if c.place.id == place), None)

    def matter(self, matter: str | None) -> Matter | None:
        """What somebody comes for, if it is offered."""
        return next((m for m in self.matters if m.id == matter), None)

    def times(
        self, day: date, place: str | None = None, matter: str | None = None
    ) -> list[Opening]:
        """A day's slots, earliest first, at one place or at all that do the matter."""
        return sorted(
            slot
            for counter in self.counters
            if place in (None, counter.place.id) and serves(counter, matter)
            for slot in openings(counter, day)
        )

    def find(self, slot_id: str) -> Opening | None:
        """The slot of that id, if the timetable has it."""
        if (said := SLOT_ID.fullmatch(slot_id)) is None:
            return None
        try:
            day = datetime.strptime(said[2], "%Y%m%dT%H%M").date()  # noqa: DTZ007 (a date has no zone)
        except ValueError:
            return None
        counter = self.counter(said[1])
        slots = openings(counter, day) if counter else ()
        return next((slot for slot in slots if slot.id == slot_id), None)

    def may_book(self, slot: Opening, now: datetime, today: date) -> bool:
        """Whether its time to be booked has come and isn't over."""
        last = today + timedelta(days=self.days_ahead)
        soonest = now + timedelta(minutes=self.notice_minutes)
        return slot.begins_at > now and soonest <= slot.begins_at and slot.begins_at.date() <= last

    def cancel_until(self, begins_at: datetime) -> datetime:
        """The last instant at which a booking can be given back."""
        return begins_at - timedelta(minutes=self.cancel_minutes)


def serves(counter: Counter, matter: str | None) -> bool:
    """Whether a matter is done at a counter."""
    return matter is None or not counter.matters or matter in counter.matters


def openings(counter: Counter, day: date) -> Iterator[Opening]:
    """The slots of one counter on a day; what is left of an hour that fits no slot is not one."""
    if workdays.holiday(day) or day in counter.closed:
        return
    weekend = day.weekday() >= workdays.SATURDAY
    weekday = MADE_UP if weekend and workdays.working_day(day) else day.isoweekday()
    midnight, length = datetime.combine(day, time(), CITY), timedelta(minutes=counter.slot_minutes)
    for hours in counter.hours:
        if weekday not in hours.days:
            continue
        opens, closes = hours.minutes
        for minute in range(opens, closes - counter.slot_minutes + 1, counter.slot_minutes):
            at = midnight + timedelta(minutes=minute)
            for kind, capacity in _shares(counter, hours.kind):
                yield Opening(at, counter.place.id, kind, at + length, capacity)


def _shares(
    counter: Counter, kind: Literal["normal", "after_hours"]
) -> Iterator[tuple[SlotKind, int]]:
    """How a slot's places are shared out."""
    if kind == "after_hours":
        yield kind, counter.capacity
        return
    if counter.capacity > counter.green:
        yield kind, counter.capacity - counter.green
    if counter.green:
        yield "green_channel", counter.green


def read(path: Path) -> Timetable:
    """A timetable's file, checked. Raises ValueError, which names what is wrong."""
    try:
        return parse(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def parse(raw: bytes | Mapping[str, Any]) -> Timetable:
    """The same from JSON or plain data."""
    if isinstance(raw, bytes):
        found = msgspec.json.decode(raw, type=Timetable)
    else:
        found = msgspec.convert(raw, Timetable)
    known = [matter.id for matter in found.matters]
    places = [counter.place.id for counter in found.counters]
    for what, ids in (("matter", known), ("place", places)):
        if double := next((one for one in ids if ids.count(one) > 1), None):
            raise ValueError(f"{what} {double} stands twice")
    for counter in found.counters:
        if problem := _wrong_with(counter, known):
            raise ValueError(f"{counter.place.id}: {problem}")
    return found


def _wrong_with(counter: Counter, matters: list[str]) -> str:
    if SLOT_ID.fullmatch(f"{counter.place.id}.20260101T0000.n") is None:
        return "a place's id has up to 40 letters, digits, _ and -"
    if unknown := next((m for m in counter.matters if m not in matters), None):
        return f"no matter {unknown}"
    if counter.green > counter.capacity:
        return "more kept for the green channel than there are"
    for hours in counter.hours:
        opens, closes = hours.minutes
        if closes - opens < counter.slot_minutes:
            return f"{hours.opens} to {hours.closes} is shorter than a slot"
    for one, other in combinations(counter.hours, 2):
        if {*one.days} & {*other.days} and _overlap(one.minutes, other.minutes):
            return f"{one.opens} to {one.closes} and {other.opens} to {other.closes} overlap"
    return ""


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
