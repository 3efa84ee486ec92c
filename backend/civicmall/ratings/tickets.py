"""What citizens' and desks' verbs have in common: seeing a ticket, and moving it one step."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from msgspec import Struct

from civicmall.identity import Caller, NotAllowed, Staff
from civicmall.kernel import ids, outbox
from civicmall.kernel.db import Db
from civicmall.kernel.house import House

from . import rules, views
from .asks import Again
from .errors import (
    AppealedBefore,
    MovedOn,
    NoSuchRectification,
    RemindedToday,
    ReopenedTooOften,
    WrongTags,
)
from .events import RectificationMoved
from .levels import Levels
from .models import RatingRow, Rectification, StepRow, TicketRow
from .queries import q
from .rules import Actor, Move

STEPS_SHOWN_MAX: Final = 200
"""A ticket has a dozen steps; one that an operator reminds of daily for half a year still fits."""


class By(Struct, frozen=True):
    """Who looks at a ticket or moves it."""

    actor: Actor
    citizen_id: UUID | None = None
    staff_id: UUID | None = None
    who: str = ""
    shop: str | None = None

    def sees(self, ticket: TicketRow) -> bool:
        """Citizens see their own, departments their shop's, operators all."""
        if self.actor == "citizen":
            return ticket.citizen_id == self.citizen_id
        return self.actor != "department" or ticket.shop == self.shop


PLATFORM: Final = By("platform")


def citizen(caller: Caller) -> By:
    """A citizen, about tickets of theirs."""
    return By("citizen", citizen_id=caller.citizen_id)


def desk(staff: Staff) -> By:
    """A member of staff, about tickets of their shop or, as an operator, of any; an auditor sees
    what an operator does, and moves none.
    """
    actor: Actor = "department" if staff.shop else "platform"
    if staff.role == "operator":
        actor = "operator"
    return By(actor, staff_id=staff.staff_id, who=staff.name, shop=staff.shop)


class Clock(NamedTuple):
    """A new deadline: 15 working days and the paused ones after `counted_from`."""

    counted_from: date
    paused_days: int


async def seen(db: Db, ticket_id: UUID, by: By) -> TicketRow:
    """A ticket, where `by` may see it. Raises NoSuchRectification."""
    ticket: TicketRow | None = await q.ticket(db, bucket=ids.bucket_of(ticket_id), id=ticket_id)
    if ticket is None or not by.sees(ticket):
        raise NoSuchRectification
    return ticket


async def rating(db: Db, rating_id: UUID) -> RatingRow | None:
    """A rating as kept."""
    found: RatingRow | None = await q.rating(db, bucket=ids.bucket_of(rating_id), id=rating_id)
    return found


async def shown(house: House, ticket_id: UUID, by: By, lang: str) -> Rectification:
    """A ticket with its history. Raises NoSuchRectification."""
    ticket = await seen(house.db, ticket_id, by)
    given = await rating(house.db, ticket_id)
    if given is None:  # can't be: they are written together
        raise NoSuchRectification
    steps: list[StepRow] = await q.steps(
        house.db,
        bucket=ids.bucket_of(ticket_id),
        rectification_id=ticket_id,
        most=STEPS_SHOWN_MAX,
    )
    return views.rectification(ticket, given, steps, by.actor, house.clock.today(), lang)


def check_tags(names: Levels, stars: int, tags: list[str], field: str) -> None:
    """Refuse tags that don't belong to the level. Raises WrongTags."""
    if wrong := rules.wrong_tags(names.allowed(), stars, tags):
        raise WrongTags(errors=[{"field": f"{field}[{i}]", "problem": why} for i, why in wrong])


async def move(
    house: House,
    ticket: TicketRow,
    by: By,
    step: Move,
    *,
    said: str = "",
    again: Again | None = None,
    clock: Clock | None = None,
) -> None:
    """Take one step of rules.MOVES; of two who act at once, one does.

    Raises NotAllowed where it isn't theirs to take, MovedOn, ReopenedTooOften, AppealedBefore.
    """
    if rules.WHO[step] != by.actor:
        raise NotAllowed
    after = rules.target(step)
    due = rules.due(*clock) if clock else None
    version: int | None = await q.move(
        house.db,
        sources=rules.sources(step),
        state=after,
        turn=rules.TURN[after],
        reopen_max=rules.REOPEN_MAX,
        appeals_max=rules.APPEALS_MAX,
        counted_from=clock and clock.counted_from,
        paused_days=clock and clock.paused_days,
        due_on=due and due.on,
        provisional=due and due.provisional,
        said=said,
        again_stars=again and again.stars,
        again_tags=again and again.tags,
        again_comment=again and again.comment,
        **_told(house, ticket, by, step),
    )
    if version is None:
        raise _refusal(await seen(house.db, ticket.id, by), by, step)
    house.hint()


def _refusal(now: TicketRow, by: By, step: Move) -> Exception:
    """Why a step was not possible, from the ticket as it is now."""
    if now.state in rules.sources(step):
        if step == "reopen":
            return ReopenedTooOften(limit=rules.REOPEN_MAX)
        if step == "appeal":
            return AppealedBefore()
    may = rules.may(now.state, by.actor, reopened=now.reopened, appeals=now.appeals)
    return MovedOn(state=now.state, may=may)


async def note(
    house: House,
    ticket: TicketRow,
    by: By,
    step: Literal["remind", "overdue", "redate"],
    *,
    due: rules.DueDate | None = None,
) -> bool:
    """Write something into a ticket's history that doesn't move it; False where it didn't fit."""
    version: int | None = await q.note(
        house.db,
        version=ticket.version if step == "redate" else None,
        due_on=due and due.on,
        provisional=due and due.provisional,
        **_told(house, ticket, by, step),
    )
    if version is not None:
        house.hint()
    return version is not None


async def remind(house: House, ticket: TicketRow, by: By) -> None:
    """An operator reminds the department, at most once a day. Raises MovedOn, RemindedToday."""
    if await note(house, ticket, by, "remind"):
        return
    now = await seen(house.db, ticket.id, by)
    if now.turn == "department":
        raise RemindedToday
    raise _refusal(now, by, "remind")


def _told(house: House, ticket: TicketRow, by: By, step: Move) -> dict[str, Any]:
    """The parameters that every step has: where, who, when, and the news of it."""
    bucket = ids.bucket_of(ticket.id)
    kind, body = outbox.row(RectificationMoved(ticket.id, ticket.shop, step))
    return {
        "bucket": bucket,
        "id": ticket.id,
        "move": step,
        "now": house.clock.now(),
        "today": house.clock.today(),
        "actor": by.actor,
        "staff_id": by.staff_id,
        "who": by.who,
        "event_id": ids.new(bucket),
        "type": kind,
        "body": body,
    }
