"""What the payment centre tells: no names, no amounts of anybody in clear beyond their own order."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from .rules import RefundState


class OrderPaid(Struct, frozen=True, tag="payments.order_paid"):
    """The money is posted; the shops are to be told."""

    order_id: UUID


class OrderFulfilled(Struct, frozen=True, tag="payments.order_fulfilled"):
    """Every shop acknowledged; the citizen may rate."""

    order_id: UUID


class RefundMoved(Struct, frozen=True, tag="payments.refund_moved"):
    """A refund came to this state; meanwhile its row may be further on."""

    order_id: UUID
    refund_id: UUID
    state: RefundState


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


class InsurerTold(Struct, frozen=True, tag="payments.insurer_told"):
    """The sandbox's insurer has news of a deduction, or of a refund of one, to deliver."""

    order_id: UUID
    number: UUID
    refund_number: UUID | None


class MandateMoved(Struct, frozen=True, tag="payments.mandate_moved"):
    """A mandate came to this state, for this reason; meanwhile its row may be further on."""

    mandate_id: UUID
    state: str
    why: str


class DebitMoved(Struct, frozen=True, tag="payments.debit_moved"):
    """A bill of a mandate came to this state; `on` is the day that it is, or was, to be debited."""

    mandate_id: UUID
    debit_id: UUID
    state: str
    why: str
    on: date


class SandboxReturned(Struct, frozen=True, tag="payments.sandbox_returned"):
    """A refund that the sandbox's bank takes its time for: how it will end."""

    order_id: UUID
    refund_id: UUID
    state: Literal["done", "failed"]
