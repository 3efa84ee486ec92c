"""A loan that is out: what has fallen due, what is still to come, what a change would do. Pure.

A loan runs in months. It begins on the first of the month after it was granted; an instalment is
due on the loan's day of the last month that it pays for. A change takes effect on the first of a
month, right after an instalment, so no interest is ever left over between two ways of repaying.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from shopkit.months import month_after

from .rates import Home, Rules, parts
from .schedules import (
    Every,
    Instalment,
    Method,
    Period,
    cost,
    lengths,
    schedule,
    shortened,
)

Keep = Literal["term", "instalment"]
"""What stays after an early repayment: the term (each instalment falls), or the instalment (the
loan ends sooner)."""


class Loan(Struct, frozen=True):
    """As it was granted; `due_day` of the month, `overdue_minor` what was missed and is owed."""

    id: str
    home: Home
    granted_on: date
    principal_minor: int
    months: int
    method: Method
    every: Every
    due_day: int
    overdue_minor: int


class Terms(Struct, frozen=True):
    """How it is repaid from a month on (its first day)."""

    since: date
    method: Method
    every: Every


class Due(Struct, frozen=True):
    """An instalment and its day."""

    on: date
    instalment: Instalment


Course: TypeAlias = list[tuple[Terms, list[Due]]]
"""The whole loan, way by way, each with what fell or falls due by it; the last one to the end."""


class Standing(Struct, frozen=True):
    """Where a loan stands on the first of a month, before anything of that month is paid."""

    at: date
    balance_minor: int
    months_left: int
    terms: Terms


class Way(Struct, frozen=True):
    """One way of paying back what is left."""

    method: Method
    every: Every
    months: int
    instalments: list[Instalment]
    paid_early_minor: int = 0

    @property
    def interest_minor(self) -> int:
        """All the interest that is still to come."""
        return cost(self.instalments)


def months_between(since: date, until: date) -> int:
    """From one first of a month to another."""
    return (until.year - since.year) * 12 + until.month - since.month


def begins(loan: Loan) -> date:
    """The first day that is reckoned."""
    return month_after(loan.granted_on, 1)


def periods(rules: Rules, loan: Loan, since: date, months: int, every: int) -> list[Period]:
    """Each with the rate of its first month."""
    found: list[Period] = []
    month = since
    for length in lengths(months, every):
        percent = rules.charged_in(loan.home, loan.months, loan.granted_on, month)
        found.append(Period(length, parts(percent)))
        month = month_after(month, length)
    return found


def course(rules: Rules, loan: Loan, changes: Sequence[Terms]) -> Course:
    """The whole loan, change by change: each way of repaying, and what fell or falls due by it."""
    ways = [Terms(begins(loan), loan.method, loan.every), *changes]
    balance, months = loan.principal_minor, loan.months
    found: list[tuple[Terms, list[Due]]] = []
    for way, after in pairwise([*ways, None]):
        assert way is not None, "only the last one is None"
        plan = schedule(balance, periods(rules, loan, way.since, months, way.every), way.method)
        span = months if after is None else months_between(way.since, after.since)
        kept = [one for one in plan if one.until <= span]
        found.append((way, [Due(_day(way.since, one, loan.due_day), one) for one in kept]))
        if kept:
            balance, months = kept[-1].balance_minor, months - kept[-1].until
    return found


def _day(since: date, one: Instalment, due_day: int) -> date:
    return month_after(since, one.until - 1).replace(day=due_day)


def standing(loan: Loan, ways: Course, at: date) -> Standing:
    """Where it stands on the first of a month, if all that was due was paid."""
    balance, gone, terms = loan.principal_minor, 0, ways[0][0]
    for way, dues in ways:
        if way.since > at:
            break
        terms, paid = way, [due.instalment for due in dues if due.on < at]
        if paid:
            balance = paid[-1].balance_minor
            gone += paid[-1].until
    return Standing(at, balance, loan.months - gone, terms)


def next_change(ways: Course, today: date) -> date:
    """The first of a month from which it can be repaid otherwise: the next one, or for a loan
    repaid by the year the one after the next instalment.
    """
    dues = ways[-1][1]
    this_month = today.replace(day=1)
    after = [month_after(due.on, 1) for due in dues if due.on >= this_month]
    return after[0] if after else month_after(this_month, 1)


def as_it_is(ways: Course, now: Standing) -> Way:
    """What is still to come if nothing changes, as it was fixed when the last way began."""
    way, dues = ways[-1]
    gone = months_between(way.since, now.at)
    rest = [
        replace(due.instalment, until=due.instalment.until - gone)
        for due in dues
        if due.on >= now.at
    ]
    return Way(way.method, way.every, now.months_left, rest)


def otherwise(rules: Rules, loan: Loan, now: Standing, method: Method, every: Every) -> Way:
    """The same balance in the same time, by another method."""
    over = periods(rules, loan, now.at, now.months_left, every)
    return Way(method, every, now.months_left, schedule(now.balance_minor, over, method))


def paid_early(rules: Rules, loan: Loan, now: Standing, method: Method, every: Every,
               amount_minor: int, keep: Keep) -> Way:  # fmt: skip
    """The same after some of the principal was paid back at once. All of it ends the loan."""
    balance, months = now.balance_minor - amount_minor, now.months_left
    if balance == 0:
        return Way(method, every, 0, [], amount_minor)
    over = periods(rules, loan, now.at, months, every)
    if keep == "instalment":
        first = schedule(now.balance_minor, over, method)[0]
        held = first.principal_minor if method == "equal_principal" else first.payment_minor
        months = shortened(balance, months, every, over[0].rate, method, held)
        over = periods(rules, loan, now.at, months, every)
    return Way(method, every, months, schedule(balance, over, method), amount_minor)
