"""Nouns of the closed ledger. Amounts in 分; a day is a business day, midnight to midnight in the city."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct


class Posting(Struct, frozen=True):
    """One balanced row of the ledger: `amounts[i]` goes to `accounts[i]`."""

    bucket: int
    id: UUID
    order_id: UUID
    kind: str
    accounts: list[str]
    amounts: list[int]
    posted_at: datetime


class ClosedBucket(Struct, frozen=True):
    """One bucket's closed day: what each account got, and the digest of the postings."""

    bucket: int
    postings: int
    accounts: list[str]
    totals: list[int]
    entries: list[int]
    digest: bytes


class ClosedDay(Struct, frozen=True):
    """A closed day over all buckets: balances at its end, and the root that is signed."""

    day_on: date
    postings: int
    accounts: list[str]
    balances: list[int]
    entries: list[int]
    root: bytes
    sealed_at: datetime
    """When the root was signed, by the clock of whoever signed: no owner of tables can set it."""
    signature: bytes


class Balance(Struct, frozen=True):
    """One account of the ledger. Positive: we hold it; negative: we owe it. 分."""

    account: str
    balance_minor: int
    postings: int


class Ledger(Struct, frozen=True):
    """Every account at one instant; the sum is zero, or the ledger is broken."""

    items: list[Balance]
    sum_minor: int
    at: datetime | None = None
    """The instant that was asked for; null: now."""
    closed_on: date | None = None
    """The newest closed day, and what it was signed under: publish it."""
    root: str | None = None
    next: str | None = None


class Entry(Struct, frozen=True):
    """One line of a posting: what one account got."""

    posting_id: UUID
    no: int
    order_id: UUID
    kind: str
    amount_minor: int
    posted_at: datetime


class Differs(Struct, frozen=True):
    """A closed day of a bucket that has another number of postings than when it was closed."""

    day_on: date
    bucket: int
    closed: int
    found: int


class Stray(Struct, frozen=True):
    """A posting that claims to be older than the first closed day."""

    bucket: int
    id: UUID
    posted_at: datetime


class Unled(Struct, frozen=True):
    """A bucket's closed day that no closed day stands over."""

    day_on: date
    bucket: int


Kind = Literal[
    "changed", "missing", "extra", "late", "chain", "signature", "sealed_late", "published", "sum"
]  # fmt: skip
"""What a check can find.

changed: a closed posting, or a closing row, says something else. missing, extra: it is gone, or was
put there. late: a posting that was put there and looks like the program's own. chain: a digest
doesn't follow from what lies before it. signature: the installation's key didn't sign this.
sealed_late: it did, but long after the day. published: the root is not the one that was made
public. sum: a posting that is not zero.
"""


class Finding(Struct, frozen=True):
    """One thing that is not as it was when the day was closed."""

    kind: Kind
    day: date | None
    bucket: int | None
    posting: UUID | None
    detail: str

    def __str__(self) -> str:
        where = [
            str(self.day or ""),
            "" if self.bucket is None else f"bucket {self.bucket}",
            "" if self.posting is None else f"posting {self.posting}",
        ]
        return f"{self.kind}: {', '.join(filter(None, where))}: {self.detail}"


class Report(Struct, frozen=True):
    """What a check looked at, and what it found."""

    days: int
    postings: int
    last: ClosedDay | None
    findings: list[Finding]
