"""Level 3 at a counter: an agent sees the person and their ID card, the person shows a code.

Neither can do it alone: the agent has no code, and the citizen has no desk.
"""

from __future__ import annotations

import secrets
from typing import Final
from uuid import UUID

from civicmall.identity.audit import note_access
from civicmall.identity.errors import NotAllowed
from civicmall.identity.models import Staff
from civicmall.identity.people import NAME, row
from civicmall.identity.rules import mask
from civicmall.kernel import ids
from civicmall.kernel.house import House

from . import limits, rules
from .errors import CounterRefused, RealNameFirst
from .models import CounterCheck, CounterCode, CounterDone
from .queries import q
from .service import news

READ: Final = ("id_number", "name")
PURPOSE: Final = "counter.confirm"


async def show_code(house: House, citizen_id: UUID) -> CounterCode:
    """A code for the citizen to show; the one before stops working.

    Raises RealNameFirst, TooManyVerifications.
    """
    if (await row(house.db, citizen_id)).id_number is None:
        raise RealNameFirst
    await limits.count(house, f"counter-code:{citizen_id}", rules.CODES_DAY)
    code = f"{secrets.randbelow(100_000_000):08d}"
    await q.show_code(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id,
        hash=_hash(house, citizen_id, code), tries=rules.CODE_TRIES, seconds=float(rules.CODE_S),
    )  # fmt: skip
    return CounterCode(code, rules.CODE_S)


async def confirm(house: House, staff: Staff, said: CounterCheck) -> CounterDone:
    """An agent of a department confirms having seen the person with their ID card.

    Raises NotAllowed for anybody else, CounterRefused, TooManyVerifications.
    """
    if staff.shop is None:
        raise NotAllowed
    agent = f"counter:{staff.staff_id}"
    await limits.count(house, agent, rules.AGENT_DAY)
    blind = house.keys.blind(said.id_number, "id_number")
    holder: UUID | None = await q.holder(house.db, bucket=blind[0], blind=blind)
    if holder is None:
        raise CounterRefused
    raised: bool = await q.raise_at_counter(
        house.db, bucket=ids.bucket_of(holder), citizen_id=holder,
        hash=_hash(house, holder, said.code), **news(house, holder, 3, "counter"),
    )  # fmt: skip
    if not raised:
        raise CounterRefused
    await limits.give_back(house, agent)
    await note_access(
        house, holder, f"staff:{staff.staff_id}", READ, PURPOSE,
        reason=f"{said.case}: {said.reason}", by=staff.staff_id,
    )  # fmt: skip
    house.hint()
    citizen = await row(house.db, holder)
    name = house.keys.open(citizen.name, NAME) if citizen.name else ""
    return CounterDone(mask(name, 1, 0), citizen.level)


def _hash(house: House, citizen_id: UUID, code: str) -> bytes:
    return rules.code_hash(house.keys.derive("counter-codes"), citizen_id, code)
