"""Nouns of the billing system. Those that are rows have their select list's fields, in order."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct


class Standing(Struct, frozen=True):
    """A bill, whose it is and how it stands. `usage_milli` is None where no meter counts.

    `amount_minor` is the principal, fixed when the bill was issued; a late fee comes on top.
    `used_before_milli` is what the household had used in this year (or month) before.
    """

    id: str
    account: str
    utility: str
    meter: str | None
    floor_area_milli: int | None
    persons: int
    period_from: date
    period_until: date
    issued_on: date
    due_on: date
    usage_milli: int | None
    used_before_milli: int
    amount_minor: int
    payment_id: str | None = None
    receipt: str | None = None
    paid_minor: int | None = None
    paid_at: datetime | None = None
    booked_at: datetime | None = None


class Context(Struct, frozen=True):
    """What else a bill's page tells: the same period a year ago, older bills left unpaid, and
    what went back of this one's payments.
    """

    last_year_usage_milli: int | None
    arrears_count: int
    arrears_minor: int
    refunded_minor: int = 0


class Booking(Struct, frozen=True):
    """One payment as booked."""

    payment_id: str
    receipt: str
    amount_minor: int
    booked_at: datetime


class Refund(Struct, frozen=True):
    """One refund as noted."""

    refund_id: str
    payment_id: str
    bill: str
    amount_minor: int
    noted_at: datetime


class Account(Struct, frozen=True):
    """A household's account with one utility, as far as filling the sandbox needs it."""

    number: str
    holder: bytes
    billed_until: date | None


class Unpaid(Struct, frozen=True):
    """A bill that nobody has paid yet."""

    id: str
    account: str
    utility: str
    issued_on: date
    due_on: date
    amount_minor: int
