"""An account's book: deposits, withdrawals, and the interest of each 30 June. Pure, exact.

Nothing is stored that can be reckoned: the book follows from the contributions, the withdrawals
and the published rates, so it is right on any day without anybody closing it overnight.

Interest is earned from the day a deposit comes in (条例 art. 21) to the settlement day, both
included: Σ balance × days × yearly rate ÷ days in the year, half up to the fen once a year. What
is credited earns from the day after. An account that is closed is paid its interest on that day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal

from msgspec import Struct

from shopkit.months import month_after
from shopkit.texts import half_up

from .rates import DepositRate, Rules, parts

Kind = Literal["opening", "deposit", "interest", "withdrawal"]


class Account(Struct, frozen=True):
    """An account. `opening_minor` was brought in on `opened_on`; from `sealed_on` on nothing more
    is paid in; `day` of the month is when deposits come in.
    """

    number: str
    opened_on: date
    opening_minor: int
    day: int
    sealed_on: date | None


class Contribution(Struct, frozen=True):
    """What is paid in from a month on: shares of a wage base, in whole per cent."""

    since: date
    base_minor: int
    employer_percent: int
    employee_percent: int

    def of(self, percent: int) -> int:
        """A share, half up to the fen."""
        return half_up(Fraction(self.base_minor * percent, 100))


class PaidOut(Struct, frozen=True):
    """A withdrawal. One that `closes` the account takes everything, interest of the day included."""

    on: date
    reference: str
    amount_minor: int
    closes: bool


class Entry(Struct, frozen=True):
    """A line of the book; a withdrawal's amount is negative."""

    on: date
    kind: Kind
    amount_minor: int
    balance_minor: int
    employer_minor: int = 0
    employee_minor: int = 0
    reference: str = ""


class Book(Struct, frozen=True):
    """An account's book up to a day. `accrued_minor` was earned and isn't credited yet."""

    entries: list[Entry]
    accrued_minor: int
    closed: bool

    @property
    def balance_minor(self) -> int:
        """What is in it."""
        return self.entries[-1].balance_minor if self.entries else 0


class _Meter:
    """Counts balance × days × rate, exactly."""

    def __init__(self, rates: list[DepositRate], days_in_year: int, since: date) -> None:
        self.steps = [(rate.valid_from, parts(rate.percent) / days_in_year) for rate in rates]
        self.counted_until = since
        self.earned = Fraction(0)

    def count(self, balance_minor: int, until: date) -> None:
        """The days before `until`."""
        since = self.counted_until
        for (begins, daily), (ends, _) in zip(
            self.steps, [*self.steps[1:], (date.max, Fraction(0))], strict=True
        ):
            days = (min(until, ends) - max(since, begins)).days
            if days > 0:
                self.earned += balance_minor * days * daily
        self.counted_until = max(since, until)

    def take(self) -> int:
        """What was earned, in whole fen; the count begins anew."""
        earned, self.earned = half_up(self.earned), Fraction(0)
        return earned


def keep(
    rules: Rules, account: Account, contributions: Sequence[Contribution],
    paid_out: Sequence[PaidOut], until: date,
) -> Book:  # fmt: skip
    """The book up to a day, that day included."""
    meter = _Meter(rules.deposit_rates, rules.interest.days_in_year, account.opened_on)
    entries: list[Entry] = []
    balance, closed = 0, False
    for on, kind, entry in sorted(
        _moves(rules, account, contributions, paid_out, until), key=lambda move: move[:2]
    ):
        if closed:
            break
        settles = kind == SETTLED
        meter.count(balance, on + timedelta(days=1) if settles else on)
        closed = isinstance(entry, PaidOut) and entry.closes
        if settles or closed:
            earned = meter.take()
            balance += earned
            entries.append(Entry(on, "interest", earned, balance))
        if isinstance(entry, PaidOut):
            out = balance if closed else entry.amount_minor
            balance -= out
            entries.append(Entry(on, "withdrawal", -out, balance, reference=entry.reference))
        elif isinstance(entry, Entry):
            balance += entry.amount_minor
            entries.append(
                Entry(on, entry.kind, entry.amount_minor, balance, entry.employer_minor, entry.employee_minor)
            )  # fmt: skip
    meter.count(balance, until)
    return Book(entries, meter.take(), closed)


SETTLED = 2
"""Comes after what else happens on a day: deposits (0), then withdrawals (1)."""
Move = tuple[date, int, Entry | PaidOut | None]


def _moves(
    rules: Rules, account: Account, contributions: Sequence[Contribution],
    paid_out: Sequence[PaidOut], until: date,
) -> Iterator[Move]:  # fmt: skip
    yield account.opened_on, 0, Entry(account.opened_on, "opening", account.opening_minor, 0)
    month = month_after(account.opened_on, 1)
    while (on := month.replace(day=account.day)) <= until:
        if account.sealed_on is not None and on >= account.sealed_on:
            break
        now = next((c for c in reversed(contributions) if c.since <= month), None)
        if now is not None:
            employer, employee = now.of(now.employer_percent), now.of(now.employee_percent)
            yield on, 0, Entry(on, "deposit", employer + employee, 0, employer, employee)
        month = month_after(month, 1)
    yield from ((out.on, 1, out) for out in paid_out if out.on <= until)
    settled_month, settled_day = map(int, rules.interest.settled.split("-"))
    for year in range(account.opened_on.year, until.year + 1):
        on = date(year, settled_month, settled_day)
        if account.opened_on <= on <= until:
            yield on, SETTLED, None
