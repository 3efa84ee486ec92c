"""What mends itself: a payment whose callback never came, a refund that is done and we didn't know.

The statement only says where to look. What is posted is what the channel says itself when it is
asked, so that no file can make money. A part of a split payment is asked of the channel that splits.
"""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from civicmall.kernel import ids, logs
from civicmall.kernel.house import House
from civicmall.payments import settlement
from civicmall.payments.channels import Channel, Channels, parts
from civicmall.payments.channels.medical_insurance import NAME as SPLITTING
from civicmall.payments.channels.medical_insurance import whole_order
from civicmall.payments.models import OrderRow
from civicmall.payments.queries import q as orders
from civicmall.payments.refunds import results
from civicmall.payments.refunds.sending import ask_of
from civicmall.payments.refunds.service import row_of

from .models import Gap

log = logs.get("payments")
Mended = Literal["repaired", "begun", "ticket"]
"""It fits now; it is on its way and asked after anyway; an operator looks into it."""
DONE: Final = "done"
UNDER_WAY: Final = frozenset({"approved", "sent"})


async def mend(house: House, channels: Channels, name: str, gap: Gap) -> Mended:
    """Settle a gap, where that can be. Raises ChannelAway."""
    if gap.number is not None and gap.kind == "missing_here":
        return await _pay_in(house, channels, name, gap, gap.number)
    if gap.number is not None and gap.kind == "refund_pending":
        return await _book(house, channels, gap.number)
    return "ticket"


async def _pay_in(house: House, channels: Channels, name: str, gap: Gap, number: UUID) -> Mended:
    """A payment for an order of ours is taken in as if its callback came now."""
    is_part = parts.is_part(number) or name == SPLITTING
    order_id = await whole_order(house.db, parts.of(number)) if is_part else number
    channel = channels.get(SPLITTING if is_part else name)
    if channel is None or order_id is None:
        return "ticket"
    found: OrderRow | None = await orders.order(
        house.db, bucket=ids.bucket_of(order_id), id=order_id
    )
    if found is None:
        return "ticket"
    paid = await channel.query(found)
    if paid is None or not (is_part or (paid.txn, paid.amount_minor) == (gap.txn, gap.there_minor)):
        return "ticket"
    settled = await settlement.settle(house, channel.name, paid)
    log.info("payment.found", channel=channel.name, order=str(order_id), outcome=settled.outcome)
    return "repaired"


async def _book(house: House, channels: Channels, number: UUID) -> Mended:
    """A refund that is done there ends here too."""
    refund_id = parts.whole(number) if parts.is_part(number) else number
    row = await row_of(house.db, refund_id)
    channel: Channel | None = None if row is None else channels.get(row.channel)
    if row is None or channel is None:
        return "ticket"
    if row.state != DONE:
        await results.told(
            house, row.channel, await channel.query_refund(await ask_of(house.db, row))
        )
        row = await row_of(house.db, refund_id)
    if row is not None and row.state in UNDER_WAY:
        return "begun"
    return "repaired" if row is not None and row.state == DONE else "ticket"
