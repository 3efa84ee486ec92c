"""Capability `appointments` (since contract 2): places, times, bookings."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from .base import Id, Limit, Text

SlotKind = Literal["normal", "after_hours", "green_channel"]
"""`after_hours` is 延时服务; `green_channel` is kept for the old, the ill and the disabled."""


class SlotsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which times: days `from_on` to `until_on`, both included, at one place or at all."""

    from_on: date
    until_on: date
    place: Id | None = None
    matter: Id | None = None
    limit: Limit = 100


class Place(Struct, frozen=True):
    """Where to go."""

    id: Id
    name: Text
    address: Text


class Slot(Struct, frozen=True):
    """A time at a place, and for how many it is still free."""

    id: Id
    place: Place
    begins_at: datetime
    ends_at: datetime
    left: Annotated[int, Meta(ge=0, le=10_000)]
    kind: SlotKind = "normal"
    note: Text | None = None


class Matter(Struct, frozen=True):
    """What one may come for, and what to bring."""

    id: Id
    name: Text
    bring: Annotated[list[Text], Meta(max_length=20)] = []


class Slots(Struct, frozen=True):
    """The times asked for, earliest first, and what they can be booked for."""

    slots: Annotated[list[Slot], Meta(max_length=100)]
    matters: Annotated[list[Matter], Meta(max_length=50)] = []
    places: Annotated[list[Place], Meta(max_length=100)] = []


class BookAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """Book one slot. Comes at least once: the same `request_id` is the same booking."""

    request_id: str
    slot: Id
    matter: Id | None = None


class BookingsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The citizen's bookings, those to come first; with `past` the others too."""

    past: bool = False
    limit: Limit = 20


class Booking(Struct, frozen=True):
    """A booked time. `code` is what is shown at the counter."""

    id: Id
    place: Place
    begins_at: datetime
    ends_at: datetime
    state: Literal["booked", "cancelled", "attended", "missed"]
    code: Annotated[str, Meta(min_length=1, max_length=40)]
    kind: SlotKind = "normal"
    matter: Text | None = None
    bring: Annotated[list[Text], Meta(max_length=20)] = []
    cancel_until: datetime | None = None
