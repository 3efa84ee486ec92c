"""Decisions about papers: which days, which state, what is masked, what a spreadsheet may run. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final, Literal

from civicmall.payments.ledger import end_of
from civicmall.payments.models import LineRow

from .errors import BadPeriod

ReceiptState = Literal["valid", "part_refunded", "refunded"]
DAYS_MAX: Final = 31
FIRST_YEAR: Final = 2000
GRACE_S: Final = 60.0
"""After its midnight a period is final: what was begun before has ended by then (a statement runs at
most ten seconds, a transaction waits at most thirty; kernel.db)."""
ROWS_MAX_CSV: Final = 200_000
ROWS_MAX_PDF: Final = 5_000
"""About 160 pages; more is nothing that anybody reads, and seconds of a core."""
DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell begins with that spreadsheets take for a formula (OWASP, CSV injection)."""
HIDDEN: Final = "***"


def period(first: date, last: date, today: date) -> tuple[datetime, datetime]:
    """The first instant of a period, and the first after it. Raises BadPeriod."""
    if first.year < FIRST_YEAR or last > today or not 0 <= (last - first).days < DAYS_MAX:
        raise BadPeriod(days_max=DAYS_MAX)
    return end_of(first - timedelta(days=1)), end_of(last)


def is_final(end_at: datetime, now: datetime) -> bool:
    """Whether nothing can come any more into what ended at `end_at`."""
    return now >= end_at + timedelta(seconds=GRACE_S)


def bucket_of(account: str) -> int:
    """Where a settlement account's payouts lie: the first byte of SHA-256 of its name."""
    return hashlib.sha256(account.encode()).digest()[0]


def payable(account: str) -> str:
    """What the ledger calls what we owe to a settlement account."""
    return f"payable:{account}"


def state(lines: Iterable[LineRow]) -> ReceiptState:
    """How much of a payment still stands."""
    rows = list(lines)
    refunded = sum(line.refunded_minor for line in rows)
    if not refunded:
        return "valid"
    return "refunded" if refunded == sum(line.amount_minor for line in rows) else "part_refunded"


def masked(text: str) -> str:
    """A name or number so that who holds the paper knows it again and nobody else learns it: the
    first character, and the last of three or more.
    """
    text = text.strip()
    if len(text) < 2:  # noqa: PLR2004 (one character says nothing)
        return text
    return text[0] + HIDDEN + (text[-1] if len(text) > 2 else "")  # noqa: PLR2004


def cell(text: str) -> str:
    """A shop's text as a cell that no spreadsheet runs, on one line."""
    flat = " ".join(text.split())
    return f"'{flat}" if text.startswith(DANGEROUS) or flat.startswith(DANGEROUS) else flat


def decimal(amount_minor: int) -> str:
    """分 → yuan for programs: no thousands' marks."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02d}"
