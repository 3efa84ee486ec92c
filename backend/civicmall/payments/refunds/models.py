"""Nouns of refunds. Amounts in 分."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from civicmall.payments.models import PaidMinor
from civicmall.payments.rules import RefundState

Words = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$(?!\n)")]
Reason = Literal["not_provided", "wrong_charge", "paid_twice", "changed_mind", "other"]
"""What staff and citizens may say; the platform itself adds `refused`, `late` and `double`."""


class RefundWish(Struct, frozen=True, forbid_unknown_fields=True):
    """What a citizen wants back, and why. No amount: all that is left of the line."""

    no: Annotated[int, Meta(ge=1, le=20)]
    amount_minor: PaidMinor | None = None
    reason: Reason = "other"
    words: Words = ""


class RefundOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """What staff send back of a line. No amount: all that is left of it."""

    order_id: UUID
    no: Annotated[int, Meta(ge=1, le=20)]
    amount_minor: PaidMinor | None = None
    reason: Reason = "other"
    words: Words = ""


class RefundRow(Struct, frozen=True):
    """A refund as stored: of a line (`no`), or of a payment that fits no order (`txn`)."""

    id: UUID
    order_id: UUID
    no: int | None
    txn: str | None
    state: RefundState
    amount_minor: int
    parts: list[int] | None
    reason: str
    words: str
    channel: str
    asked_by: str
    asked_name: str
    asked_at: datetime
    decided_by: str | None
    decided_name: str
    decided_at: datetime | None
    ended_at: datetime | None
    trouble: str


class Refund(Struct, frozen=True):
    """A refund as the citizen sees it."""

    id: UUID
    order_id: UUID
    no: int
    state: RefundState
    amount_minor: int
    reason: str
    words: str
    asked_at: datetime
    ended_at: datetime | None


class DeskRefund(Struct, frozen=True):
    """A refund as the desks see it: no citizen in it."""

    shop: str
    refund_id: UUID
    order_id: UUID
    no: int
    title: dict[str, str]
    state: RefundState
    amount_minor: int
    reason: str
    words: str
    asked_by: str
    asked_name: str
    asked_at: datetime
    decided_name: str
    ended_at: datetime | None
    trouble: str


class DeskDecision(Struct, frozen=True):
    """What became of a refund at the desk."""

    refund_id: UUID
    state: RefundState
