"""The departments' entries: written when the payment centre hears of its own doings."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from civicmall.kernel import ids
from civicmall.kernel.db import Db, Pool
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers
from civicmall.payments import service
from civicmall.payments.events import OrderFulfilled, OrderPaid, RefundMoved
from civicmall.payments.models import LineRow

from .models import DoneRefund
from .queries import q

Entry = tuple[str, UUID, datetime, int, LineRow]
"""Kind, id, when posted, amount, and the line it is of."""


async def feed(db: Db, order_id: UUID) -> None:
    """Bring the entries of one order up to date; the same again changes nothing."""
    bucket = ids.bucket_of(order_id)
    posted_at: datetime | None = await q.posted_at(db, bucket=bucket, order_id=order_id)
    if posted_at is None:
        return
    done: list[DoneRefund] = await q.refunds_done(db, bucket=bucket, order_id=order_id)
    lines = {line.no: line for line in await service.lines(db, order_id)}
    found: list[Entry] = [
        ("payment", order_id, posted_at, line.amount_minor, line) for line in lines.values()
    ]
    found += [("refund", one.id, one.ended_at, one.amount_minor, lines[one.no]) for one in done]
    await q.note_entries(
        db,
        order_id=order_id,
        kinds=[kind for kind, *_ in found],
        ids=[entry_id for _, entry_id, *_ in found],
        posted=[at for _, _, at, _, _ in found],
        amounts=[amount for *_, amount, _ in found],
        accounts=[line.settlement_account for *_, line in found],
        nos=[line.no for *_, line in found],
        shops=[line.shop for *_, line in found],
        fee_codes=[line.fee_code for *_, line in found],
        titles=[line.title for *_, line in found],
        periods=[line.period for *_, line in found],
        receipts=[line.receipt["number"] if line.receipt else None for *_, line in found],
    )


def listen(handlers: Handlers) -> None:
    """Feed at each event that posts money or brings a department's receipt."""

    async def on_order(db: Pool, event: OrderPaid | OrderFulfilled, _: Delivery) -> None:
        await feed(db, event.order_id)

    async def on_refund(db: Pool, event: RefundMoved, _: Delivery) -> None:
        await feed(db, event.order_id)

    handlers.on(OrderPaid, on_order)
    handlers.on(OrderFulfilled, on_order)
    handlers.on(RefundMoved, on_refund)
