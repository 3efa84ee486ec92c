"""Who a citizen is: the account as stored, as shown, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from civicmall.kernel import ids
from civicmall.kernel.db import Db
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from shopkit.local import local

from . import known as rules
from .known import REGISTER, SELF, Known, LifeEvent, NewEvent, Said
from .models import CitizenRow, Profile
from .queries import q
from .rules import mask

NAME: Final = "identity.citizen.name"
NUMBER: Final = "identity.citizen.id_number"
PHONE: Final = "identity.citizen.phone"
USCC: Final = "identity.citizen.uscc"
ATTESTED: Final = "identity.citizen.attested"
DECLARED: Final = "identity.citizen.declared"
VALUE: Final = "identity.attribute.value"
EVENT: Final = "identity.life_event.event"


async def row(db: Db, citizen_id: UUID) -> CitizenRow:
    """A citizen as stored. Raises NotFound."""
    found: CitizenRow | None = await q.citizen(db, bucket=ids.bucket_of(citizen_id), id=citizen_id)
    if found is None:
        raise NotFound
    return found


def profile(house: House, citizen: CitizenRow) -> Profile:
    """A citizen as shown to that citizen."""
    name = house.keys.open(citizen.name, NAME) if citizen.name else None
    number = house.keys.open(citizen.id_number, NUMBER) if citizen.id_number else None
    found = known(house, citizen)
    return Profile(
        id=citizen.id,
        level=citizen.level,
        phone=mask(house.keys.open(citizen.phone, PHONE), 3, 4) if citizen.phone else "",
        name=name and (name if citizen.kind == "enterprise" else mask(name, 1, 0)),
        id_number=number and mask(number, 4, 2),
        facts=rules.facts(found),
        declared=sorted(name for name, one in found.items() if one.said[0].source == SELF),
        kind=citizen.kind,
        uscc=house.keys.open(citizen.uscc, USCC) if citizen.uscc else None,
        verified_at=citizen.seen_at or citizen.verified_at,
    )


def known(house: House, citizen: CitizenRow) -> dict[str, Known]:
    """Everything that is said of a citizen, by attribute."""
    disputes = {
        (name, source): at
        for said, at in zip(citizen.disputed, citizen.disputed_ats, strict=True)
        for name, _, source in [said.partition("/")]
    }
    return rules.gathered(
        _told(house, citizen),
        life_events(house, citizen),
        disputes,
        frozenset(citizen.off),
        house.clock.today(),
    )


def _told(house: House, citizen: CitizenRow) -> Iterator[tuple[str, Said]]:
    if citizen.attested and citizen.verified_at:
        yield from _piece(house, citizen.attested, ATTESTED, REGISTER, citizen.verified_at)
    for name, value, day, at in old_declarations(house, citizen):
        yield name, Said(SELF, value, day, at)
    for name, source, value, as_of, at in zip(
        citizen.names, citizen.sources, citizen.values, citizen.as_ofs, citizen.told_ats,
        strict=True,
    ):  # fmt: skip
        yield name, Said(source, msgspec.json.decode(house.keys.open(value, VALUE)), as_of, at)


def _piece(
    house: House, sealed: bytes, context: str, source: str, at: datetime
) -> Iterator[tuple[str, Said]]:
    day = local(at)
    values: dict[str, Any] = msgspec.json.decode(house.keys.open(sealed, context))
    for name, value in values.items():
        yield name, Said(source, value, day, at)


def old_declarations(
    house: House, citizen: CitizenRow
) -> Iterator[tuple[str, Any, date, datetime]]:
    """What was declared before each fact had a date: no earlier than the account, is all we know."""
    if citizen.declared:
        for name, said in _piece(house, citizen.declared, DECLARED, SELF, citizen.created_at):
            yield name, said.value, said.as_of, said.told_at


def life_events(house: House, citizen: CitizenRow) -> list[LifeEvent]:
    """What the citizen told of their life."""
    return [
        LifeEvent(event.kind, event.on, SELF, at)
        for sealed, at in zip(citizen.events, citizen.events_told, strict=True)
        for event in [opened_event(house, sealed)]
    ]


def opened_event(house: House, sealed: bytes) -> NewEvent:
    """A life event as it was told."""
    return msgspec.json.decode(house.keys.open(sealed, EVENT), type=NewEvent)


async def facts(house: House, citizen_id: UUID) -> dict[str, Any]:
    """Attribute → value; a missing key is unknown. What is attested counts more than one's own word."""
    return rules.facts(known(house, await row(house.db, citizen_id)))


async def recommendable(house: House, citizen_id: UUID) -> tuple[dict[str, Any], frozenset[str]]:
    """The same as a recommendation may see it, and what it may not look at: attributes that the
    citizen switched off, which are not asked for either. What they objected to is left out.
    """
    citizen = await row(house.db, citizen_id)
    return rules.for_recommendation(known(house, citizen)), frozenset(citizen.off)
