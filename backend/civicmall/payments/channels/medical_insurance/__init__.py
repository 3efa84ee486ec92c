"""Medical insurance as a payment channel: the insurer pays a part, the citizen the rest elsewhere.

One payment of an order has up to three purses: the pooled fund and the citizen's personal account
(个人账户), both at the insurer, and any other channel for what is left.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import date
from types import MappingProxyType
from uuid import UUID

import msgspec

from civicmall.kernel import ids
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.kernel.jobs import Job
from civicmall.payments import service
from civicmall.payments.channels import Channels, parts
from civicmall.payments.errors import ForgedCallback, NoSuchChannel
from civicmall.payments.models import (
    Agent,
    Cashier,
    Order,
    OrderRow,
    Paid,
    RefundAsk,
    RefundSaid,
    Tender,
)

from . import rules
from .errors import InsurerDeclined, NoSuchSplit, NotInsured
from .insurer import NAME, Insurer
from .letters import SIGNATURE, TIMESTAMP, Deduction, GivenBack, Letter, Wire
from .models import Split
from .queries import q
from .refunds import Refunds
from .saga import Saga, combined, shown


class MedicalInsurance:
    """The channel; it takes the rest of a payment through any of `channels`."""

    name = NAME
    title: Mapping[str, str] = MappingProxyType({"zh-CN": "医保支付", "en": "Medical insurance"})

    def __init__(self, house: House, wire: Wire, channels: Channels) -> None:
        self._house = house
        self._insurer = Insurer(house, wire)
        self.saga = Saga(house, self._insurer, channels)
        self._refunds = Refunds(house, self._insurer, channels)

    async def prepare(self, order: OrderRow, agent: Agent) -> Cashier:
        """What the insurer would pay; nothing is taken before the citizen agrees on the page that
        this leads to. Raises NotInsured, ChannelAway.
        """
        del agent  # the other channel's cashier will want to know
        await self.saga.quote(order)
        url = f"{self._house.settings.public_url}/orders/{order.id}/insurance"
        return Cashier(order.id, NAME, order.amount_minor, url, "", order.expires_at)

    def parse_callback(self, headers: Mapping[str, str], body: bytes) -> Paid | RefundSaid | None:
        """What the insurer says unasked, as news of a part. Raises ForgedCallback."""
        said = self._insurer.read(
            Letter(body, headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, ""))
        )
        if isinstance(said, GivenBack) and said.state != "unknown":
            number = parts.of(said.refund_number)
            return RefundSaid(number, said.state, said.txn, said.trouble)
        if isinstance(said, Deduction) and said.state == "deducted":
            purses = ((f"{NAME}.pool", said.pool_minor), (f"{NAME}.account", said.account_minor))
            if said.txn is None or said.at is None or not (said.pool_minor + said.account_minor):
                raise ForgedCallback(reason="body")
            tenders = tuple(Tender(name, amount) for name, amount in purses if amount)
            amount = said.pool_minor + said.account_minor
            return Paid(parts.of(said.number), said.txn, amount, said.at, tenders=tenders)
        return None

    def acknowledge(self, outcome: str) -> tuple[bytes, str]:
        """The insurer only looks at the status."""
        return msgspec.json.encode({"outcome": outcome}), "application/json"

    async def of_part(self, channel: str, told: Paid | RefundSaid) -> Paid | RefundSaid | None:
        """What any channel says of a part, as what it means for the whole: a payment once both parts
        are in, a refund's state over all its parts.
        """
        if isinstance(told, RefundSaid):
            return await self._refunds.heard(channel, told)
        if channel == NAME:
            row = await self.saga.row(parts.whole(told.order_id))
            if row is not None:
                row = await self.saga.heard(row, _deduction(told))
        else:
            row = await self.saga.take_rest(channel, told)
        return combined(row) if row is not None and row.state == "paid" else None

    async def query(self, order: OrderRow) -> Paid | None:
        """Ask whoever has not told; both parts as one payment, once they are in."""
        row = await self.saga.newest(order.id)
        if row is None:
            return None
        row = await self.saga.catch_up(row, order)
        return combined(row) if row.state == "paid" else None

    async def cancel(self, order: OrderRow) -> bool:
        """Let no more of it be paid, and have what the insurer paid undone."""
        row = await self.saga.newest(order.id)
        return row is None or await self.saga.give_up(row, order)

    async def refund(self, ask: RefundAsk) -> RefundSaid:
        """Send each part back to where it came from."""
        return await self._refunds.send(ask, again=True)

    async def query_refund(self, ask: RefundAsk) -> RefundSaid:
        """Ask after the parts that are on their way."""
        return await self._refunds.send(ask, again=False)

    def fetch_statement(self, day: date) -> AsyncIterator[bytes]:
        """The insurer's statement; what citizens paid themselves stands in the other channel's."""
        return self._insurer.statement(day)


def _deduction(told: Paid) -> Deduction:
    """A part's payment as the insurer's letter that it came from."""
    by = {tender.name: tender.amount_minor for tender in told.tenders}
    pool, account = by.get(f"{NAME}.pool", 0), by.get(f"{NAME}.account", 0)
    number = parts.whole(told.order_id)
    return Deduction(number, "deducted", pool, account, told.txn, told.paid_at)


def of_channels(channels: Channels) -> MedicalInsurance:
    """Find the channel of an installation. Raises NoSuchChannel where it has none."""
    found = channels.get(NAME)
    if not isinstance(found, MedicalInsurance):
        raise NoSuchChannel(channel=NAME)
    return found


def beside(house: House, channels: Channels) -> Channels:
    """The same channels, and in a sandbox this one; a real insurer's wire would be chosen here."""
    from .sandbox import SandboxInsurer

    if house.settings.sandbox:
        channels.add_split(MedicalInsurance(house, SandboxInsurer(house), channels))
    return channels


async def split_of(db: Db, channels: Channels, citizen_id: UUID, order_id: UUID) -> Split:
    """Who pays what of a citizen's order. Raises NoSuchOrder, NoSuchSplit, NoSuchChannel."""
    order = await service.own_order(db, citizen_id, order_id)
    row = await of_channels(channels).saga.newest(order.id)
    if row is None:
        raise NoSuchSplit
    return shown(row)


async def confirm(
    db: Db, channels: Channels, citizen_id: UUID, order_id: UUID, channel: str, agent: Agent
) -> Split:
    """The citizen agrees to the split. Raises NoSuchOrder and what Saga.confirm does."""
    order = await service.own_order(db, citizen_id, order_id)
    return await of_channels(channels).saga.confirm(order, channel, agent)


def insurable(house: House, channels: Channels, order: Order) -> bool:
    """Whether an order may be paid so; what the insurer would pay, only a quote says."""
    fees = rules.allowed(house.settings.medical_fees)
    lines = [(line.no, line.shop, line.fee_code) for line in order.lines]
    return channels.get(NAME) is not None and not rules.foreign(lines, fees)


async def whole_order(db: Db, number: UUID) -> UUID | None:
    """The order that a part's number belongs to: channels send payers back by the number they know."""
    if not parts.is_part(number):
        return None
    found = await q.split(db, bucket=ids.bucket_of(number), id=parts.whole(number))
    return None if found is None else found.order_id


def jobs(channels: Channels) -> list[Job]:
    """Half done payments go on, or go back."""
    if channels.get(NAME) is None:
        return []
    saga = of_channels(channels).saga
    return [Job("payments.splits", 5.0, saga.look_after)]


__all__ = [
    "NAME", "InsurerDeclined", "MedicalInsurance", "NoSuchSplit", "NotInsured", "beside", "confirm",
    "insurable", "jobs", "of_channels", "split_of", "whole_order",
]  # fmt: skip
