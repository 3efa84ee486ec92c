"""What happens after a rating or a step: desks and index learn of it, the citizen gets a message.

Each handler reads what is true now and puts it in place with its version, so events may come
twice and in any order; a message has the event's id, so it comes once.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from civicmall import inbox
from civicmall.cases import Finished
from civicmall.gateway import Gateway
from civicmall.kernel import ids
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers
from civicmall.shops import Registry
from shopkit import Event, EventType

from . import rules
from .events import RatingGiven, RectificationMoved
from .models import RatingRow, StepRow, TicketRow
from .queries import q
from .words import invitation, message


def listen(handlers: Handlers, house: House, registry: Registry, gateway: Gateway) -> None:
    """Everything this room does when it hears of its own events."""

    async def on_given(db: Pool, event: RatingGiven, delivery: Delivery) -> None:
        await project(db, event.rating_id)
        if event.opened:
            await tell(db, registry, event.rating_id, delivery)

    async def on_moved(db: Pool, event: RectificationMoved, delivery: Delivery) -> None:
        await project(db, event.rectification_id)
        await tell(db, registry, event.rectification_id, delivery)

    async def on_finished(db: Pool, event: Finished, delivery: Delivery) -> None:
        title, body = invitation(registry.name(event.shop))
        await inbox.send(
            db,
            citizen_id=event.citizen_id,
            id=delivery.id,
            kind="ratings.invite",
            title=title,
            body=body,
            link=f"/cases/{event.case_id}/rate",
        )

    handlers.on(Finished, on_finished)

    async def tell_shop(_: Pool, event: RatingGiven, delivery: Delivery) -> None:
        """The department's own system hears of it, if it wants to; no word of the citizen's."""
        said = {"rating_id": str(event.rating_id), "app": event.app, "stars": event.stars}
        opened: list[EventType] = ["rectification.opened"] if event.opened else []
        kinds: list[EventType] = ["rating.given", *opened]
        for kind in kinds:
            news = Event(
                f"{delivery.id}-{kind.partition('.')[0]}", kind, event.app, house.clock.now(), said
            )
            await gateway.tell(event.shop, news)

    handlers.on(RatingGiven, on_given)
    handlers.on(RatingGiven, tell_shop)
    handlers.on(RectificationMoved, on_moved)


async def project(db: Pool, rating_id: UUID) -> None:
    """Bring what desks and the public see of a rating and its ticket up to date."""
    bucket = ids.bucket_of(rating_id)
    given: RatingRow | None = await q.rating(db, bucket=bucket, id=rating_id)
    if given is None:
        return
    await q.put_rating(db, row=_desk_rating(given))
    ticket: TicketRow | None = await q.ticket(db, bucket=bucket, id=rating_id)
    if ticket is not None:
        await q.put_rectification(db, row=_desk_ticket(ticket, given))


def _desk_rating(given: RatingRow) -> dict[str, object]:
    """A row of ratings.desk_rating: no citizen, and the stars that count now."""
    latest = given.again_stars or given.stars
    return msgspec.to_builtins(
        {
            "shop": given.shop,
            "id": given.id,
            "app": given.app,
            "kind": given.kind,
            "month": rules.month_of(given.given_at),
            "pseudonym": given.pseudonym,
            "levels": given.levels,
            "stars": given.stars,
            "tags": given.tags,
            "comment": given.comment,
            "given_at": given.given_at,
            "again_stars": given.again_stars,
            "again_tags": given.again_tags,
            "again_comment": given.again_comment,
            "again_at": given.again_at,
            "counts": latest if given.excluded_at is None else None,
            "version": given.version,
        }
    )


def _desk_ticket(ticket: TicketRow, given: RatingRow) -> dict[str, object]:
    """A row of ratings.desk_rectification."""
    score = rules.score(ticket.state, late=ticket.late)
    return msgspec.to_builtins(
        {
            "shop": ticket.shop,
            "id": ticket.id,
            "app": ticket.app,
            "month": rules.month_of(ticket.opened_at),
            "pseudonym": given.pseudonym,
            "stars": given.stars,
            "state": ticket.state,
            "turn": ticket.turn,
            "closed": ticket.turn == "nobody",
            "opened_at": ticket.opened_at,
            "due_on": ticket.due_on,
            "provisional": ticket.provisional,
            "reopened": ticket.reopened,
            "overdue_on": ticket.overdue_on,
            "reminded_on": ticket.reminded_on,
            "responsible": ticket.responsible,
            "opened": score.opened,
            "answered": score.answered,
            "on_time": score.on_time,
            "late": score.late,
            "confirmed": score.confirmed,
            "version": ticket.version,
        }
    )


async def tell(db: Pool, registry: Registry, ticket_id: UUID, delivery: Delivery) -> None:
    """Tell the citizen of the step that has this event's id."""
    bucket = ids.bucket_of(ticket_id)
    ticket: TicketRow | None = await q.ticket(db, bucket=bucket, id=ticket_id)
    step: StepRow | None = await q.step(
        db, bucket=bucket, rectification_id=ticket_id, id=delivery.id
    )
    if ticket is None or step is None:
        return
    words = message(
        step.move,
        {
            "shop": registry.name(ticket.shop),
            "due": step.due_on.isoformat(),
            "who": ticket.responsible,
            "phone": ticket.phone,
            "said": step.said,
        },
    )
    if words is None:
        return
    title, body = words
    await inbox.send(
        db,
        citizen_id=ticket.citizen_id,
        id=delivery.id,
        kind=f"ratings.{step.move}",
        title=title,
        body=body,
        link=f"/rectifications/{ticket_id}",
    )
