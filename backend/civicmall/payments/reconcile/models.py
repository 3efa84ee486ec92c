"""Nouns of reconciliation. Amounts in 分; a day is a business day of the city."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

StatementState = Literal["reading", "read", "matched"]
GapKind = Literal[
    "missing_here", "missing_there", "statement_amount_differs",
    "refund_missing_here", "refund_missing_there", "refund_amount_differs", "refund_pending",
]  # fmt: skip
"""What doesn't fit; a `refund_pending` is done there and still on its way here."""


class StatementRow(Struct, frozen=True):
    """A statement as stored: which file, how far it was read, what came of it."""

    id: int
    channel: str
    day_on: date
    digest: bytes
    size_bytes: int
    state: StatementState
    skip_bad: bool
    at_byte: int
    at_line: int
    entries: int
    bad: int
    tally: list[int]
    round: int
    round_at: datetime
    outcomes: list[str]
    counts: list[int]
    there: list[int]
    here: list[int]
    fee_minor: int
    matched_at: datetime | None


class BadLine(Struct, frozen=True):
    """A line that can't be read: its number, and why."""

    line: int
    reason: str


class Gap(Struct, frozen=True):
    """What doesn't fit, of one round of matching."""

    bucket: int
    kind: GapKind
    reference: str
    line: int | None
    number: UUID | None
    order_id: UUID | None
    txn: str | None
    there_minor: int | None
    here_minor: int | None
    happened_at: datetime


class Part(Struct, frozen=True):
    """One bucket's part of a day."""

    bucket: int
    outcomes: list[str]
    counts: list[int]
    there: list[int]
    here: list[int]
    fee_minor: int


class GapSum(Struct, frozen=True):
    """How many gaps of a kind ended how."""

    kind: GapKind
    outcome: str | None
    many: int
    there_minor: int
    here_minor: int


class Outcome(Struct, frozen=True):
    """How many movements of a day ended so, and what the channel and we have of them."""

    outcome: str
    many: int
    there_minor: int
    here_minor: int


class DayResult(Struct, frozen=True):
    """What came of a channel's day.

    `matched`, `refund_matched`: both have it alike. `other_day`, `refund_other_day`: one has it on the
    day before or after. `waits`: ours, near the day's end, while the next day's statement isn't read.
    `repaired`, `refund_repaired`: it was missing here and was paid in, or booked. All others have
    tickets, by the same name. `refund_pending`: on its way here, begun or done there.
    """

    channel: str
    day: date
    state: StatementState
    entries: int
    bad: int
    outcomes: list[Outcome]
    there_minor: int
    """Payments less refunds, as the channel has the day."""
    here_minor: int
    """The same as we have it."""
    explained_minor: int
    """Of the difference, what lies on another day, waits, or was mended since."""
    ticketed_minor: int
    """The rest; each of these movements has a ticket."""
    tickets: int
    """How many movements that are."""
    fee_minor: int
    matched_at: datetime | None


class Progress(Struct, frozen=True):
    """How far a run is. `size_bytes` is zero while it isn't known."""

    step: Literal["fetch", "read", "match"]
    bytes: int
    size_bytes: int
    entries: int


Tick: TypeAlias = Callable[[Progress], None]
