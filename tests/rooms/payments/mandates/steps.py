"""What the tests of mandates begin with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from tests.rooms.payments.mandates.world import Citizen, World


def later(world: World, days: int) -> date:
    return world.clock.today() + timedelta(days=days)


async def announced(
    world: World, who: Citizen, amount_minor: int = 45_00, **more: Any
) -> tuple[UUID, date]:
    """A mandate with one bill that was announced: its id, and the day of the debit."""
    who.owes(amount_minor, later(world, 5))
    made = await who.allow(**more)
    await world.turn()
    (debit,) = (await who.detail(made.id)).debits
    assert debit.state == "announced"
    return made.id, debit.debit_on
