"""From rows to what one of the two sides is shown; here names are opened."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from civicmall.identity import people
from civicmall.identity.models import CitizenRow
from civicmall.identity.rules import mask
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House

from . import rules
from .models import Delegation, Row, Side

PRINCIPAL: Final = "identity.delegation.principal_name"
AGENT: Final = "identity.delegation.agent_name"


def masked_phone(phone: str) -> str:
    """Enough for who knows it."""
    return mask(phone, 3, 4)


def shown(house: House, citizen: CitizenRow) -> str:
    """What somebody is called before the other side: 王**, an enterprise's name, 138****1234."""
    if citizen.name is not None:
        name = house.keys.open(citizen.name, people.NAME)
        return name if citizen.kind == "enterprise" else mask(name, 1, 0)
    return masked_phone(house.keys.open(citizen.phone, people.PHONE)) if citizen.phone else "*"


def delegation(house: House, row: Row, mine: Side) -> Delegation:
    """A delegation as one side sees it."""
    row = rules.standing(row, house.clock.now())
    other = (row.agent_name, AGENT) if mine == "principal" else (row.principal_name, PRINCIPAL)
    return Delegation(
        id=row.id,
        kind=row.kind,
        side=mine,
        other=house.keys.open(*other),
        principal=row.principal,
        agent=row.agent,
        may=[one for one in rules.EVERYTHING if one in row.may],
        shops=row.shops,
        valid_until=row.valid_until,
        state=row.state,
        reason=row.reason,
        created_at=row.created_at,
        answer_by=row.answer_by if row.state == "invited" else None,
        began_at=row.began_at,
        ended_at=row.ended_at,
        can_accept=rules.can_accept(row, mine),
    )


def principal_name(house: House, row: Row) -> str:
    """What somebody is called for whom one acts."""
    return house.keys.open(row.principal_name, PRINCIPAL)


async def names(house: House, citizens: set[UUID]) -> dict[UUID, str]:
    """What those who acted are called before others."""
    found: dict[UUID, str] = {}
    for one in citizens:
        try:
            found[one] = shown(house, await people.row(house.db, one))
        except NotFound:  # their account is deleted
            found[one] = "*"
    return found
