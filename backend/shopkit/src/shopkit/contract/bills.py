"""Capability `bills` and the money side: what is owed, what was paid, what went back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from .base import Id, Limit, Minor, SignedMinor, Text


class BillsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which bills: those still owed, oldest due first; with `paid` then those paid too."""

    paid: bool = False
    limit: Limit = 50


class Bill(Struct, frozen=True):
    """What one beneficiary owes for one period.

    `amount_minor` is what must be paid today, late fee included. `beneficiary` says whom or what
    the bill is for (which child, which meter) and is never empty.
    """

    id: Id
    title: Text
    beneficiary: Text
    period: Annotated[str, Meta(min_length=4, max_length=40)]
    amount_minor: Minor
    state: Literal["owed", "overdue", "paid"]
    due_on: date
    issued_on: date
    late_fee_minor: Minor = 0
    currency: Literal["CNY"] = "CNY"


class BillLine(Struct, frozen=True):
    """One line of a bill. `quantity_milli` is in thousandths of `unit`, `price_milli_minor` in
    thousandths of a fen per unit; both absent where a line is no product of the two.
    """

    title: Text
    amount_minor: SignedMinor
    quantity_milli: int | None = None
    unit: Text | None = None
    price_milli_minor: int | None = None
    note: Text | None = None
    source: Text | None = None
    example: bool = False
    """True where the price is an example, not a published figure."""


class Reading(Struct, frozen=True):
    """A meter's reading, in thousandths of its unit."""

    meter: Id
    read_on: date
    value_milli: Annotated[int, Meta(ge=0)]
    estimated: bool = False


class BillDetail(Struct, frozen=True):
    """A bill with everything that explains it; its lines sum to the bill's amount."""

    bill: Bill
    lines: Annotated[list[BillLine], Meta(min_length=1, max_length=100)]
    readings: Annotated[list[Reading], Meta(max_length=100)] = []
    usage_milli: int | None = None
    usage_unit: Text | None = None
    last_year_usage_milli: int | None = None
    notes: Annotated[list[Text], Meta(max_length=20)] = []
    receipt: Receipt | None = None


class Charge(Struct, frozen=True):
    """What the payment centre may take for one charge: the shop says it, never the citizen."""

    id: Id
    title: Text
    fee_code: Annotated[str, Meta(min_length=1, max_length=60)]
    beneficiary: Text
    period: Annotated[str, Meta(min_length=4, max_length=40)]
    amount_minor: Annotated[int, Meta(ge=1, le=100_000_000_00)]
    valid_until: datetime
    currency: Literal["CNY"] = "CNY"


class ChargePaid(Struct, frozen=True, forbid_unknown_fields=True):
    """News that a charge was paid. Comes at least once: `payment_id` is the same each time."""

    payment_id: str
    charge_id: Id
    amount_minor: Minor
    paid_at: datetime
    currency: Literal["CNY"] = "CNY"


class Receipt(Struct, frozen=True):
    """The department's acknowledgement of one payment; the same for the same `payment_id`."""

    number: Annotated[str, Meta(min_length=1, max_length=80)]
    payment_id: str
    amount_minor: Minor
    issued_at: datetime
    issuer: Text


class ChargeRefunded(Struct, frozen=True, forbid_unknown_fields=True):
    """News that money of a payment went back (since contract 2). Comes at least once:
    `refund_id` is the same each time. What was paid in full is owed again.
    """

    refund_id: str
    payment_id: str
    charge_id: Id
    amount_minor: Minor
    refunded_at: datetime
    currency: Literal["CNY"] = "CNY"


class RefundNoted(Struct, frozen=True):
    """The department has booked a refund; the same for the same `refund_id`."""

    refund_id: str
    amount_minor: Minor
    noted_at: datetime
