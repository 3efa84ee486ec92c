"""Verbs of the desk: what departments answer, and what operators supervise."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from civicmall.identity import NotAllowed, Staff
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.kernel.http import Page, decode_cursor, encode_cursor, page
from shopkit import workdays

from . import tickets, views
from .asks import Answer, Appeal, Review
from .models import DeskRating, DeskRatingRow, DeskTicket, DeskTicketRow, Rectification
from .queries import q
from .rules import BAD_MAX, Move, State
from .tickets import Clock

ANSWERS: Final[dict[str, Move]] = {"fixed": "fix", "registered": "register", "explained": "explain"}
VERDICTS: Final[dict[str, Move]] = {"upheld": "uphold", "rejected": "reject"}


def _shop(staff: Staff, asked: str | None) -> str | None:
    """The shop to list: a department's own whatever was asked, any or all for an operator."""
    return staff.shop or asked


async def desk_ratings(
    db: Db,
    staff: Staff,
    lang: str,
    *,
    shop: str | None = None,
    bad: bool = False,
    limit: int = 20,
    after: str | None = None,
) -> Page[DeskRating]:
    """Ratings, newest first; with `bad` only those of one or two stars. Raises BadRequest."""
    last: Any = decode_cursor(after, UUID) or (None,)
    rows: list[DeskRatingRow] = await q.desk_ratings(
        db,
        shop=_shop(staff, shop),
        stars_max=BAD_MAX if bad else None,
        before=last[0],
        most=limit + 1,
    )
    return page([views.desk_rating(row, lang) for row in rows], limit, lambda r: (r.id,))


async def desk_rectifications(
    house: House,
    staff: Staff,
    lang: str,
    *,
    shop: str | None = None,
    state: State | None = None,
    overdue: bool = False,
    limit: int = 20,
    after: str | None = None,
) -> Page[DeskTicket]:
    """Tickets, what is due first before the rest, closed ones last. Raises BadRequest."""
    last: Any = decode_cursor(after, bool, date, UUID) or (None, None, None)
    today = house.clock.today()
    rows: list[DeskTicketRow] = await q.desk_tickets(
        house.db,
        shop=_shop(staff, shop),
        state=state,
        overdue=overdue,
        today=today,
        after_closed=last[0],
        after_due=last[1],
        after_id=last[2],
        most=limit + 1,
    )
    shown = [views.desk_ticket(row, today, lang) for row in rows[:limit]]
    more = len(rows) > limit
    tail = rows[len(shown) - 1] if shown else None
    cursor = encode_cursor(tail.closed, tail.due_on, tail.id) if more and tail else None
    return Page(shown, cursor)


async def desk_rectification(
    house: House, staff: Staff, ticket_id: UUID, lang: str
) -> Rectification:
    """One ticket with its history; a department sees its own. Raises NoSuchRectification."""
    return await tickets.shown(house, ticket_id, tickets.desk(staff), lang)


async def answer(
    house: House, staff: Staff, ticket_id: UUID, ask: Answer, lang: str
) -> Rectification:
    """The department answers; of two agents who do at once, one does.

    Raises NoSuchRectification, NotAllowed (an operator doesn't answer for a department), MovedOn.
    """
    return await _step(house, staff, ticket_id, ANSWERS[ask.kind], ask.text, lang)


async def appeal(
    house: House, staff: Staff, ticket_id: UUID, ask: Appeal, lang: str
) -> Rectification:
    """The department takes the rating for mistaken or malicious; its clock stands still until
    the operator has decided. Raises NoSuchRectification, NotAllowed, MovedOn, AppealedBefore.
    """
    return await _step(house, staff, ticket_id, "appeal", ask.reason, lang)


async def review(
    house: House, staff: Staff, ticket_id: UUID, ask: Review, lang: str
) -> Rectification:
    """An operator decides an appeal. Upheld: the rating stays visible and doesn't count.
    Rejected: the department answers, with the working days of the review added to its time.

    Raises NoSuchRectification, NotAllowed, MovedOn.
    """
    by = tickets.desk(staff)
    ticket = await tickets.seen(house.db, ticket_id, by)
    clock = None
    if ask.verdict == "rejected" and ticket.appealed_on is not None:
        waited = workdays.between(ticket.appealed_on, house.clock.today())
        clock = Clock(ticket.counted_from, ticket.paused_days + waited)
    await tickets.move(house, ticket, by, VERDICTS[ask.verdict], said=ask.reason, clock=clock)
    return await tickets.shown(house, ticket_id, by, lang)


async def remind(house: House, staff: Staff, ticket_id: UUID, lang: str) -> Rectification:
    """An operator supervises (督办): recorded, and told to the citizen; once a day.

    Raises NoSuchRectification, NotAllowed, MovedOn, RemindedToday.
    """
    by = tickets.desk(staff)
    ticket = await tickets.seen(house.db, ticket_id, by)
    if by.actor != "operator":
        raise NotAllowed
    await tickets.remind(house, ticket, by)
    return await tickets.shown(house, ticket_id, by, lang)


async def _step(
    house: House, staff: Staff, ticket_id: UUID, step: Move, said: str, lang: str
) -> Rectification:
    by = tickets.desk(staff)
    ticket = await tickets.seen(house.db, ticket_id, by)
    await tickets.move(house, ticket, by, step, said=said)
    return await tickets.shown(house, ticket_id, by, lang)
