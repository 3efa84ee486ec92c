"""Payment channels: each is one folder with the same small face; adding one touches this folder."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from datetime import date
from typing import Protocol

import httpx

from civicmall.kernel.house import House
from civicmall.payments.models import Agent, Cashier, OrderRow, Paid, RefundAsk, RefundSaid

from . import parts
from .debiting import Debiting


class Channel(Protocol):
    """What the payment centre needs of a channel. Amounts in 分; ids carry the bucket.

    The merchant's number of a payment is `order.id.hex`, that of a refund `refund_id.hex`: what
    comes back from the channel leads to one bucket. Whatever the channel can't be asked about now
    raises `ChannelAway`; nothing is assumed then.
    """

    name: str
    title: Mapping[str, str]
    """What citizens know it by, `zh-CN` and `en`."""

    async def prepare(self, order: OrderRow, agent: Agent) -> Cashier:
        """Open a payment of the order's amount at the channel; the same again is no second one."""
        ...

    def parse_callback(self, headers: Mapping[str, str], body: bytes) -> Paid | RefundSaid | None:
        """What a callback says; None where it is none of ours to act on (a payment still open).

        `headers` have lower-case names. Raises ForgedCallback; whoever signed it, a body that
        can't be read is a forged one too.
        """
        ...

    def acknowledge(self, outcome: str) -> tuple[bytes, str]:
        """Body and media type by which the channel knows that a callback was taken."""
        ...

    async def query(self, order: OrderRow) -> Paid | None:
        """Whether the order was paid at the channel; None while it was not."""
        ...

    async def cancel(self, order: OrderRow) -> bool:
        """Make sure that it can't be paid any more; False where its amount was paid already."""
        ...

    async def refund(self, ask: RefundAsk) -> RefundSaid:
        """Send money back; the same `refund_id` again sends nothing more."""
        ...

    async def query_refund(self, ask: RefundAsk) -> RefundSaid:
        """How a refund stands; `pending` also where the channel does not know it yet."""
        ...

    def fetch_statement(self, day: date) -> AsyncIterator[bytes]:
        """The channel's statement of one business day (Asia/Shanghai), in pieces.

        Whatever the channel's own file is like, this is the CSV of `statements.COLUMNS`. Nothing
        comes before the channel's own checksum was found right; a row that can't be read raises,
        and then what came before it is no statement. Raises ChannelAway, also while the day's
        statement is not ready.
        """
        ...


class Splitting(Channel, Protocol):
    """A channel whose payments have parts at other channels, under numbers of their own (`parts`)."""

    async def of_part(self, channel: str, told: Paid | RefundSaid) -> Paid | RefundSaid | None:
        """What another channel, or it itself, says of a part; None while the whole isn't there."""
        ...


class Channels:
    """The channels of this installation, by name."""

    def __init__(self, *channels: Channel) -> None:
        self._by_name = {channel.name: channel for channel in channels}
        self._splitting: Splitting | None = None

    def get(self, name: str | None) -> Channel | None:
        """The channel, or None."""
        return self._by_name.get(name or "")

    def debiting(self, name: str) -> Debiting | None:
        """The channel, where it can debit without the payer present; or None."""
        found = self.get(name)
        return found if isinstance(found, Debiting) else None

    def add_split(self, channel: Splitting) -> None:
        """One more, which takes parts of its payments through the others."""
        self._by_name[channel.name] = channel
        self._splitting = channel

    async def whole(
        self, channel: str, told: Paid | RefundSaid | None
    ) -> tuple[str, Paid | RefundSaid | None]:
        """News of a part as what it means for the whole, and whose news that is; all other as it is."""
        number = told.order_id if isinstance(told, Paid) else told and told.refund_id
        if self._splitting is None or told is None or not number or not parts.is_part(number):
            return channel, told
        return self._splitting.name, await self._splitting.of_part(channel, told)

    def names(self) -> list[str]:
        """What there is to choose from."""
        return list(self._by_name)

    def all(self) -> list[Channel]:
        """In the order in which citizens see them."""
        return list(self._by_name.values())


def open_channels(
    house: House, client: httpx.AsyncClient | None = None, env: Mapping[str, str] | None = None
) -> Channels:
    """The channels that this installation is set up for. Raises BadSetting.

    A channel is set up where one of its settings is there; then the others that it needs must be.
    Without a `client` there are only those of this house.
    """
    from .alipay import open_alipay
    from .medical_insurance import beside
    from .sandbox import Sandbox
    from .wechatpay import open_wechatpay

    env = os.environ if env is None else env
    found: list[Channel | None] = [Sandbox(house) if house.settings.sandbox else None]
    if client is not None:
        found += [open_alipay(house, client, env), open_wechatpay(house, client, env)]
    return beside(house, Channels(*(channel for channel in found if channel is not None)))


def check_settings(env: Mapping[str, str] | None = None) -> None:
    """That every channel that is set up can be, before anything is started. Raises BadSetting."""
    from . import alipay, wechatpay

    env = os.environ if env is None else env
    alipay.set_up(env)
    wechatpay.set_up(env)
