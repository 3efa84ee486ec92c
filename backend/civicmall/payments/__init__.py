"""The payment centre: orders, the ledger, channels. Amounts come from shops, never from clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civicmall.kernel.jobs import Job

from . import desk, documents, ledger, mandates, personal, reconcile, refunds, tickets
from .channels import Channel, Channels, check_settings, open_channels
from .channels import medical_insurance as insurance
from .channels import routes as _channel_doors
from .channels.codes import Codes
from .channels.medical_insurance import routes as _insurance_doors
from .channels.medical_insurance import sandbox as _insurer
from .channels.sandbox import Choice, Sandbox, SandboxState
from .channels.sandbox_delivery import listen as _listen_sandbox
from .channels.sandbox_delivery import tell_late
from .errors import (
    AgreementClosed,
    BadMandate,
    CashierClosed,
    ChargeInOrder,
    MandateExists,
    MandateMovedOn,
    NoReceipt,
    NoSuchOrder,
    NoSuchRefund,
    NotCancellable,
    NotPayable,
    NotRefundable,
    SecondPersonNeeded,
)
from .events import (
    DebitMoved,
    InsurerTold,
    MandateMoved,
    MoneyUnmatched,
    OrderFulfilled,
    OrderPaid,
    RefundMoved,
    SandboxPaid,
    SandboxReturned,
)
from .mandates import routes as _mandate_doors
from .models import (
    Agent,
    Cashier,
    ChannelName,
    ChargeRef,
    FinishedOrder,
    NewOrder,
    Order,
    OrderReceipt,
    Paid,
)
from .refunds import routes as _refund_doors
from .refunds import sending as _refunds
from .routes import agent_of
from .routes import routers as _doors
from .rules import REFUND_ALONE_MINOR
from .scope import within
from .service import cancel, create_order, finished_order, order, orders, pay, receipt
from .settlement import listen as _listen
from .settlement import look_after, posting, settle
from .tickets import routes as _ticket_doors

if TYPE_CHECKING:
    import httpx

    from civicmall.gateway import Gateway
    from civicmall.kernel.house import House
    from civicmall.kernel.outbox import Handlers

EVENTS = (
    OrderPaid, OrderFulfilled, RefundMoved, MoneyUnmatched, SandboxPaid, SandboxReturned, InsurerTold, MandateMoved, DebitMoved,
)  # fmt: skip


routers = [
    *_doors,
    *_refund_doors.routers,
    *ledger.routers,
    *_channel_doors.routers,
    *_insurance_doors.routers,
    *_ticket_doors.routers,
    *reconcile.routers,
    *documents.routers,
    *_mandate_doors.routers,
]


def listen(
    handlers: Handlers,
    house: House,
    gateway: Gateway,
    channels: Channels,
    client: httpx.AsyncClient,
) -> None:
    """Everything this room does when it hears of its own events."""
    _listen(handlers, house, gateway)
    _refunds.listen(handlers, house, gateway, channels)
    documents.listen(handlers)
    if house.settings.sandbox:
        _listen_sandbox(handlers, house, client)
        _insurer.listen(handlers, house, client)


def jobs(house: House, channels: Channels) -> list[Job]:
    """Ask after late callbacks and refunds, close what has expired, close the ledger's days."""
    return [
        Job("payments.look_after", 5.0, lambda: look_after(house, channels)),
        Job("payments.refunds", 5.0, lambda: _refunds.look_after(house, channels)),
        *ledger.jobs(house),
        *reconcile.jobs(house, channels),
        *insurance.jobs(channels),
        *(
            [Job("payments.sandbox_late", 1.0, lambda: tell_late(house))]
            if house.settings.sandbox
            else []
        ),
    ]


__all__ = [
    "EVENTS",
    "REFUND_ALONE_MINOR",
    "Agent",
    "AgreementClosed",
    "BadMandate",
    "Cashier",
    "CashierClosed",
    "Channel",
    "ChannelName",
    "Channels",
    "ChargeInOrder",
    "ChargeRef",
    "Choice",
    "Codes",
    "FinishedOrder",
    "MandateExists",
    "MandateMovedOn",
    "NewOrder",
    "NoReceipt",
    "NoSuchOrder",
    "NoSuchRefund",
    "NotCancellable",
    "NotPayable",
    "NotRefundable",
    "Order",
    "OrderReceipt",
    "Paid",
    "Sandbox",
    "SandboxState",
    "SecondPersonNeeded",
    "agent_of",
    "cancel",
    "check_settings",
    "create_order",
    "desk",
    "documents",
    "finished_order",
    "insurance",
    "jobs",
    "ledger",
    "listen",
    "look_after",
    "mandates",
    "open_channels",
    "order",
    "orders",
    "pay",
    "personal",
    "posting",
    "receipt",
    "reconcile",
    "refunds",
    "routers",
    "settle",
    "tickets",
    "within",
]  # fmt: skip
