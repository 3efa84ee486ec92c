"""What the citizen hears of a mandate; the reminder without which nothing is debited."""

from __future__ import annotations

from uuid import UUID

from civicmall.inbox import send
from civicmall.kernel import ids
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers
from civicmall.payments.channels import Channels
from civicmall.payments.events import DebitMoved, MandateMoved, OrderPaid

from . import messages, rules
from .debiting import conclude, redate
from .means import Means, end
from .models import DebitRow, MandateRow
from .queries import q


def listen(handlers: Handlers, means: Means) -> None:
    """Tell; remind; end at the channel what is over here; note what was paid."""
    house = means.house

    async def on_mandate(_: Pool, event: MandateMoved, delivery: Delivery) -> None:
        row = await _mandate(house, event.mandate_id)
        if row is None:
            return
        await send(
            house.db, citizen_id=row.citizen_id, id=delivery.id,
            kind=f"payments.mandate_{event.state}", link=f"/mandates/{row.id}",
            **messages.mandate(means.registry, row, event.state, event.why),
        )  # fmt: skip
        if event.state in {"revoked", "ended"}:
            await _end_agreement(means.channels, row)

    async def on_debit(_: Pool, event: DebitMoved, delivery: Delivery) -> None:
        row: DebitRow | None = await q.debit(
            house.db, bucket=ids.bucket_of(event.debit_id), id=event.debit_id
        )
        if row is None or event.state == "stopped":
            return  # the mandate's own message says that what was announced is stopped
        if event.state == "found":
            await _remind(house, row, event, delivery.id)
        else:
            await _tell(house, row, event, delivery.id)

    async def on_paid(_: Pool, event: OrderPaid, __: Delivery) -> None:
        bucket = ids.bucket_of(event.order_id)
        row: DebitRow | None = await q.of_order(house.db, bucket=bucket, order_id=event.order_id)
        if row is not None and row.state == "debiting":
            await conclude(house, row)

    handlers.on(MandateMoved, on_mandate)
    handlers.on(DebitMoved, on_debit)
    handlers.on(OrderPaid, on_paid)


async def _mandate(house: House, mandate_id: UUID) -> MandateRow | None:
    found: MandateRow | None = await q.mandate(
        house.db, bucket=ids.bucket_of(mandate_id), id=mandate_id
    )
    return found


async def _end_agreement(channels: Channels, row: MandateRow) -> None:
    """Also where no agreement was heard of: its page may be open, or be signed just now. A channel
    that is gone debits nothing any more. Raises ChannelAway.
    """
    channel = channels.debiting(row.channel)
    if channel is None:
        return
    if row.agreement is not None:
        await channel.end(row.agreement)
    else:
        await channel.withdraw(row.id)


async def _remind(house: House, row: DebitRow, event: DebitMoved, message_id: UUID) -> None:
    """Write the reminder, then announce: who is killed between sends the same one again.

    A reminder that would come too late for its day is not sent; the bill gets another day.
    """
    if row.state != "found" or row.debit_on != event.on:
        return
    mandate = await _mandate(house, row.mandate_id)
    if mandate is None or mandate.state != "active":
        await end(house, row, "stop", mandate.state if mandate else "")
        return
    today = house.clock.today()
    if (row.debit_on - today).days < rules.REMIND_DAYS_MIN:
        await redate(house, row)
        return
    await send(
        house.db, citizen_id=row.citizen_id, id=message_id, kind="payments.debit_announced",
        link=f"/mandates/{row.mandate_id}", **messages.reminder(row),
    )  # fmt: skip
    bucket = ids.bucket_of(row.id)
    await q.announce(
        house.db, bucket=bucket, mandate_id=row.mandate_id, id=row.id, debit_on=row.debit_on,
        reminder_id=message_id, today=today, next_at=rules.morning(row.debit_on, bucket),
    )  # fmt: skip


async def _tell(house: House, row: DebitRow, event: DebitMoved, message_id: UUID) -> None:
    """The result of a debit, or of one attempt."""
    kind = "declined" if event.state == "announced" else event.state
    link = f"/shops/{row.shop}/{row.app}/bills/{row.charge_id}"
    if event.state == "paid":
        link = f"/orders/{row.order_id}"
    await send(
        house.db, citizen_id=row.citizen_id, id=message_id, kind=f"payments.debit_{kind}",
        link=link, **messages.debit(row, event),
    )  # fmt: skip
