"""Payment channels: each is one module with the same small face; adding one touches this folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from civicmall.kernel.house import House
from civicmall.payments.models import Cashier, OrderRow, Paid


class Channel(Protocol):
    """What the payment centre needs of a channel. Amounts in 分; ids carry the bucket."""

    name: str

    async def prepare(self, order: OrderRow) -> Cashier:
        """Open a payment of the order's amount at the channel; the same again is no second one."""
        ...

    def parse_callback(self, headers: Mapping[str, str], body: bytes) -> Paid:
        """What a callback says. Raises ForgedCallback."""
        ...

    async def query(self, order: OrderRow) -> Paid | None:
        """Whether the order was paid at the channel; None while it was not."""
        ...

    async def cancel(self, order: OrderRow) -> bool:
        """Make sure that it can't be paid any more; False where its amount was paid already."""
        ...

    async def give_back(self, order_id: object, return_id: str, amount_minor: int) -> None:
        """Send money back; the same `return_id` again sends nothing more."""
        ...


class Channels:
    """The channels of this installation, by name."""

    def __init__(self, *channels: Channel) -> None:
        self._by_name = {channel.name: channel for channel in channels}

    def get(self, name: str | None) -> Channel | None:
        """The channel, or None."""
        return self._by_name.get(name or "")


def open_channels(house: House) -> Channels:
    """The channels that this installation is set up for."""
    from .sandbox import Sandbox

    return Channels(Sandbox(house)) if house.settings.sandbox else Channels()
