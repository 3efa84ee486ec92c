"""Nouns of the payment centre."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from .rules import LineState, OrderState

Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,39}$(?!\n)")]
ChargeId = Annotated[str, Meta(max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$(?!\n)")]
ChannelName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,39}$(?!\n)")]


class ChargeRef(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to pay. There is no amount: the shop says it."""

    shop: Slug
    app: Slug
    charge_id: ChargeId


class NewOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """What to pay in one go, at one or more shops."""

    charges: Annotated[list[ChargeRef], Meta(min_length=1, max_length=20)]


class PayAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """Through which channel."""

    channel: ChannelName = "sandbox"


class OrderRow(Struct, frozen=True):
    """An order as stored."""

    id: UUID
    citizen_id: UUID
    state: OrderState
    amount_minor: int
    refunded_minor: int
    currency: str
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    closed_at: datetime | None
    channel: str | None
    channel_txn: str | None
    refunding_minor: int
    tenders: list[str] | None
    tender_minor: list[int] | None
    acted_by: UUID | None = None


class LineRow(Struct, frozen=True):
    """A line as stored: one charge of one shop, with what the shop said about it."""

    no: int
    shop: str
    app: str
    charge_id: str
    state: LineState
    fee_code: str
    title: dict[str, str]
    beneficiary: dict[str, str]
    period: str
    amount_minor: int
    settlement_account: str
    receipt: dict[str, Any] | None
    refunding_minor: int
    refunded_minor: int


class Line(Struct, frozen=True):
    """One line of an order, in the caller's language."""

    no: int
    shop: str
    app: str
    charge_id: str
    state: LineState
    fee_code: str
    title: str
    beneficiary: str
    period: str
    amount_minor: int
    receipt_number: str | None
    refunding_minor: int = 0
    """What is on its way back."""
    refunded_minor: int = 0


class Order(Struct, frozen=True):
    """One intent to pay. Amounts in 分."""

    id: UUID
    state: OrderState
    amount_minor: int
    refunded_minor: int
    currency: str
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    channel: str | None
    lines: list[Line]
    refunding_minor: int = 0
    acted_by: UUID | None = None
    """Who made it for the payer (`agent` of a delegation); null: the payer."""


class Agent(Struct, frozen=True):
    """What the payer pays with: channels have other pages for phones, and some ask whose they are."""

    name: str = ""
    """The browser's User-Agent."""
    address: str = ""
    """The network address that we see it at; empty where it isn't known."""


class Cashier(Struct, frozen=True):
    """Where the citizen pays; `url` opens in a browser."""

    order_id: UUID
    channel: str
    amount_minor: int
    url: str
    token: str
    expires_at: datetime


class ReceiptLine(Struct, frozen=True):
    """One department's acknowledgement."""

    number: str
    issuer: str
    title: str
    beneficiary: str
    period: str
    amount_minor: int
    issued_at: datetime
    refunded_minor: int = 0
    """What went back of it since."""


class OrderReceipt(Struct, frozen=True):
    """Proof of one payment, with each department's own receipt number."""

    order_id: UUID
    paid_at: datetime
    channel: str
    channel_txn: str
    amount_minor: int
    currency: str
    lines: list[ReceiptLine]
    refunded_minor: int = 0
    """What went back of these lines, in all."""


class FinishedOrder(Struct, frozen=True):
    """An order as the rating centre needs it."""

    id: UUID
    shop: str
    app: str
    finished: bool
    finished_at: datetime | None


Txn = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[\x21-\x7e]+$(?!\n)")]
"""A channel's own number of a payment or a refund."""
PaidMinor = Annotated[int, Meta(ge=1, le=100_000_000_00)]


class Tender(Struct, frozen=True, forbid_unknown_fields=True):
    """One purse that a payment came from; the ledger's account is `channel:` and its name.

    The first is given back last: what a citizen paid themselves stands at the end.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.]{1,39}$(?!\n)")]
    amount_minor: PaidMinor


class Paid(Struct, frozen=True, forbid_unknown_fields=True):
    """What a channel's callback says, once its signature was checked."""

    order_id: UUID
    txn: Txn
    amount_minor: PaidMinor
    paid_at: datetime
    currency: Literal["CNY"] = "CNY"
    tenders: tuple[Tender, ...] = ()
    """Of a split payment; together they are the amount. Empty: all from the channel itself."""


class RefundAsk(Struct, frozen=True):
    """What a channel is asked to send back: at most once for each `refund_id`."""

    refund_id: UUID
    order_id: UUID
    txn: str
    """The channel's number of the payment."""
    paid_minor: int
    """The whole payment, as channels want to hear it beside the refund."""
    amount_minor: int
    parts: tuple[Tender, ...]
    """By purse; together they are `amount_minor`."""
    reason: str
    asked_at: datetime


class RefundSaid(Struct, frozen=True):
    """How a refund stands at the channel: at once, when asked, or in a callback."""

    refund_id: UUID
    state: Literal["pending", "done", "failed"]
    txn: Txn | None = None
    """The channel's own number of the refund, where it gives one."""
    trouble: str = ""
    """Why it failed, in the channel's words or code; no personal data."""


Outcome = Literal["posted", "repeated", "amount_differs", "late", "double", "unknown_order"]


class Settled(Struct, frozen=True):
    """What became of a callback; `outcome` is for the channel's log."""

    outcome: Outcome


class DueOrder(Struct, frozen=True):
    """An order that waits for news from its channel, or whose time is over."""

    bucket: int
    id: UUID
    state: OrderState
    channel: str | None
    expired: bool


class DeskPayment(Struct, frozen=True):
    """One paid line as its department sees it: no citizen in it."""

    shop: str
    order_id: UUID
    no: int
    app: str
    charge_id: str
    fee_code: str
    title: dict[str, str]
    period: str
    amount_minor: int
    state: str
    paid_at: datetime
    receipt_number: str | None


class ShopTotal(Struct, frozen=True):
    """What one shop was paid over the last days."""

    shop: str
    paid: int
    amount_minor: int
    refunded_minor: int


class Seen(Struct, frozen=True):
    """A payment that a channel told of."""

    channel: str
    txn: str
    order_id: UUID
    amount_minor: int
    outcome: str
