"""Orders: make, look at, pay, cancel. Every write is one statement of queries.sql."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from civicmall.gateway import Gateway
from civicmall.identity import Caller
from civicmall.kernel import i18n, idempotency, ids
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.shops import Registry
from shopkit import Charge, Receipt

from .channels import Channels
from .errors import (
    ChargeInOrder,
    ChargeTwice,
    NoReceipt,
    NoSuchChannel,
    NoSuchOrder,
    NotCancellable,
    NotPayable,
)
from .models import (
    Agent,
    Cashier,
    ChargeRef,
    FinishedOrder,
    Line,
    LineRow,
    NewOrder,
    Order,
    OrderReceipt,
    OrderRow,
    ReceiptLine,
)
from .queries import q
from .rules import ASK_AFTER_S, ORDER_LIVES_S, PAYABLE

NOBODY: Final = Agent()
QUOTES_AT_ONCE: Final = 4
"""One order leaves a shop's places to its neighbours, and the home's to itself."""


async def create_order(
    house: House,
    gateway: Gateway,
    registry: Registry,
    caller: Caller,
    key: str | None,
    ask: NewOrder,
    lang: str,
) -> Order:
    """One order for all these charges, at the amounts that their shops say.

    The same key again gives the same order. Raises ChargeTwice, ChargeInOrder, the gateway's
    problems and those of idempotency.
    """
    charges = sorted(ask.charges, key=lambda c: (c.shop, c.charge_id))
    if len({(c.shop, c.charge_id) for c in charges}) < len(charges):
        raise ChargeTwice(field="charges")

    async def work(order_id: UUID) -> Order:
        if await _order(house.db, order_id) is None:
            gate = asyncio.Semaphore(QUOTES_AT_ONCE)

            async def quote(c: ChargeRef) -> Charge:
                async with gate:
                    return await gateway.quote(caller, c.shop, c.app, c.charge_id, lang)

            quotes = await asyncio.gather(*map(quote, charges))
            accounts = [registry.manifest(c.shop).settlement_account for c in charges]
            await _insert(house, caller, order_id, charges, quotes, accounts)
        return await order(house.db, caller.citizen_id, order_id, lang)

    return await idempotency.once(house.db, caller.citizen_id, "orders", key, ask, Order, work)


async def _insert(
    house: House,
    caller: Caller,
    order_id: UUID,
    charges: list[ChargeRef],
    quotes: list[Charge],
    accounts: list[str],
) -> None:
    bucket, db = ids.bucket_of(caller.citizen_id), house.db
    shops, charge_ids = [c.shop for c in charges], [c.charge_id for c in charges]
    good_for = min(quote.valid_until for quote in quotes) - house.clock.now()
    try:
        await q.create_order(
            db,
            bucket=bucket,
            id=order_id,
            citizen_id=caller.citizen_id,
            acted_by=caller.actor.id if caller.actor else None,
            amount_minor=sum(quote.amount_minor for quote in quotes),
            currency=quotes[0].currency,
            lives_s=min(ORDER_LIVES_S, good_for.total_seconds()),
            shops=shops,
            apps=[c.app for c in charges],
            charge_ids=charge_ids,
            fee_codes=[quote.fee_code for quote in quotes],
            titles=[quote.title for quote in quotes],
            beneficiaries=[quote.beneficiary for quote in quotes],
            periods=[quote.period for quote in quotes],
            amounts=[quote.amount_minor for quote in quotes],
            accounts=accounts,
        )
    except asyncpg.UniqueViolationError as error:
        if await _order(db, order_id) is not None:
            return  # this very order: a run before us was cut off after writing it
        holder = await q.holder(db, bucket=bucket, shops=shops, charge_ids=charge_ids)
        raise ChargeInOrder(order_id=str(holder)) from error


async def _order(db: Db, order_id: UUID) -> OrderRow | None:
    found: OrderRow | None = await q.order(db, bucket=ids.bucket_of(order_id), id=order_id)
    return found


async def own_order(db: Db, citizen_id: UUID, order_id: UUID) -> OrderRow:
    """A citizen's own order. Raises NoSuchOrder."""
    found = await _order(db, order_id)
    if found is None or found.citizen_id != citizen_id:
        raise NoSuchOrder
    return found


async def any_order(db: Db, order_id: UUID) -> OrderRow:
    """An order, whoever's it is: for the platform and its staff. Raises NoSuchOrder."""
    found = await _order(db, order_id)
    if found is None:
        raise NoSuchOrder
    return found


async def lines(db: Db, order_id: UUID) -> list[LineRow]:
    """An order's lines, in order."""
    found: list[LineRow] = await q.lines(db, bucket=ids.bucket_of(order_id), order_id=order_id)
    return found


async def order(db: Db, citizen_id: UUID, order_id: UUID, lang: str) -> Order:
    """One order with its lines. Raises NoSuchOrder."""
    found = await own_order(db, citizen_id, order_id)
    return _shown(found, await lines(db, order_id), lang)


def _shown(row: OrderRow, rows: list[LineRow], lang: str) -> Order:
    return Order(
        id=row.id,
        state=row.state,
        amount_minor=row.amount_minor,
        refunded_minor=row.refunded_minor,
        currency=row.currency,
        created_at=row.created_at,
        expires_at=row.expires_at,
        paid_at=row.paid_at,
        channel=row.channel,
        lines=[
            Line(
                no=line.no,
                shop=line.shop,
                app=line.app,
                charge_id=line.charge_id,
                state=line.state,
                fee_code=line.fee_code,
                title=i18n.pick(line.title, lang),
                beneficiary=i18n.pick(line.beneficiary, lang),
                period=line.period,
                amount_minor=line.amount_minor,
                receipt_number=line.receipt["number"] if line.receipt else None,
                refunding_minor=line.refunding_minor,
                refunded_minor=line.refunded_minor,
            )
            for line in rows
        ],
        refunding_minor=row.refunding_minor,
        acted_by=row.acted_by,
    )


async def orders(
    db: Db, citizen_id: UUID, before: UUID | None, limit: int, lang: str,
    shops: list[str] | None = None,
) -> list[Order]:  # fmt: skip
    """A citizen's orders, newest first; one more than `limit` where there is more. With `shops` only those
    that have nothing of other shops in them.
    """
    bucket = ids.bucket_of(citizen_id)
    rows: list[OrderRow] = await q.orders(
        db, bucket=bucket, citizen_id=citizen_id, before=before, most=limit + 1, shops=shops
    )
    found: dict[UUID, list[LineRow]] = {row.id: [] for row in rows}
    for order_id, *line in await q.lines_of(db, bucket=bucket, order_ids=list(found)):
        found[order_id].append(LineRow(*line))
    return [_shown(row, found[row.id], lang) for row in rows]


async def pay(
    house: House,
    channels: Channels,
    citizen_id: UUID,
    order_id: UUID,
    channel: str,
    agent: Agent = NOBODY,
) -> Cashier:
    """Where to pay. An order has one payment at its channel, so asking again gives the same; who
    goes to another channel can't pay at the first any more.

    Raises NoSuchOrder, NoSuchChannel, NotPayable, ChannelAway.
    """
    through = channels.get(channel)
    if through is None:
        raise NoSuchChannel(channel=channel)
    before = await own_order(house.db, citizen_id, order_id)
    left = channels.get(before.channel) if before.channel != channel else None
    if left and before.state in PAYABLE and not await left.cancel(before):
        raise NotPayable(state="paid")
    found: OrderRow | None = await q.start_paying(
        house.db,
        bucket=ids.bucket_of(order_id),
        id=order_id,
        citizen_id=citizen_id,
        channel=channel,
        ask_after_s=ASK_AFTER_S,
    )
    if found is None:
        known = await own_order(house.db, citizen_id, order_id)
        raise NotPayable(state="expired" if known.state in PAYABLE else known.state)
    return await through.prepare(found, agent)


async def cancel(
    house: House, channels: Channels, citizen_id: UUID, order_id: UUID, lang: str
) -> Order:
    """Give an order up; its bills are free again at once. Raises NoSuchOrder, NotCancellable."""
    found = await own_order(house.db, citizen_id, order_id)
    if found.state == "closed":
        return await order(house.db, citizen_id, order_id, lang)
    through = channels.get(found.channel)
    if found.state not in PAYABLE or (through and not await through.cancel(found)):
        raise NotCancellable(state=found.state)
    if await close(house.db, order_id, only_expired=False) is None:
        current = await own_order(house.db, citizen_id, order_id)
        if current.state != "closed":
            raise NotCancellable(state=current.state)
    return await order(house.db, citizen_id, order_id, lang)


async def close(db: Db, order_id: UUID, *, only_expired: bool) -> UUID | None:
    """Close an order that is not paid; None where there was nothing to close."""
    closed: UUID | None = await q.close(
        db, bucket=ids.bucket_of(order_id), id=order_id, only_expired=only_expired
    )
    return closed


async def receipt(db: Db, citizen_id: UUID, order_id: UUID, lang: str) -> OrderReceipt:
    """Proof of what was acknowledged so far. Raises NoSuchOrder, NoReceipt."""
    found = await own_order(db, citizen_id, order_id)
    rows = [line for line in await lines(db, order_id) if line.receipt is not None]
    if found.paid_at is None or found.channel is None or found.channel_txn is None or not rows:
        raise NoReceipt(state=found.state)
    return OrderReceipt(
        order_id=found.id,
        paid_at=found.paid_at,
        channel=found.channel,
        channel_txn=found.channel_txn,
        amount_minor=sum(line.amount_minor for line in rows),
        currency=found.currency,
        lines=[_receipt_line(line, line.receipt, lang) for line in rows],
        refunded_minor=sum(line.refunded_minor for line in rows),
    )


def _receipt_line(line: LineRow, kept: dict[str, Any] | None, lang: str) -> ReceiptLine:
    said = msgspec.convert(kept, Receipt)
    return ReceiptLine(
        number=said.number,
        issuer=i18n.pick(said.issuer, lang),
        title=i18n.pick(line.title, lang),
        beneficiary=i18n.pick(line.beneficiary, lang),
        period=line.period,
        amount_minor=said.amount_minor,
        issued_at=said.issued_at,
        refunded_minor=line.refunded_minor,
    )


async def finished_order(db: Db, citizen_id: UUID, order_id: UUID) -> FinishedOrder | None:
    """A citizen's order as the rating centre needs it; None where it isn't theirs."""
    try:
        found = await own_order(db, citizen_id, order_id)
    except NoSuchOrder:
        return None
    rows = await lines(db, order_id)
    done = found.state in {"fulfilled", "refunded", "part_refunded"}
    return FinishedOrder(found.id, rows[0].shop, rows[0].app, done, found.paid_at)
