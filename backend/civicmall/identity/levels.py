"""How sure we are who somebody is: the step from a phone to a real name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from civicmall.kernel import ids
from civicmall.kernel.house import House
from shopkit.sandbox import people

from .errors import AlreadyVerified, NotInRegister, NumberTaken
from .models import CitizenRow, Profile, Verification
from .people import ATTESTED, NAME, NUMBER, profile, row
from .queries import q
from .rules import valid_id_number


def register(house: House, ask: Verification) -> dict[str, Any] | None:
    """What the authority's register attests of a person; None where it knows no such one.

    The sandbox's register holds the synthetic people; a city puts its authority's service here.
    """
    if not house.settings.sandbox:
        return None
    for person in people(house.clock.today()):
        if person.id_number == ask.id_number:
            return dict(person.facts) if person.name == ask.name else None
    return None


async def verify(house: House, citizen_id: UUID, ask: Verification) -> Profile:
    """Raise a citizen to level 2. Raises NotInRegister, NumberTaken, AlreadyVerified."""
    facts = register(house, ask) if valid_id_number(ask.id_number) else None
    if facts is None:
        raise NotInRegister
    current = await row(house.db, citizen_id)
    if _is(house, current, ask.id_number):
        return profile(house, current)
    if current.id_number is not None:
        raise AlreadyVerified
    blind = house.keys.blind(ask.id_number, "id_number")
    holder = await q.take_number(house.db, bucket=blind[0], blind=blind, id=citizen_id)
    if holder is None:  # lost a race and read too early: whoever won is there now
        holder = await q.take_number(house.db, bucket=blind[0], blind=blind, id=citizen_id)
    if holder != citizen_id:
        raise NumberTaken
    raised = await q.verify(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        id=citizen_id,
        name=house.keys.seal(ask.name, NAME),
        id_number=house.keys.seal(ask.id_number, NUMBER),
        attested=house.keys.seal(msgspec.json.encode(facts).decode(), ATTESTED),
    )
    current = await row(house.db, citizen_id)
    if raised is None and not _is(house, current, ask.id_number):
        # The same account was verified with another number in this instant: this one stays free.
        await q.release_number(house.db, bucket=blind[0], blind=blind, id=citizen_id)
        raise AlreadyVerified
    return profile(house, current)


def _is(house: House, citizen: CitizenRow, id_number: str) -> bool:
    """Whether a citizen was verified with this number."""
    sealed = citizen.id_number
    return sealed is not None and house.keys.open(sealed, NUMBER) == id_number
