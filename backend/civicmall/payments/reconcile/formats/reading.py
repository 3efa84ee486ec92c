"""What reading a statement means, whoever wrote it: a line in, an entry or a named trouble out.

Amounts are 分 as whole numbers and are never rounded: what is no amount, or has a part of a 分, is a
bad row. A bad row is skipped only where an operator says so; what makes the whole file doubtful (no
header, an end that isn't there, sums that don't agree) can't be skipped.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Final, Literal, NamedTuple

from civicmall.kernel.clock import CITY

AMOUNT_MAX: Final = 100_000_000_00
"""A hundred million yuan, as `Paid` has it."""
SLACK: Final = timedelta(hours=2)
"""How far a row may lie outside of its day: channels cut days by the moment that suits them."""
_NUMBER: Final = re.compile(r"[!-\[\]-~]{1,80}")
"""Numbers of payments and refunds: printable ASCII without blank and backslash."""
_YUAN: Final = re.compile(r"(-?)(\d{1,11})(?:\.(\d{1,2})0{0,6})?", re.ASCII)
_LOCAL: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
Kind = Literal["payment", "refund"]
State = Literal["done", "pending", "failed"]


class BadRow(Exception):
    """A line that can't be taken for what it should be; says why, never what stands in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAStatement(BadRow):
    """The file as a whole can't be trusted."""


class Entry(NamedTuple):
    """One movement of money, as the channel has it."""

    kind: Kind
    number: str
    """The merchant's number: of the order, or of the refund."""
    original: str
    """A refund's order; empty for a payment."""
    txn: str
    """The channel's number."""
    amount_minor: int
    """Above zero, also of a refund."""
    fee_minor: int
    """What the channel takes; below zero where it gives back."""
    at: datetime
    state: State = "done"


class Tally(NamedTuple):
    """What was read so far, as the file's own totals count it. Amounts in 分."""

    section: int = 0
    """Where in the file reading stands; each format has its own."""
    bad: int = 0
    paid: int = 0
    paid_minor: int = 0
    refunds: int = 0
    refunds_minor: int = 0
    fee_minor: int = 0


class Reader(ABC):
    """Reads one file, line by line, and can go on where another one stopped."""

    encoding: ClassVar[str] = "utf-8"

    def __init__(self, day: date) -> None:
        start = datetime.combine(day, time.min, CITY).astimezone(UTC)
        self._first = start - SLACK
        self._last = start + timedelta(days=1) + SLACK
        self.section = 0
        self.bad = 0
        self.paid = self.paid_minor = self.refunds = self.refunds_minor = self.fee_minor = 0

    @property
    def headed(self) -> bool:
        """Whether the header was seen, so that rows can be read."""
        return self.section > 0

    @property
    def tally(self) -> Tally:
        """As it stands."""
        return Tally(
            self.section, self.bad, self.paid, self.paid_minor, self.refunds, self.refunds_minor,
            self.fee_minor,
        )  # fmt: skip

    def go_on(self, tally: Tally) -> None:
        """Stand where another reader stood, once the header was read."""
        (
            self.section, self.bad, self.paid, self.paid_minor, self.refunds, self.refunds_minor,
            self.fee_minor,
        ) = tally  # fmt: skip

    def read(self, raw: bytes) -> Entry | None:
        """One line, with its end; None where it says nothing of a movement. Raises BadRow."""
        try:
            text = raw.decode(self.encoding)
        except UnicodeDecodeError:
            raise BadRow("encoding") from None
        return self.line(text)

    @abstractmethod
    def line(self, text: str) -> Entry | None:
        """One decoded line, with its end. Raises BadRow, NotAStatement."""

    @abstractmethod
    def end(self) -> None:
        """The file is over. Raises NotAStatement where more should have come."""

    def took(self, entry: Entry, total_minor: int, fee_minor: int) -> Entry:
        """Count an entry; `total_minor`, `fee_minor`: what the file's totals have of it."""
        if entry.kind == "payment":
            self.paid += 1
            self.paid_minor += total_minor
        else:
            self.refunds += 1
            self.refunds_minor += total_minor
        self.fee_minor += fee_minor
        return entry

    def inside(self, at: datetime) -> datetime:
        """The instant, if it is about the statement's day. Raises BadRow."""
        if not self._first <= at < self._last:
            raise BadRow("other-day")
        return at

    def agree(self, *pairs: tuple[int, int]) -> None:
        """Totals that the file says and those of what was read. Raises NotAStatement.

        Where rows were bad they can't agree, and each of these rows is named anyway.
        """
        if not self.bad and any(said != read for said, read in pairs):
            raise NotAStatement("totals")


def columns_of(header: list[str], wanted: Mapping[str, str]) -> dict[str, int]:
    """Where the wanted columns stand, by our names for them. Raises NotAStatement."""
    if len(set(header)) != len(header):
        raise NotAStatement("header")
    try:
        return {ours: header.index(theirs) for ours, theirs in wanted.items()}
    except ValueError:
        raise NotAStatement("header") from None


def minor(text: str) -> int:
    """Yuan with two decimals, or with zeros after them, in 分: "-12.30" → -1230. Raises BadRow."""
    found = _YUAN.fullmatch(text)
    if found is None:
        raise BadRow("amount")
    sign, whole, part = found.groups()
    value = int(whole) * 100 + int((part or "0").ljust(2, "0"))
    return -value if sign else value


def amount(value: int) -> int:
    """An amount that can be. Raises BadRow."""
    if not 0 < value <= AMOUNT_MAX:
        raise BadRow("amount")
    return value


def number(text: str) -> str:
    """A number as channels and we write them. Raises BadRow."""
    if _NUMBER.fullmatch(text) is None:
        raise BadRow("number")
    return text


def local(text: str) -> datetime:
    """`yyyy-MM-dd HH:mm:ss` in the city. Raises BadRow."""
    if _LOCAL.fullmatch(text) is None:
        raise BadRow("time")
    try:
        return datetime.fromisoformat(text + "+08:00")
    except ValueError:
        raise BadRow("time") from None
