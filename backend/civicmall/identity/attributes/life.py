"""Life events: told, corrected, removed; and those that what is attested tells of by itself."""

from __future__ import annotations

from uuid import UUID

import msgspec

from civicmall.identity import audit
from civicmall.identity.known import SELF, LifeEvent, NewEvent, attested_events
from civicmall.identity.people import EVENT, known, opened_event, row
from civicmall.kernel import idempotency, ids
from civicmall.kernel.house import House

from . import rules
from .errors import BadEvent, NoSuchEvent, TooManyEvents
from .models import EventRow, EventTold, Fingerprint
from .queries import q

SCOPE = "identity.events"
EVENT_TOLD = ("life_event",)
"""What a line says of it: which event it was would say too much."""


async def events(house: House, citizen_id: UUID) -> list[LifeEvent]:
    """What happened, newest first. Raises NotFound."""
    citizen = await row(house.db, citizen_id)
    rows: list[EventRow] = await q.events(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id
    )
    found = [_shown(one.id, opened_event(house, one.event), one) for one in rows]
    found += attested_events(known(house, citizen))
    return sorted(found, key=lambda e: (e.on, e.told_at), reverse=True)


def _shown(event_id: UUID, said: NewEvent, one: EventRow) -> LifeEvent:
    return LifeEvent(said.kind, said.on, SELF, one.told_at, event_id)


async def add(
    house: House, citizen_id: UUID, key: str | None, ask: NewEvent, *, by: UUID | None = None
) -> LifeEvent:
    """Tell an event. Raises BadEvent, TooManyEvents and those of idempotency."""
    _possible(house, ask)

    async def work(event_id: UUID) -> EventTold:
        told_at = await q.add_event(
            house.db,
            bucket=ids.bucket_of(citizen_id),
            citizen_id=citizen_id,
            id=event_id,
            event=_sealed(house, ask),
            now=house.clock.now(),
            events_max=rules.EVENTS_MAX,
        )
        if told_at is None:
            raise TooManyEvents(max=rules.EVENTS_MAX)
        await audit.note(house, citizen_id, "facts", what=EVENT_TOLD, by=by)
        return EventTold(event_id, told_at)

    # What is remembered of the request says nothing of what happened: it lies there unsealed.
    same = Fingerprint(house.keys.blind(f"{citizen_id} {ask.kind} {ask.on}", SCOPE))
    told = await idempotency.once(house.db, citizen_id, SCOPE, key, same, EventTold, work)
    return LifeEvent(ask.kind, ask.on, SELF, told.told_at, told.id)


async def change(
    house: House, citizen_id: UUID, event_id: UUID, ask: NewEvent, *, by: UUID | None = None
) -> LifeEvent:
    """Correct an event of one's own telling. Raises BadEvent, NoSuchEvent."""
    _possible(house, ask)
    told_at = await q.change_event(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        id=event_id,
        event=_sealed(house, ask),
        now=house.clock.now(),
    )
    if told_at is None:
        raise NoSuchEvent
    await audit.note(house, citizen_id, "facts", what=EVENT_TOLD, by=by)
    return LifeEvent(ask.kind, ask.on, SELF, told_at, event_id)


async def remove(house: House, citizen_id: UUID, event_id: UUID, *, by: UUID | None = None) -> None:
    """Forget an event, and what it led to. Raises NoSuchEvent."""
    gone = await q.remove_event(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, id=event_id
    )
    if gone is None:
        raise NoSuchEvent
    await audit.note(house, citizen_id, "facts", what=EVENT_TOLD, by=by)


def _possible(house: House, ask: NewEvent) -> None:
    if rules.wrong_day(ask.on, house.clock.today()):
        raise BadEvent(field="on")


def _sealed(house: House, ask: NewEvent) -> bytes:
    return house.keys.seal(msgspec.json.encode(ask).decode(), EVENT)
