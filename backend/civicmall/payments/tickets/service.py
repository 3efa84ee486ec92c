"""Tickets: opened once however often the same is seen, resolved by itself or by an operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final, cast
from uuid import UUID

from prometheus_client import Gauge

from civicmall.identity import Staff, must_be
from civicmall.kernel import ids
from civicmall.kernel.calendar import add_working_days
from civicmall.kernel.clock import Clock
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.payments.events import MoneyUnmatched
from civicmall.payments.refunds.models import RefundRow

from .errors import NoSuchTicket, ReturnWaits, TicketResolved
from .models import Going, OpenCounts, Resolve, Sighting, Ticket, TicketKind, Wanted
from .queries import q

WORKING_DAYS: Final = 3
"""How long an operator has: money that lies wrong is somebody's."""
REASON_MAX: Final = 200
BY_ITSELF: Final = ("late", "double")
MONEY: Final = ("amount_differs", "unknown_order", *BY_ITSELF)
"""What callbacks bring; a return settles it."""
OPEN: Final = Gauge(
    "civicmall_payment_tickets",
    "Open tickets of the payment centre, as of the last minutes",
    ["state"],
)


async def see(house: House, found: Sequence[Sighting], *, again: bool = False) -> None:
    """Open a ticket for each, unless it is one. `again` reopens what resolved itself: for those who
    have just looked, not for news, which may come twice.
    """
    if not found:
        return
    await q.note(
        house.db,
        ids=[ids.new(ids.bucket_of(one.order_id) if one.order_id else 0) for one in found],
        kinds=[one.kind for one in found],
        channels=[one.channel for one in found],
        refs=[one.reference for one in found],
        orders=[one.order_id for one in found],
        refunds=[one.refund_id for one in found],
        heres=[one.here_minor for one in found],
        theres=[one.there_minor for one in found],
        days=[one.day_on for one in found],
        lines=[one.line for one in found],
        reasons=[one.reason for one in found],
        due_on=due_on(house.clock),
        again=again,
    )


def due_on(clock: Clock) -> date:
    """When something found now must be settled."""
    return add_working_days(clock.today(), WORKING_DAYS).on


async def note(house: House, event: MoneyUnmatched) -> None:
    """Money came by a callback that fits no open order."""
    kind = cast("TicketKind", event.outcome)
    said = Sighting(kind, event.channel, event.txn, event.order_id, there_minor=event.amount_minor)
    await see(house, [said])
    refund_id: UUID | None = await q.money(
        house.db, bucket=ids.bucket_of(event.order_id), channel=event.channel, txn=event.txn
    )
    if refund_id is not None:  # it was asked for before there was a ticket to tell of it
        await link(house.db, event.channel, event.txn, refund_id)


async def link(db: Db, channel: str, txn: str, refund_id: UUID) -> None:
    """The ticket of money that fits no order tells by which refund it goes back."""
    await q.link(db, kinds=MONEY, channel=channel, reference=txn, refund_id=refund_id)


async def going_back(house: House, row: RefundRow) -> None:
    """The return of such money was asked for or moved on. Its ticket is open while somebody must
    approve it, and again once it is declined: the money lies here as before.
    """
    if row.txn is None:
        return
    await link(house.db, row.channel, row.txn, row.id)
    if row.state in {"asked", "declined"}:
        await q.reopen(
            house.db, kinds=MONEY, channel=row.channel, reference=row.txn, refund_id=row.id,
            before=row.ended_at or row.asked_at, due_on=due_on(house.clock),
        )  # fmt: skip


async def refund_of(db: Db, ticket: Ticket) -> Going | None:
    """How the refund that a ticket tells of stands; None where it tells of none."""
    if ticket.refund_id is None:
        return None
    found: Going | None = await q.going(
        db, bucket=ids.bucket_of(ticket.refund_id), id=ticket.refund_id
    )
    return found


async def returned(house: House, row: RefundRow) -> None:
    """Such money went back: whatever its ticket was called, it is settled."""
    if row.reason in BY_ITSELF:  # its ticket may be opened only after this
        await q.close(
            house.db, id=ids.new(ids.bucket_of(row.order_id)), kind=row.reason, channel=row.channel,
            reference=row.txn, order_id=row.order_id, there_minor=row.amount_minor,
            due_on=due_on(house.clock), note="returned",
        )  # fmt: skip
    await q.end_known(
        house.db, kinds=MONEY, channel=row.channel, reference=row.txn, note="returned"
    )


async def failed(house: House, row: RefundRow) -> None:
    """The channel could not send a refund: somebody tries again, or declines it."""
    said = Sighting(
        "refund_failed", row.channel, row.id.hex, row.order_id, row.id,
        here_minor=row.amount_minor, reason=row.trouble[:REASON_MAX],
    )  # fmt: skip
    await see(house, [said], again=True)


async def overpaid(house: House, row: RefundRow) -> None:
    """The channel sent money that was given up here and has gone elsewhere since."""
    said = Sighting(
        "refund_missing_here", row.channel, row.id.hex, row.order_id, row.id,
        there_minor=row.amount_minor, reason="sent after it was given up",
    )  # fmt: skip
    await see(house, [said], again=True)


async def settled(house: House, kind: TicketKind, channel: str, reference: str, why: str) -> None:
    """What such a ticket was about is settled, where there ever was one."""
    await q.end_known(house.db, kinds=[kind], channel=channel, reference=reference, note=why)


async def refund_ended(house: House, row: RefundRow) -> None:
    """Done or declined: what was open about its failure is settled."""
    await settled(house, "refund_failed", row.channel, row.id.hex, row.state)


async def unseen(
    house: House, channel: str, day: date, kinds: Iterable[TicketKind], since: datetime
) -> None:
    """What a later look at the same day did not find any more is settled."""
    await q.end_unseen(
        house.db, channel=channel, day_on=day, kinds=list(kinds), since=since, note="matched"
    )


async def some(
    house: House, asked: Wanted, after: tuple[datetime, UUID] | None, limit: int
) -> list[Ticket]:
    """Tickets, newest first, one more than `limit` where there are."""
    at, last = after or (None, None)
    found: list[Ticket] = await q.tickets(
        house.db, state=asked.state, kind=asked.kind, channel=asked.channel, day_on=asked.day,
        overdue_on=house.clock.today() if asked.overdue else None,
        before_at=at, before_id=last, most=limit + 1,
    )  # fmt: skip
    return found


async def one(db: Db, ticket_id: UUID) -> Ticket:
    """One ticket. Raises NoSuchTicket."""
    found: Ticket | None = await q.ticket(db, id=ticket_id)
    if found is None:
        raise NoSuchTicket
    return found


async def resolve(house: House, staff: Staff, ticket_id: UUID, ask: Resolve) -> Ticket:
    """An operator settled it. Raises NotAllowed, NoSuchTicket, TicketResolved, ReturnWaits."""
    must_be(staff, "operator")
    before = await one(house.db, ticket_id)
    done: UUID | None = await q.resolve(
        house.db, id=ticket_id, bucket=ids.bucket_of(before.refund_id or before.id),
        by=str(staff.staff_id), name=staff.name, note=ask.note,
    )  # fmt: skip
    found = await one(house.db, ticket_id)
    if done is None and found.state == "open":
        raise ReturnWaits(refund_id=str(found.refund_id))
    if done is None:
        raise TicketResolved
    return found


async def open_counts(db: Db) -> OpenCounts:
    """How many tickets are open, and overdue; the gauge follows."""
    found: OpenCounts = await q.open_counts(db)
    OPEN.labels("open").set(found.open)
    OPEN.labels("overdue").set(found.overdue)
    return found
