"""Refunds: wished for, asked for, approved by a second person over a limit, declined."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from civicmall.identity import Role, Staff, must_be
from civicmall.kernel import idempotency, ids, outbox
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.payments import service
from civicmall.payments.errors import (
    NoSuchOrder,
    NoSuchRefund,
    NotRefundable,
    RefundDecided,
    SecondPersonNeeded,
)
from civicmall.payments.events import RefundMoved
from civicmall.payments.rules import ASK_AFTER_S, REFUND_ALONE_MINOR, WISHES_MAX, RefundState

from .models import DeskDecision, DeskRefund, Refund, RefundOrder, RefundRow, RefundWish
from .queries import q

CITIZEN: Final = "citizen"
SYSTEM: Final = "system"
DECIDE: Final[tuple[Role, ...]] = ("operator", "manager")
"""Whoever lets money go, or says no."""


async def wish(
    house: House, citizen_id: UUID, order_id: UUID, key: str | None, ask: RefundWish
) -> Refund:
    """A citizen wants money back; the department decides. The same key again is the same wish.

    Raises NoSuchOrder, NotRefundable and the problems of idempotency.
    """
    await service.own_order(house.db, citizen_id, order_id)

    async def work(refund_id: UUID) -> Refund:
        await _ask(house, refund_id, order_id, ask, "wanted", CITIZEN, "")
        return shown(await _refund(house.db, refund_id))

    return await idempotency.once(
        house.db, citizen_id, f"refunds:{order_id}", key, ask, Refund, work
    )


async def of_order(db: Db, citizen_id: UUID, order_id: UUID) -> list[Refund]:
    """A citizen's refunds of one order, oldest first. Raises NoSuchOrder."""
    await service.own_order(db, citizen_id, order_id)
    found: list[RefundRow] = await q.of_order(db, bucket=ids.bucket_of(order_id), order_id=order_id)
    return [shown(row) for row in found]


async def order_refund(
    house: House, staff: Staff, key: str | None, ask: RefundOrder
) -> DeskDecision:
    """Staff send money of a line back: at once up to the limit, else once another one approves.

    Raises NoSuchOrder (also for another shop's line), NotRefundable, idempotency's problems.
    """
    must_be(staff, *DECIDE)
    await _check_line(house.db, staff, ask.order_id, ask.no)

    async def work(made_up: UUID) -> DeskDecision:
        refund_id = _in_bucket(made_up, ask.order_id)
        await _ask(house, refund_id, ask.order_id, ask, "asked", str(staff.staff_id), staff.name)
        row = await _refund(house.db, refund_id)
        await _approve(house, row, staff)
        return DeskDecision(refund_id, (await _refund(house.db, refund_id)).state)

    return await idempotency.once(
        house.db, staff.staff_id, "desk_refunds", key, ask, DeskDecision, work
    )


async def approve(house: House, staff: Staff, refund_id: UUID) -> DeskDecision:
    """Let it go, or try again what the channel could not do. A citizen's wish becomes the staff's
    own by this; over the limit it then takes another operator.

    Raises NoSuchRefund, RefundDecided, SecondPersonNeeded.
    """
    must_be(staff, *DECIDE)
    row = await _seen_by(house.db, staff, refund_id)
    if row.state == "wanted":
        await q.take_up(
            house.db, bucket=ids.bucket_of(refund_id), id=refund_id,
            asked_by=str(staff.staff_id), asked_name=staff.name,
            **moved(row.order_id, refund_id, "asked"),
        )  # fmt: skip
        await _approve(house, row, staff)
    elif row.state == "asked":
        if not await _approve(house, row, staff):
            raise SecondPersonNeeded(limit_minor=REFUND_ALONE_MINOR)
    elif row.state == "failed":
        await q.try_again(
            house.db, bucket=ids.bucket_of(refund_id), id=refund_id, ask_after_s=ASK_AFTER_S,
            decided_by=str(staff.staff_id), decided_name=staff.name,
            **moved(row.order_id, refund_id, "approved"),
        )  # fmt: skip
        house.hint()
    else:
        raise RefundDecided(state=row.state)
    return DeskDecision(refund_id, (await _refund(house.db, refund_id)).state)


async def decline(house: House, staff: Staff, refund_id: UUID) -> DeskDecision:
    """Say no; the money that was held stays paid. Raises NoSuchRefund, RefundDecided."""
    must_be(staff, *DECIDE)
    row = await _seen_by(house.db, staff, refund_id)
    done: UUID | None = await q.decline(
        house.db, bucket=ids.bucket_of(refund_id), id=refund_id,
        decided_by=str(staff.staff_id), decided_name=staff.name,
        **moved(row.order_id, refund_id, "declined"),
    )  # fmt: skip
    if done is None:
        raise RefundDecided(state=(await _refund(house.db, refund_id)).state)
    house.hint()
    return DeskDecision(refund_id, "declined")


async def return_money(
    house: House, staff: Staff, order_id: UUID, channel: str, txn: str
) -> DeskDecision:
    """An operator sends back money that fits no order; over the limit a second one approves.

    Raises NotRefundable where it is on its way already or fits its order.
    """
    must_be(staff, "operator")
    refund_id = ids.new(ids.bucket_of(order_id))
    made = await ask_return(
        house.db, refund_id, order_id, channel, txn, "asked", "unmatched", str(staff.staff_id),
        staff.name,
    )  # fmt: skip
    if not made:
        raise NotRefundable(left_minor=0)
    await _approve(house, await _refund(house.db, refund_id), staff)
    return DeskDecision(refund_id, (await _refund(house.db, refund_id)).state)


async def ask_return(
    db: Db, refund_id: UUID, order_id: UUID, channel: str, txn: str,
    state: RefundState, reason: str, by: str = SYSTEM, name: str = "",
) -> bool:  # fmt: skip
    """Set money that fits no order on its way back; False where it is already, or fits."""
    made: UUID | None = await q.ask_return(
        db, bucket=ids.bucket_of(order_id), id=refund_id, channel=channel, txn=txn, state=state,
        reason=reason, asked_by=by, asked_name=name, ask_after_s=ASK_AFTER_S,
        **moved(order_id, refund_id, state),
    )  # fmt: skip
    return made is not None


async def desk_refunds(
    db: Db, staff: Staff, after: tuple[object, UUID] | None, limit: int, *, only_open: bool
) -> list[DeskRefund]:
    """Refunds, newest first; a department sees its own shop's."""
    at, refund_id = after or (None, None)
    found: list[DeskRefund] = await q.desk_refunds(
        db, shop=staff.shop, only_open=only_open, before_at=at, before_id=refund_id, most=limit + 1
    )
    return found


def moved(order_id: UUID, refund_id: UUID, state: RefundState) -> dict[str, object]:
    """The news that goes out with a statement that moves a refund."""
    kind, body = outbox.row(RefundMoved(order_id, refund_id, state))
    return {"event_id": ids.new(ids.bucket_of(order_id)), "type": kind, "body": body}


def shown(row: RefundRow) -> Refund:
    """As its citizen sees it."""
    return Refund(
        row.id, row.order_id, row.no or 0, row.state, row.amount_minor, row.reason, row.words,
        row.asked_at, row.ended_at,
    )  # fmt: skip


async def _ask(
    house: House, refund_id: UUID, order_id: UUID, ask: RefundWish | RefundOrder,
    state: RefundState, by: str, name: str,
) -> None:  # fmt: skip
    made: UUID | None = await q.ask(
        house.db, bucket=ids.bucket_of(order_id), id=refund_id, order_id=order_id, no=ask.no,
        amount_minor=ask.amount_minor, state=state, reason=ask.reason, words=ask.words,
        asked_by=by, asked_name=name, wishes_max=WISHES_MAX, **moved(order_id, refund_id, state),
    )  # fmt: skip
    if made is None and await row_of(house.db, refund_id) is None:
        lines = await service.lines(house.db, order_id)
        line = next((one for one in lines if one.no == ask.no), None)
        if line is None:
            raise NoSuchOrder
        left = line.amount_minor - line.refunded_minor - line.refunding_minor
        raise NotRefundable(left_minor=left if line.state == "fulfilled" else 0, state=line.state)
    house.hint()


async def _approve(house: House, row: RefundRow, staff: Staff) -> bool:
    """Let a refund go that is asked for; False where that takes somebody else."""
    statement = q.approve if row.no is not None else q.approve_return
    done: UUID | None = await statement(
        house.db, bucket=ids.bucket_of(row.id), id=row.id, decided_by=str(staff.staff_id),
        decided_name=staff.name, second=staff.role == "operator", alone_minor=REFUND_ALONE_MINOR,
        ask_after_s=ASK_AFTER_S, **moved(row.order_id, row.id, "approved"),
    )  # fmt: skip
    house.hint()
    return done is not None or (await _refund(house.db, row.id)).state != "asked"


async def row_of(db: Db, refund_id: UUID) -> RefundRow | None:
    """A refund as stored."""
    found: RefundRow | None = await q.refund(db, bucket=ids.bucket_of(refund_id), id=refund_id)
    return found


async def _refund(db: Db, refund_id: UUID) -> RefundRow:
    found = await row_of(db, refund_id)
    if found is None:
        raise NoSuchRefund
    return found


async def _seen_by(db: Db, staff: Staff, refund_id: UUID) -> RefundRow:
    """A refund that this desk may decide. Raises NoSuchRefund."""
    row = await _refund(db, refund_id)
    if staff.shop is not None:
        try:
            await _check_line(db, staff, row.order_id, row.no or 0)
        except NoSuchOrder as error:
            raise NoSuchRefund from error
    return row


async def _check_line(db: Db, staff: Staff, order_id: UUID, no: int) -> None:
    """A line of the staff's own shop, or of any for an operator. Raises NoSuchOrder."""
    lines = await service.lines(db, order_id)
    if not any(one.no == no and staff.shop in {None, one.shop} for one in lines):
        raise NoSuchOrder


def _in_bucket(id: UUID, order_id: UUID) -> UUID:  # noqa: A002 (the field's word)
    """The same id, in the order's bucket: keys of staff lie elsewhere than what they ask for."""
    return UUID(bytes=id.bytes[:15] + order_id.bytes[15:])
