"""The payment centre: orders, the ledger, channels. Amounts come from shops, never from clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civicmall.kernel.jobs import Job

from . import desk
from .channels import Channels, open_channels
from .channels.sandbox import Choice, Sandbox, SandboxState
from .channels.sandbox import listen as _listen_sandbox
from .errors import (
    CashierClosed,
    ChargeInOrder,
    NoReceipt,
    NoSuchOrder,
    NotCancellable,
    NotPayable,
)
from .events import LineRefused, MoneyUnmatched, OrderFulfilled, OrderPaid, SandboxPaid
from .models import (
    Cashier,
    ChargeRef,
    FinishedOrder,
    NewOrder,
    Order,
    OrderReceipt,
    Paid,
)
from .routes import routers
from .service import cancel, create_order, finished_order, order, orders, pay, receipt
from .settlement import listen as _listen
from .settlement import look_after, posting, settle

if TYPE_CHECKING:
    import httpx

    from civicmall.gateway import Gateway
    from civicmall.kernel.house import House
    from civicmall.kernel.outbox import Handlers

EVENTS = (OrderPaid, OrderFulfilled, LineRefused, MoneyUnmatched, SandboxPaid)


def listen(
    handlers: Handlers,
    house: House,
    gateway: Gateway,
    channels: Channels,
    client: httpx.AsyncClient,
) -> None:
    """Everything this room does when it hears of its own events."""
    _listen(handlers, house, gateway, channels)
    if house.settings.sandbox:
        _listen_sandbox(handlers, house, client)


def jobs(house: House, channels: Channels) -> list[Job]:
    """Ask after late callbacks, close what has expired."""
    return [Job("payments.look_after", 5.0, lambda: look_after(house, channels))]


__all__ = [
    "EVENTS", "Cashier", "CashierClosed", "Channels", "ChargeInOrder", "ChargeRef", "Choice",
    "FinishedOrder", "NewOrder", "NoReceipt", "NoSuchOrder", "NotCancellable", "NotPayable",
    "Order", "OrderReceipt", "Paid", "Sandbox", "SandboxState", "cancel", "create_order", "desk",
    "finished_order", "jobs", "listen", "look_after", "open_channels", "order", "orders", "pay",
    "posting", "receipt", "routers", "settle",
]  # fmt: skip
