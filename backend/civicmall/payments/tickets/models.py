"""Nouns of tickets. Amounts in 分."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from civicmall.payments.rules import RefundState

TicketKind = Literal[
    "amount_differs", "unknown_order", "late", "double",
    "missing_here", "missing_there", "statement_amount_differs",
    "refund_missing_here", "refund_missing_there", "refund_amount_differs",
    "refund_failed", "bad_row", "statement_unreadable",
]  # fmt: skip
"""What happened.

amount_differs, unknown_order, late, double: money came by a callback and fits no open order.
missing_here, missing_there: the channel's statement has a payment that we don't have, or hasn't one
that we have. statement_amount_differs: it has another amount, or another order. refund_…: the same of
refunds. refund_failed: the channel could not send the money back. bad_row: a line of a statement
can't be read. statement_unreadable: a day's statement can't be taken at all.
"""
TicketState = Literal["open", "resolved"]
Note = Annotated[
    str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$(?!\n)")
]


class Ticket(Struct, frozen=True):
    """One thing to look into. `there_minor` is what the channel says, `here_minor` what we have."""

    id: UUID
    kind: TicketKind
    channel: str
    reference: str
    """The channel's number of the payment, our refund's number, or `day:line` of a statement."""
    order_id: UUID | None
    refund_id: UUID | None
    here_minor: int | None
    there_minor: int | None
    day_on: date | None
    """The statement's day."""
    line: int | None
    """The statement's line."""
    reason: str
    state: TicketState
    opened_at: datetime
    due_on: date
    resolved_at: datetime | None
    resolved_by: str | None
    """`system`, or the account of whoever did."""
    resolved_name: str
    note: str


class Going(Struct, frozen=True):
    """How the refund of a ticket stands. `no`: its line; None where the money fits no order."""

    id: UUID
    no: int | None
    state: RefundState
    amount_minor: int
    reason: str
    asked_name: str
    asked_at: datetime
    decided_name: str
    decided_at: datetime | None
    ended_at: datetime | None
    trouble: str


class Sighting(Struct, frozen=True):
    """What is to become a ticket, or is one already."""

    kind: TicketKind
    channel: str
    reference: str
    order_id: UUID | None = None
    refund_id: UUID | None = None
    here_minor: int | None = None
    there_minor: int | None = None
    day_on: date | None = None
    line: int | None = None
    reason: str = ""


class Wanted(Struct, frozen=True):
    """Which tickets to list; what isn't said is any."""

    state: TicketState | None = None
    kind: TicketKind | None = None
    channel: str | None = None
    day: date | None = None
    overdue: bool = False


class OpenCounts(Struct, frozen=True):
    """How much waits for operators."""

    open: int
    overdue: int
    """Of these, due before today."""


class Resolve(Struct, frozen=True, forbid_unknown_fields=True):
    """That a ticket is settled, and how."""

    note: Note
