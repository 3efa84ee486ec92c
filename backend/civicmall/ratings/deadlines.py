"""Work that the calendar asks for: days that passed, days that moved."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from civicmall.kernel import logs
from civicmall.kernel.house import House

from . import rules, tickets
from .errors import NoSuchRectification
from .models import DueTicket
from .queries import q
from .rules import DueDate
from .tickets import PLATFORM

log = logs.get("ratings")
BATCH: Final = 200
"""Tickets per run: a run stays far below its time limit, the next one takes the rest."""


async def overdue(house: House) -> int:
    """Note that a ticket's day has passed, once per deadline; answers how many were noted.

    The note stands in the history, tells the citizen, counts in the index and puts the ticket
    among the overdue ones of the operator's list.
    """
    found: list[DueTicket] = await q.newly_overdue(house.db, today=house.clock.today(), most=BATCH)
    noted = 0
    for due in found:
        try:
            ticket = await tickets.seen(house.db, due.id, PLATFORM)
        except NoSuchRectification:
            continue
        if await tickets.note(house, ticket, PLATFORM, "overdue"):
            log.warning("rectification.overdue", shop=due.shop, id=str(due.id))
            noted += 1
    return noted


async def redate(house: House) -> int:
    """Reckon due dates anew that lay beyond the published holidays; answers how many moved or
    became final. A date never moves into the past.
    """
    today, changed = house.clock.today(), 0
    last: tuple[date | None, UUID | None] = (None, None)
    while True:
        found: list[DueTicket] = await q.provisional(
            house.db, today=today, after_due=last[0], after_id=last[1], most=BATCH
        )
        for due in found:
            changed += await _redate(house, due, today)
        if len(found) < BATCH:
            return changed
        last = (found[-1].due_on, found[-1].id)


async def _redate(house: House, due: DueTicket, today: date) -> bool:
    try:
        ticket = await tickets.seen(house.db, due.id, PLATFORM)
    except NoSuchRectification:
        return False
    fresh = rules.due(ticket.counted_from, ticket.paused_days)
    fresh = DueDate(max(fresh.on, today), fresh.provisional)
    if (fresh.on, fresh.provisional) == (ticket.due_on, ticket.provisional):
        return False
    return await tickets.note(house, ticket, PLATFORM, "redate", due=fresh)
