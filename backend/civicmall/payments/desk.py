"""What departments and operators see of the money: tables keyed by shop, fed by events."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from civicmall.identity import Staff
from civicmall.kernel import ids
from civicmall.kernel.db import Db

from . import service
from .models import (
    DeskPayment,
    OrderRow,
    ShopTotal,
)
from .queries import q


async def feed(db: Db, order_id: UUID) -> None:
    """Bring the desks' view of one order up to date; the same again changes nothing."""
    found: OrderRow = await q.order(db, bucket=ids.bucket_of(order_id), id=order_id)
    if found.paid_at is None:
        return
    for line in await service.lines(db, order_id):
        await q.desk_note(
            db,
            shop=line.shop,
            order_id=order_id,
            no=line.no,
            app=line.app,
            charge_id=line.charge_id,
            fee_code=line.fee_code,
            title=line.title,
            period=line.period,
            amount_minor=line.amount_minor,
            refunded_minor=line.refunded_minor,
            state=line.state,
            paid_at=found.paid_at,
            receipt_number=line.receipt["number"] if line.receipt else None,
        )


async def payments(
    db: Db, staff: Staff, after: tuple[datetime, UUID, int] | None, limit: int
) -> list[DeskPayment]:
    """Paid lines, newest first; a department sees its own shop's."""
    at, order, no = after or (None, None, None)
    found: list[DeskPayment] = await q.desk_payments(
        db, shop=staff.shop, before_at=at, before_order=order, before_no=no, most=limit + 1
    )
    return found


async def totals(db: Db, staff: Staff, days: int) -> list[ShopTotal]:
    """What each shop was paid over the last days; a department sees its own shop's."""
    found: list[ShopTotal] = await q.shop_totals(db, shop=staff.shop, days=days)
    return found
