"""Who a citizen is: the account as stored, as shown, and what is known of them."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec

from civicmall.kernel import ids
from civicmall.kernel.db import Db
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House

from .errors import BadDeclaration
from .models import CitizenRow, Profile
from .queries import q
from .rules import mask, wrong_declaration

NAME: Final = "identity.citizen.name"
NUMBER: Final = "identity.citizen.id_number"
PHONE: Final = "identity.citizen.phone"
ATTESTED: Final = "identity.citizen.attested"
DECLARED: Final = "identity.citizen.declared"


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
    attested, declared = _opened(house, citizen)
    return Profile(
        id=citizen.id,
        level=citizen.level,
        phone=mask(house.keys.open(citizen.phone, PHONE), 3, 4),
        name=name and mask(name, 1, 0),
        id_number=number and mask(number, 4, 2),
        facts={**declared, **attested},
        declared=sorted(declared.keys() - attested.keys()),
    )


def _opened(house: House, citizen: CitizenRow) -> tuple[dict[str, Any], dict[str, Any]]:
    attested = house.keys.open(citizen.attested, ATTESTED) if citizen.attested else "{}"
    declared = house.keys.open(citizen.declared, DECLARED) if citizen.declared else "{}"
    return msgspec.json.decode(attested), msgspec.json.decode(declared)


async def facts(house: House, citizen_id: UUID) -> dict[str, Any]:
    """Attribute → value; a missing key is unknown. What a register attests counts more."""
    attested, declared = _opened(house, await row(house.db, citizen_id))
    return {**declared, **attested}


async def declare(house: House, citizen_id: UUID, said: dict[str, Any]) -> Profile:
    """Keep facts in the citizen's own words; None forgets one. Raises BadDeclaration."""
    if wrong := wrong_declaration(said):
        field, problem = wrong
        raise BadDeclaration(errors=[{"field": f"facts.{field}", "problem": problem}])
    while True:
        citizen = await row(house.db, citizen_id)
        merged = {**_opened(house, citizen)[1], **said}
        kept = {name: value for name, value in merged.items() if value is not None}
        if await q.declare(
            house.db,
            bucket=ids.bucket_of(citizen_id),
            id=citizen_id,
            before=citizen.declared,
            declared=house.keys.seal(msgspec.json.encode(kept).decode(), DECLARED),
        ):
            return profile(house, await row(house.db, citizen_id))
