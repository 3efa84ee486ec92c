"""What the payment centre tells: no names, no amounts of anybody in clear beyond their own order."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class OrderPaid(Struct, frozen=True, tag="payments.order_paid"):
    """The money is posted; the shops are to be told."""

    order_id: UUID


class OrderFulfilled(Struct, frozen=True, tag="payments.order_fulfilled"):
    """Every shop acknowledged; the citizen may rate."""

    order_id: UUID


class LineRefused(Struct, frozen=True, tag="payments.line_refused"):
    """A shop can never take this payment: the money goes back."""

    order_id: UUID
    no: int


class MoneyUnmatched(Struct, frozen=True, tag="payments.money_unmatched"):
    """Money came that fits no open order; late and double payments go back by themselves."""

    channel: str
    txn: str
    order_id: UUID
    amount_minor: int
    outcome: str


class SandboxPaid(Struct, frozen=True, tag="payments.sandbox_paid"):
    """The sandbox's bank took a payment and has a callback to deliver."""

    order_id: UUID
    txn: str
    amount_minor: int
    paid_at: datetime
