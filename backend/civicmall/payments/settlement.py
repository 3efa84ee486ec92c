"""Money that came: posted once, told to the shops, and set on its way back where it fits nothing."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from civicmall.gateway import Gateway, NoSuchThing, ShopRefused
from civicmall.inbox import send
from civicmall.kernel import ids, logs, money, outbox
from civicmall.kernel.db import Db, Pool
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers
from shopkit import ChargePaid

from . import desk, refunds, service, tickets
from .channels import Channels
from .errors import ChannelAway
from .events import MoneyUnmatched, OrderFulfilled, OrderPaid, RefundMoved
from .models import (
    DueOrder,
    LineRow,
    OrderRow,
    Outcome,
    Paid,
    RefundSaid,
    Settled,
)
from .queries import q
from .refunds import results
from .rules import ASK_AFTER_S, PAYABLE, payment_id

log = logs.get("payments")
AT_ONCE: Final = 200


async def hear(house: House, channel: str, told: Paid | RefundSaid | None) -> str:
    """Take in what a channel's callback says; the outcome is for the channel's log."""
    if isinstance(told, Paid):
        return (await settle(house, channel, told)).outcome
    if told is None:
        return "nothing"
    await results.told(house, channel, told)
    return told.state


async def settle(house: House, channel: str, paid: Paid) -> Settled:
    """Take in what a channel says was paid: once, however often it is told."""
    outcome: Outcome | None = await q.settle(house.db, **posting(channel, paid))
    house.hint()
    if outcome not in {None, "posted"}:
        log.warning("money.unmatched", channel=channel, outcome=outcome, order=str(paid.order_id))
    return Settled(outcome or "repeated")


def posting(channel: str, paid: Paid) -> dict[str, Any]:
    """The parameters of the statement `settle`."""
    bucket = ids.bucket_of(paid.order_id)
    paid_type, paid_body = outbox.row(OrderPaid(paid.order_id))
    unmatched_type, unmatched_body = outbox.row(
        MoneyUnmatched(channel, paid.txn, paid.order_id, paid.amount_minor, "")
    )
    return {
        "bucket": bucket,
        "order_id": paid.order_id,
        "channel": channel,
        "txn": paid.txn,
        "amount_minor": paid.amount_minor,
        "paid_at": paid.paid_at,
        "tenders": [tender.name for tender in paid.tenders] or [channel],
        "tender_minor": [tender.amount_minor for tender in paid.tenders] or [paid.amount_minor],
        "posting_id": ids.new(bucket),
        "paid_event_id": ids.new(bucket),
        "paid_type": paid_type,
        "paid_body": paid_body,
        "unmatched_event_id": ids.new(bucket),
        "unmatched_type": unmatched_type,
        "unmatched_body": unmatched_body,
    }


async def fulfil(house: House, gateway: Gateway, order_id: UUID) -> None:
    """Tell each shop of its payment and keep its receipt.

    A shop that is away keeps no other waiting; raises afterwards what it raised.
    """
    found: OrderRow = await q.order(house.db, bucket=ids.bucket_of(order_id), id=order_id)
    if found.paid_at is None:
        return
    away: Problem | None = None
    for line in await service.lines(house.db, order_id):
        if line.state == "waiting":
            try:
                await _tell_shop(house, gateway, found, line)
            except Problem as problem:
                away = problem
    await finish(house, order_id)
    if away is not None:
        raise away


async def _tell_shop(house: House, gateway: Gateway, found: OrderRow, line: LineRow) -> None:
    """One line: its receipt, or that it is refused. Raises while its shop is away."""
    bucket = ids.bucket_of(found.id)
    news = ChargePaid(
        payment_id=payment_id(found.id, line.no),
        charge_id=line.charge_id,
        amount_minor=line.amount_minor,
        paid_at=found.paid_at or found.created_at,
    )
    try:
        receipt = await gateway.tell_paid(found.citizen_id, line.shop, line.app, news)
    except (ShopRefused, NoSuchThing) as refusal:
        log.warning("line.refused", shop=line.shop, order=str(found.id), reason=refusal.detail)
        refund_id = ids.new(bucket)
        kind, body = outbox.row(RefundMoved(found.id, refund_id, "approved"))
        await q.refuse_line(
            house.db, bucket=bucket, order_id=found.id, no=line.no, refund_id=refund_id,
            ask_after_s=ASK_AFTER_S, event_id=ids.new(bucket), type=kind, body=body,
        )  # fmt: skip
        house.hint()
    else:
        await q.fulfil_line(
            house.db, bucket=bucket, order_id=found.id, no=line.no,
            receipt=msgspec.to_builtins(receipt),
        )  # fmt: skip


async def finish(house: House, order_id: UUID) -> None:
    """Settle an order none of whose lines is open any more, and no refund on its way."""
    bucket = ids.bucket_of(order_id)
    kind, body = outbox.row(OrderFulfilled(order_id))
    await q.finish_order(
        house.db, bucket=bucket, order_id=order_id, event_id=ids.new(bucket), type=kind, body=body
    )
    house.hint()


async def send_back(house: House, event: MoneyUnmatched) -> None:
    """Late and double payments go back by themselves; other amounts wait for an operator."""
    by_itself = event.outcome in {"late", "double"}
    if by_itself:
        await refunds.ask_return(
            house.db, ids.new(ids.bucket_of(event.order_id)), event.order_id, event.channel,
            event.txn, "approved", event.outcome,
        )  # fmt: skip
        house.hint()
    await tickets.note(house, event)


async def look_after(house: House, channels: Channels) -> None:
    """Orders whose callback is late are asked about; those whose time is over are closed.

    What goes wrong with one order keeps no other from its turn.
    """
    due: list[DueOrder] = await q.due_orders(house.db, most=AT_ONCE)
    away: set[str | None] = set()
    for one in due:
        try:
            ended = one.channel not in away and await _look_at(house, channels, one)
        except ChannelAway:
            # One that hangs is asked once in a round, or it would take the time of all others.
            away.add(one.channel)
            ended = False
        except (Problem, asyncpg.PostgresError, OSError):
            log.warning("order.look_failed", order=str(one.id), exc_info=True)
            ended = False
        if not ended:
            await q.ask_later(house.db, bucket=one.bucket, id=one.id, after_s=ASK_AFTER_S)


async def _look_at(house: House, channels: Channels, one: DueOrder) -> bool:
    """Ask the channel, close what is over; False where the order waits for another look."""
    found: OrderRow | None = await q.order(house.db, bucket=one.bucket, id=one.id)
    channel = channels.get(one.channel)
    if found is None:
        return True
    if channel is not None:
        paid = await channel.query(found)
        if paid and (await settle(house, channel.name, paid)).outcome == "posted":
            return True
        if paid and paid.amount_minor == found.amount_minor:
            return await _known_before(house, channel.name, paid, found)
        if one.expired and not await channel.cancel(found):
            return False  # paid in this instant: the next look finds it
    return one.expired and await service.close(house.db, one.id, only_expired=True) is not None


async def _known_before(house: House, channel: str, paid: Paid, found: OrderRow) -> bool:
    """A channel's number that was told before: of this order, or, by a channel's fault, of another
    payment. Then it pays nothing, and somebody must ask the channel.
    """
    now = await service.any_order(house.db, found.id)
    if now.state not in PAYABLE:
        return True
    log.error("money.number_again", channel=channel, order=str(found.id), txn=paid.txn)
    event = MoneyUnmatched(channel, paid.txn, found.id, paid.amount_minor, "unknown_order")
    await tickets.note(house, event)
    return False


def listen(handlers: Handlers, house: House, gateway: Gateway) -> None:
    """What the payment centre does when it hears of its own doings."""

    async def on_paid(db: Pool, event: OrderPaid, _: Delivery) -> None:
        await desk.feed(db, event.order_id)
        try:
            await fulfil(house, gateway, event.order_id)
        finally:
            await desk.feed(db, event.order_id)

    async def on_fulfilled(db: Pool, event: OrderFulfilled, delivery: Delivery) -> None:
        await desk.feed(db, event.order_id)
        await _tell(db, event.order_id, delivery.id)

    async def on_unmatched(_: Pool, event: MoneyUnmatched, __: Delivery) -> None:
        await send_back(house, event)

    handlers.on(OrderPaid, on_paid)
    handlers.on(OrderFulfilled, on_fulfilled)
    handlers.on(MoneyUnmatched, on_unmatched)


async def _tell(db: Db, order_id: UUID, message_id: UUID) -> None:
    found: OrderRow = await q.order(db, bucket=ids.bucket_of(order_id), id=order_id)
    rows = await service.lines(db, order_id)
    zh = "、".join(line.title["zh-CN"] for line in rows)
    en = ", ".join(line.title.get("en", line.title["zh-CN"]) for line in rows)
    amount = money.yuan(found.amount_minor)
    await send(
        db,
        citizen_id=found.citizen_id,
        id=message_id,
        kind="payments.paid",
        title={"zh-CN": "缴费成功", "en": "Payment received"},
        body={
            "zh-CN": f"{zh} 已缴 {amount} 元，部门收据已开具。请为本次服务评价。",
            "en": f"{en}: {amount} yuan paid, the department's receipt is here. Please rate it.",
        },
        link=f"/orders/{order_id}",
    )
