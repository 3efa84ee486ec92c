"""Money that came: posted once, told to the shops, and sent back where it fits nothing."""

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

from . import desk, service
from .channels import Channels
from .errors import NoSuchChannel
from .events import LineRefused, MoneyUnmatched, OrderFulfilled, OrderPaid
from .models import (
    DueOrder,
    LineRow,
    OrderRow,
    Outcome,
    Paid,
    Settled,
)
from .queries import q
from .rules import ASK_AFTER_S, payment_id

log = logs.get("payments")
AT_ONCE: Final = 200


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
    await _finish(house, order_id)
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
        kind, body = outbox.row(LineRefused(found.id, line.no))
        await q.refuse_line(
            house.db, bucket=bucket, order_id=found.id, no=line.no,
            event_id=ids.new(bucket), type=kind, body=body,
        )  # fmt: skip
    else:
        await q.fulfil_line(
            house.db, bucket=bucket, order_id=found.id, no=line.no,
            receipt=msgspec.to_builtins(receipt),
        )  # fmt: skip


async def _finish(house: House, order_id: UUID) -> None:
    """Settle an order none of whose lines is open any more."""
    bucket = ids.bucket_of(order_id)
    kind, body = outbox.row(OrderFulfilled(order_id))
    await q.finish_order(
        house.db, bucket=bucket, order_id=order_id, event_id=ids.new(bucket), type=kind, body=body
    )
    house.hint()


async def refund(house: House, channels: Channels, order_id: UUID, no: int) -> None:
    """Send one refused line's money back through the channel that it came by, then post it."""
    bucket = ids.bucket_of(order_id)
    found: OrderRow = await q.order(house.db, bucket=bucket, id=order_id)
    line = next(one for one in await service.lines(house.db, order_id) if one.no == no)
    channel = channels.get(found.channel)
    if line.state == "refused":
        if channel is None:
            raise NoSuchChannel(channel=found.channel)
        await channel.give_back(order_id, payment_id(order_id, no), line.amount_minor)
        await q.refund_line(
            house.db, bucket=bucket, order_id=order_id, no=no, posting_id=ids.new(bucket)
        )
    await _finish(house, order_id)


async def send_back(house: House, channels: Channels, event: MoneyUnmatched) -> None:
    """Late and double payments go back by themselves; other amounts wait for an operator."""
    by_itself = event.outcome in {"late", "double"}
    channel = channels.get(event.channel)
    if by_itself and channel is not None:
        bucket = ids.bucket_of(event.order_id)
        await channel.give_back(event.order_id, event.txn, event.amount_minor)
        await q.return_unmatched(
            house.db, bucket=bucket, channel=event.channel, txn=event.txn,
            posting_id=ids.new(bucket),
        )  # fmt: skip
    await desk.note_mismatch(house.db, event, resolved=by_itself)


async def look_after(house: House, channels: Channels) -> None:
    """Orders whose callback is late are asked about; those whose time is over are closed.

    What goes wrong with one order keeps no other from its turn.
    """
    due: list[DueOrder] = await q.due_orders(house.db, most=AT_ONCE)
    for one in due:
        try:
            await _look_at(house, channels, one)
        except (Problem, asyncpg.PostgresError, OSError):
            log.warning("order.look_failed", order=str(one.id), exc_info=True)
            await q.ask_later(house.db, bucket=one.bucket, id=one.id, after_s=ASK_AFTER_S)


async def _look_at(house: House, channels: Channels, one: DueOrder) -> None:
    found: OrderRow | None = await q.order(house.db, bucket=one.bucket, id=one.id)
    channel = channels.get(one.channel)
    if found is None:
        return
    if channel is not None:
        if paid := await channel.query(found):
            await settle(house, channel.name, paid)
            if paid.amount_minor == found.amount_minor:
                return
        if one.expired and not await channel.cancel(found):
            return  # paid in this instant: the next look finds it
    if one.expired:
        await service.close(house.db, one.id, only_expired=True)
    else:
        await q.ask_later(house.db, bucket=one.bucket, id=one.id, after_s=ASK_AFTER_S)


def listen(handlers: Handlers, house: House, gateway: Gateway, channels: Channels) -> None:
    """What the payment centre does when it hears of its own doings."""

    async def on_paid(db: Pool, event: OrderPaid, _: Delivery) -> None:
        await desk.feed(db, event.order_id)
        await fulfil(house, gateway, event.order_id)

    async def on_fulfilled(db: Pool, event: OrderFulfilled, delivery: Delivery) -> None:
        await desk.feed(db, event.order_id)
        await _tell(db, event.order_id, delivery.id, "paid")

    async def on_refused(db: Pool, event: LineRefused, delivery: Delivery) -> None:
        await refund(house, channels, event.order_id, event.no)
        await desk.feed(db, event.order_id)
        await _tell(db, event.order_id, delivery.id, "refunded")

    async def on_unmatched(_: Pool, event: MoneyUnmatched, __: Delivery) -> None:
        await send_back(house, channels, event)

    handlers.on(OrderPaid, on_paid)
    handlers.on(OrderFulfilled, on_fulfilled)
    handlers.on(LineRefused, on_refused)
    handlers.on(MoneyUnmatched, on_unmatched)


async def _tell(db: Db, order_id: UUID, message_id: UUID, what: str) -> None:
    found: OrderRow = await q.order(db, bucket=ids.bucket_of(order_id), id=order_id)
    rows = await service.lines(db, order_id)
    zh = "、".join(line.title["zh-CN"] for line in rows)
    en = ", ".join(line.title.get("en", line.title["zh-CN"]) for line in rows)
    if what == "paid":
        title = {"zh-CN": "缴费成功", "en": "Payment received"}
        amount = money.yuan(found.amount_minor)
        body = {
            "zh-CN": f"{zh} 已缴 {amount} 元，部门收据已开具。请为本次服务评价。",
            "en": f"{en}: {amount} yuan paid, the department's receipt is here. Please rate it.",
        }
    else:
        title = {"zh-CN": "缴费已退回", "en": "Payment returned"}
        amount = money.yuan(found.refunded_minor)
        body = {
            "zh-CN": f"部门未能受理 {zh}，{amount} 元已原路退回。",
            "en": f"The department could not take {en}; {amount} yuan went back to you.",
        }
    await send(
        db,
        citizen_id=found.citizen_id,
        id=message_id,
        kind=f"payments.{what}",
        title=title,
        body=body,
        link=f"/orders/{order_id}",
    )
