"""Nouns of a payment that is split with a medical insurance. Amounts in 分."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from civicmall.payments.models import Cashier, ChannelName

from .rules import Fault, PartState, SplitState


class SplitRow(Struct, frozen=True):
    """One attempt to pay an order so, as stored."""

    id: UUID
    order_id: UUID
    state: SplitState
    pool_minor: int
    account_minor: int
    self_minor: int
    insurer_txn: str | None
    insurer_at: datetime | None
    self_channel: str | None
    self_txn: str | None
    self_at: datetime | None
    trouble: str
    asked: int

    @property
    def insured_minor(self) -> int:
        """What the insurer pays."""
        return self.pool_minor + self.account_minor


class RefundParts(Struct, frozen=True):
    """A refund of such a payment: how each part stands; None where it has no such part."""

    refund_id: UUID
    split_id: UUID
    pool_minor: int
    account_minor: int
    self_minor: int
    insurer_state: PartState | None
    insurer_refund: str | None
    self_state: PartState | None
    self_refund: str | None
    trouble: str


class Split(Struct, frozen=True):
    """Who pays what of an order, as its citizen sees it.

    `cashier` is where the rest is paid, once the insurer has paid its part; none where there is no
    rest, or nothing to do now.
    """

    order_id: UUID
    state: SplitState
    amount_minor: int
    pool_minor: int
    account_minor: int
    self_minor: int
    self_channel: str | None = None
    cashier: Cashier | None = None


class SplitAgreement(Struct, frozen=True, forbid_unknown_fields=True):
    """The citizen agrees to the split, and says through which channel they pay the rest."""

    channel: ChannelName = "sandbox"


class InsurerMood(Struct, frozen=True, forbid_unknown_fields=True):
    """What the sandbox's insurer shall do with one order: a fault so many times, and what stands
    in the citizen's account there.
    """

    fault: Fault | None = None
    times: Annotated[int, Meta(ge=1, le=100)] = 1
    account_minor: Annotated[int, Meta(ge=0, le=100_000_000_00)] | None = None


class InsurerState(Struct, frozen=True):
    """The citizen's account at the sandbox's insurer."""

    order_id: UUID
    account_minor: int
