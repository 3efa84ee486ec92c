"""The job of mandates: look at bills, debit on the announced day, end what has run out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from civicmall.kernel import logs
from civicmall.kernel.jobs import Job

from . import rules
from .debiting import debit
from .looking import look
from .means import Means, move
from .queries import q

log = logs.get("payments")
EVERY_S: Final = 20.0
BATCH: Final = 200
"""Rows of each kind per run; the next run takes the rest."""
AT_ONCE: Final = 8
"""A shop's places are for those who wait in front of it; this work has all day."""


def jobs(means: Means) -> list[Job]:
    """One job; several processes may run it at once."""
    return [Job("payments.mandates", EVERY_S, lambda: run(means))]


async def run(means: Means) -> int:
    """Everything that is due now; answers how many rows had their turn. What goes wrong with one
    keeps no other from its turn.
    """
    house = means.house
    now = house.clock.now()
    by_day = rules.daytime(now)
    for _, mandate_id in await q.over(house.db, today=house.clock.today(), most=BATCH):
        await move(house, mandate_id, "end", "ended_on")
    looks = await q.due_looks(house.db, now=now, by_day=by_day, most=BATCH)
    debits = await q.due(house.db, now=now, by_day=by_day, most=BATCH)
    await _each(means, debits, debit)
    await _each(means, looks, look)
    if late := await q.unreminded(house.db, now=now):
        log.error("mandate.unreminded", bills=late)  # nothing is debited, but somebody must look
    return len(looks) + len(debits)


async def _each(
    means: Means, rows: list[tuple[int, UUID]], work: Callable[[Means, int, UUID], Awaitable[None]]
) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(bucket: int, row_id: UUID) -> None:
        async with gate:
            try:
                await work(means, bucket, row_id)
            except Exception:
                log.warning("mandate.turn_failed", id=str(row_id), exc_info=True)

    await asyncio.gather(*(one(bucket, row_id) for bucket, row_id in rows))
