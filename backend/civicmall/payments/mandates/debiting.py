"""The day of a debit: order, guard, the channel, and what came of it.

Each step can be the last before a crash; the next process finds in the rows where it was. The
order has a key made of the debit, so it is the same order; the channel debits an order once; and
money is asked for only behind `start` or `again`, which look at the mandate in the same write.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from civicmall.gateway import NoSuchThing, ShopRefused
from civicmall.kernel import ids
from civicmall.kernel.house import House
from civicmall.payments import service as orders
from civicmall.payments import settlement
from civicmall.payments.errors import ChargeInOrder, NotCancellable
from civicmall.payments.models import ChargeRef, NewOrder, OrderRow, Paid
from civicmall.payments.rules import ASK_AFTER_S, PAYABLE

from . import rules
from .looking import acting, lacking
from .means import LANG, Means, end, move, news
from .models import DebitRow, Declined, MandateRow
from .queries import q

LEASE: Final = timedelta(minutes=5)
"""How long one debit is in a process's hands: more than shop and channel may take together."""
SOON: Final = timedelta(minutes=1)
PENDING: Final = timedelta(minutes=10)
"""When to look again at a debit of which the channel tells later; its callback comes before."""


async def debit(means: Means, bucket: int, debit_id: UUID) -> None:
    """One debit's turn. Raises what shop and channel raise; then the next turn goes on from there."""
    house, now = means.house, means.house.clock.now()
    row: DebitRow | None = await q.take(
        house.db, bucket=bucket, id=debit_id, now=now, until=now + LEASE
    )
    if row is None:
        return
    mandate: MandateRow | None = await q.mandate(house.db, bucket=bucket, id=row.mandate_id)
    if mandate is None:
        return
    if row.state == "debiting":
        await _go_on(means, mandate, row)
    elif row.try_on < house.clock.today():
        await _missed(house, row)
    elif rules.daytime(now):
        await _begin(means, mandate, row)


async def _missed(house: House, row: DebitRow) -> None:
    """Its day went by unused: announce another one, or try on what is left of the announced days."""
    bucket, today = ids.bucket_of(row.id), house.clock.today()
    if row.tries == 0:
        await redate(house, row)
    elif await q.try_on(house.db, bucket=bucket, id=row.id, try_on=today):
        await q.later(house.db, bucket=bucket, id=row.id, next_at=house.clock.now())
    else:
        await end(house, row, "fail", row.why or "declined")


async def redate(house: House, row: DebitRow) -> None:
    """Another day, which gets a reminder of its own."""
    debit_on = rules.debit_day(house.clock.today(), row.due_on)
    await q.redate(
        house.db, bucket=ids.bucket_of(row.id), mandate_id=row.mandate_id, id=row.id,
        before_on=row.debit_on, debit_on=debit_on, now=house.clock.now(),
        **news(row.mandate_id, row.id, "found", "", debit_on),
    )  # fmt: skip
    house.hint()


async def _begin(means: Means, mandate: MandateRow, row: DebitRow) -> None:
    """From the announced bill to its order and, behind the guard, to the channel."""
    house, bucket = means.house, ids.bucket_of(row.id)
    try:
        order = await _order(means, mandate, row)
    except ChargeInOrder:
        await end(house, row, "skip", "in_order")
        return
    except (NoSuchThing, ShopRefused):
        await end(house, row, "skip", "not_owed")
        return
    except Exception as error:
        if not await lacking(house, mandate.id, error):
            raise
        return
    if order.state == "closed":
        await q.next_round(house.db, bucket=bucket, id=row.id, round=row.round)
        await q.later(house.db, bucket=bucket, id=row.id, next_at=house.clock.now())
    elif order.state not in PAYABLE or order.channel not in {None, mandate.channel}:
        await end(house, row, "skip", "in_order")  # the citizen is paying it, or has
    elif order.amount_minor != row.amount_minor:
        await drop(means, row.citizen_id, order.id)
        await end(house, row, "hold", "amount_changed")
    elif await _start(house, row, order.id):
        await _charge(means, mandate, row.id, order.id)
    else:
        await _not_started(means, row, order.id)


async def _order(means: Means, mandate: MandateRow, row: DebitRow) -> OrderRow:
    """The bill's order, made on the way on which the citizen makes one."""
    caller = await acting(means.house, mandate)
    made = await orders.create_order(
        means.house,
        means.gateway,
        means.registry,
        caller,
        f"mandate.{row.id.hex}.{row.round}",
        NewOrder([ChargeRef(row.shop, row.app, row.charge_id)]),
        LANG,
    )
    return await orders.own_order(means.house.db, row.citizen_id, made.id)


async def _start(house: House, row: DebitRow, order_id: UUID) -> bool:
    today = house.clock.today()
    tries: int | None = await q.start(
        house.db, bucket=ids.bucket_of(row.id), mandate_id=row.mandate_id, id=row.id,
        order_id=order_id, today=today, month_on=rules.month_of(today),
        next_at=house.clock.now() + LEASE,
    )  # fmt: skip
    return tries is not None


async def _not_started(means: Means, row: DebitRow, order_id: UUID) -> None:
    """The guard refused: stopped meanwhile, begun by another process, or over the month's cap."""
    house, bucket = means.house, ids.bucket_of(row.id)
    fresh: DebitRow | None = await q.debit(house.db, bucket=bucket, id=row.id)
    if fresh is None or fresh.state in {"debiting", "paid"}:
        return  # so is the order
    await drop(means, row.citizen_id, order_id)
    if (fresh.state, fresh.try_on, fresh.round) != ("announced", row.try_on, row.round):
        return
    mandate: MandateRow | None = await q.mandate(house.db, bucket=bucket, id=row.mandate_id)
    if mandate is not None and mandate.state == "active":
        await end(house, row, "hold", "over_month")
    else:
        await end(house, row, "stop", mandate.state if mandate else "")


async def _charge(means: Means, mandate: MandateRow, debit_id: UUID, order_id: UUID) -> None:
    """Ask the channel for the money of a debit that has just been allowed."""
    house, bucket = means.house, ids.bucket_of(debit_id)
    row: DebitRow | None = await q.debit(house.db, bucket=bucket, id=debit_id)
    channel, through = means.channels.debiting(mandate.channel), means.channels.get(mandate.channel)
    if row is None or row.state != "debiting":
        return
    if channel is None or through is None or mandate.agreement is None:
        await _declined(means, row, order_id, Declined("channel_gone"))
        return
    begun = await q.begin_paying(
        house.db, bucket=bucket, order_id=order_id, citizen_id=row.citizen_id,
        channel=mandate.channel, ask_after_s=ASK_AFTER_S,
    )  # fmt: skip
    order = await orders.own_order(house.db, row.citizen_id, order_id)
    if begun is None:
        await _not_begun(house, row, order)
        return
    said = await channel.debit(order, mandate.agreement)
    if isinstance(said, Paid):
        await settlement.settle(house, through.name, said)
        await conclude(house, row)
    elif isinstance(said, Declined):
        await _declined(means, row, order_id, said)
    else:
        await q.later(house.db, bucket=bucket, id=row.id, next_at=house.clock.now() + PENDING)


async def _not_begun(house: House, row: DebitRow, order: OrderRow) -> None:
    """The order can't be paid through this channel now: paid, given up, or at another cashier."""
    if await conclude(house, row):
        return
    why = "order_closed" if order.state == "closed" else "in_order"
    await end(house, row, "skip", why)


async def _go_on(means: Means, mandate: MandateRow, row: DebitRow) -> None:
    """A debit that has begun: find out how it went, or ask once more while it is still allowed."""
    house, bucket = means.house, ids.bucket_of(row.id)
    if row.order_id is None or await conclude(house, row):
        return
    order = await orders.own_order(house.db, row.citizen_id, row.order_id)
    if order.state == "closed":
        await _declined(means, row, row.order_id, Declined("no_answer"))
        return
    through = means.channels.get(mandate.channel)
    paid = await through.query(order) if through else None
    if through is not None and paid is not None:
        await settlement.settle(house, through.name, paid)
        if await conclude(house, row):
            return
    now, today = house.clock.now(), house.clock.today()
    if rules.daytime(now) and await q.again(
        house.db, bucket=bucket, mandate_id=row.mandate_id, id=row.id, today=today,
        next_at=now + LEASE,
    ):  # fmt: skip
        await _charge(means, mandate, row.id, row.order_id)
    elif mandate.state != "active" and await drop(means, row.citizen_id, row.order_id):
        await end(house, row, "stop", mandate.state)
    else:
        await q.later(house.db, bucket=bucket, id=row.id, next_at=now + PENDING)


async def conclude(house: House, row: DebitRow) -> bool:
    """Note that a debit's order is paid; False while it is not."""
    if row.order_id is None:
        return False
    order = await orders.own_order(house.db, row.citizen_id, row.order_id)
    if order.paid_at is None:
        return False
    await end(house, row, "pay")
    return True


async def _declined(means: Means, row: DebitRow, order_id: UUID, said: Declined) -> None:
    """Free the bill, and try again on a later announced day, or tell that it is for the citizen."""
    house, bucket = means.house, ids.bucket_of(row.id)
    if not await drop(means, row.citizen_id, order_id):
        await q.later(house.db, bucket=bucket, id=row.id, next_at=house.clock.now() + SOON)
        return  # it was paid in this instant: the next turn finds it
    if await q.money_came(house.db, bucket=bucket, order_id=order_id):
        await end(house, row, "fail", "returned")  # too late for its order; on its way back
        return
    next_on = rules.retry_on(house.clock.today(), row.debit_on, row.tries)
    if said.final or next_on is None:
        await end(house, row, "fail", said.reason)
    else:
        at = rules.morning(next_on, bucket)
        await end(house, row, "decline", said.reason, try_on=next_on, next_at=at)
    if said.final:
        await move(house, row.mandate_id, "end", said.reason)


async def drop(means: Means, citizen_id: UUID, order_id: UUID) -> bool:
    """Give an order up, also at its channel; False where it was paid."""
    try:
        await orders.cancel(means.house, means.channels, citizen_id, order_id, LANG)
    except NotCancellable:
        return False
    return True
