"""Refunds on their way: sent to the channel, asked after, posted, told."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import asyncpg
from asyncpg import Record

from civicmall.gateway import Gateway, NoSuchThing, ShopRefused
from civicmall.inbox import send as send_message
from civicmall.kernel import ids, logs, money
from civicmall.kernel.db import Db, Pool
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers
from civicmall.payments import desk, service, settlement, tickets
from civicmall.payments.channels import Channel, Channels
from civicmall.payments.errors import ChannelAway, NoSuchChannel
from civicmall.payments.events import RefundMoved
from civicmall.payments.models import LineRow, OrderRow, RefundAsk, Tender
from civicmall.payments.rules import ASK_AFTER_S, payment_id
from shopkit import ChargeRefunded

from . import results
from .models import RefundRow
from .queries import q
from .service import row_of

log = logs.get("payments")
AT_ONCE: Final = 200
ENDS: Final = frozenset({"done", "declined"})


async def send(house: House, channels: Channels, refund_id: UUID) -> None:
    """Ask the channel for an approved refund, or after one that is sent; note what it says."""
    row = await row_of(house.db, refund_id)
    if row is None or row.state not in {"approved", "sent"}:
        return
    channel = _channel(channels, row)
    ask = await ask_of(house.db, row)
    said = await (channel.refund(ask) if row.state == "approved" else channel.query_refund(ask))
    await results.told(house, row.channel, said)


async def look_after(house: House, channels: Channels) -> None:
    """Refunds whose result has not come are asked about; one that fails keeps no other waiting."""
    away: set[str] = set()
    for bucket, refund_id, channel in await q.due(house.db, most=AT_ONCE):
        turn = await q.take_turn(house.db, bucket=bucket, id=refund_id, ask_after_s=ASK_AFTER_S)
        if turn is None or channel in away:
            continue
        try:
            await send(house, channels, refund_id)
        except ChannelAway:
            away.add(channel)
        except (Problem, asyncpg.PostgresError, OSError):
            log.warning("refund.look_failed", refund=str(refund_id), exc_info=True)


def listen(handlers: Handlers, house: House, gateway: Gateway, channels: Channels) -> None:
    """A refund moved: send it, or tell whom its end concerns."""

    async def on_moved(db: Pool, event: RefundMoved, delivery: Delivery) -> None:
        row = await row_of(db, event.refund_id)
        if row is None:
            return
        await tickets.going_back(house, row)
        found = await _desk(db, row)
        if event.state == "approved":
            await send(house, channels, row.id)
        elif event.state in ENDS and found is not None:
            await settlement.finish(house, row.order_id)
            if event.state == "done":
                await _tell_shop(gateway, *found, row)
            await _tell_citizen(db, *found, row, delivery.id)
        elif event.state == "done" and row.txn is not None:
            await tickets.returned(house, row)
        await _ticket(house, row, event.state)

    handlers.on(RefundMoved, on_moved)


async def _ticket(house: House, row: RefundRow, state: str) -> None:
    """A refund that failed needs somebody until it ends; its end may be heard of before."""
    if state == "failed":
        await tickets.failed(house, row)
    now = row if state in ENDS else await row_of(house.db, row.id)
    if now is not None and now.state in ENDS:
        await tickets.refund_ended(house, now)


async def _desk(db: Db, row: RefundRow) -> tuple[OrderRow, LineRow] | None:
    """Bring the desks' view up to date; the order and line, where the refund is of one."""
    if row.no is None:
        return None
    found = await service.any_order(db, row.order_id)
    line = next(one for one in await service.lines(db, row.order_id) if one.no == row.no)
    await q.desk_note(
        db, shop=line.shop, refund_id=row.id, order_id=row.order_id, no=row.no, title=line.title,
        state=row.state, amount_minor=row.amount_minor, reason=row.reason, words=row.words,
        asked_by=row.asked_by if row.asked_by in {"citizen", "system"} else "staff",
        asked_name=row.asked_name, asked_at=row.asked_at, decided_name=row.decided_name,
        ended_at=row.ended_at, trouble=row.trouble,
    )  # fmt: skip
    await desk.feed(db, row.order_id)
    return found, line


async def _tell_shop(gateway: Gateway, found: OrderRow, line: LineRow, row: RefundRow) -> None:
    """A shop that had acknowledged the payment books its way back; one that refused it knows."""
    if line.receipt is None or row.ended_at is None:
        return
    news = ChargeRefunded(
        refund_id=str(row.id),
        payment_id=payment_id(row.order_id, line.no),
        charge_id=line.charge_id,
        amount_minor=row.amount_minor,
        refunded_at=row.ended_at,
    )
    try:
        await gateway.tell_refunded(found.citizen_id, line.shop, line.app, news)
    except (ShopRefused, NoSuchThing) as refusal:
        # The money is gone whatever the shop says; somebody must look at its books.
        log.exception(
            "refund.not_booked", shop=line.shop, refund=str(row.id), reason=refusal.detail
        )


async def _tell_citizen(
    db: Db, found: OrderRow, line: LineRow, row: RefundRow, message_id: UUID
) -> None:
    amount = money.yuan(row.amount_minor)
    zh, en = line.title["zh-CN"], line.title.get("en", line.title["zh-CN"])
    if row.state == "declined":
        kind, title = "declined", {"zh-CN": "退款申请未通过", "en": "Refund declined"}
        body = {
            "zh-CN": f"{zh} 的退款申请（{amount} 元）未通过。",
            "en": f"{en}: the refund of {amount} yuan was declined.",
        }
    elif row.reason == "refused":
        kind, title = "refunded", {"zh-CN": "缴费已退回", "en": "Payment returned"}
        body = {
            "zh-CN": f"部门未能受理 {zh}，{amount} 元已原路退回。",
            "en": f"The department could not take {en}; {amount} yuan went back to you.",
        }
    else:
        kind, title = "refunded", {"zh-CN": "退款已完成", "en": "Refund completed"}
        body = {
            "zh-CN": f"{zh} 退款 {amount} 元已原路退回。",
            "en": f"{en}: {amount} yuan went back to you.",
        }
    await send_message(
        db, citizen_id=found.citizen_id, id=message_id, kind=f"payments.{kind}", title=title,
        body=body, link=f"/orders/{row.order_id}",
    )  # fmt: skip


def _channel(channels: Channels, row: RefundRow) -> Channel:
    found = channels.get(row.channel)
    if found is None:
        raise NoSuchChannel(channel=row.channel)
    return found


async def ask_of(db: Db, row: RefundRow) -> RefundAsk:
    """What the channel is asked about a refund."""
    txn = row.txn or (await service.any_order(db, row.order_id)).channel_txn or ""
    paid: Record = await q.payment(
        db, bucket=ids.bucket_of(row.order_id), channel=row.channel, txn=txn
    )
    parts = zip(paid["tenders"], row.parts or [], strict=True)
    return RefundAsk(
        refund_id=row.id,
        order_id=row.order_id,
        txn=txn,
        paid_minor=paid["amount_minor"],
        amount_minor=row.amount_minor,
        parts=tuple(Tender(name, part) for name, part in parts if part > 0),
        reason=row.reason,
        asked_at=row.asked_at,
    )
