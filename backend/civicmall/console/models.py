"""What the console's pages show, put together from what the other rooms know."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from civicmall import payments
from civicmall.kernel.models import OutboxCounts
from civicmall.ratings import DeskTicket, SatisfactionDetail

from .charts import Bar, Trend

Doing = Literal["live", "trial", "held", "broken", "suspended", "retired"]


class ShopLine(Struct, frozen=True):
    """How satisfied people are with one shop."""

    id: str
    name: str
    detail: SatisfactionDetail
    bar: Bar | None
    trend: Trend


class HealthLine(Struct, frozen=True):
    """How one version of a shop does, and did in the last five minutes. `held`: it failed too often
    and is left alone for a while; `trial`: only a share of the citizens meets it.
    """

    id: str
    name: str
    department: str
    version: str
    apps: int
    doing: Doing
    breaker: Literal["closed", "open", "half-open"]
    running: int
    reason: str
    calls: int
    error_rate: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    satisfied: float | None = None
    """The share of satisfied ratings, where it was asked for and somebody has rated."""


class Load(Struct, frozen=True):
    """Tickets by whose turn it is. `more`: there are more than were counted."""

    department: int
    citizen: int
    operator: int
    overdue: int
    more: bool

    @property
    def open(self) -> int:
        """Tickets that are not closed."""
        return self.department + self.citizen + self.operator


class MoneyLine(Struct, frozen=True):
    """What one shop was paid. Amounts in 分."""

    shop: str
    name: str
    paid: int
    amount_minor: int
    refunded_minor: int


class Money(Struct, frozen=True):
    """What the shops were paid over some days, and in all."""

    days: int
    lines: list[MoneyLine]

    @property
    def paid(self) -> int:
        """How many lines."""
        return sum(line.paid for line in self.lines)

    @property
    def amount_minor(self) -> int:
        """What they come to, refunded ones too."""
        return sum(line.amount_minor for line in self.lines)

    @property
    def refunded_minor(self) -> int:
        """What of it went back."""
        return sum(line.refunded_minor for line in self.lines)


class Ledger(Struct, frozen=True):
    """Every account, and what they sum to: zero, or something is wrong."""

    accounts: list[payments.ledger.Balance]

    @property
    def sum_minor(self) -> int:
        """The check."""
        return sum(account.balance_minor for account in self.accounts)


class Platform(Struct, frozen=True):
    """What only operators look after."""

    ledger: Ledger
    tickets: payments.tickets.OpenCounts
    """Of the payment centre."""
    outbox: OutboxCounts
    releases: int
    """Releases that wait for an operator."""


class Board(Struct, frozen=True):
    """The first page: what needs somebody, and how the shops do."""

    load: Load
    pressing: list[DeskTicket]
    shops: list[ShopLine]
    next_shops: str | None
    health: list[HealthLine]
    money: Money
    platform: Platform | None

    @property
    def broken(self) -> int:
        """Shops that can't be called."""
        return sum(line.doing == "broken" for line in self.health)
