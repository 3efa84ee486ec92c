"""The sandbox's accounts, loans and earlier applications; everything follows from who it is.

The personas' are told in words below; every employed household has an account, and some a loan.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zlib import crc32

from msgspec import Struct

from shopkit import ShopDb
from shopkit.applications import Applications, Happened, Planted
from shopkit.call import keyed_hash
from shopkit.local import CITY
from shopkit.months import month_after
from shopkit.sandbox import Person, people

from .rates import Home
from .records import q
from .schedules import OTHER, Every, Method

LOAN_EVERY: Final = 4
"""One household in so many has a loan."""
CHANGED_EVERY: Final = 20
"""One in so many has changed its repayment; these all have the first of LOANS."""
RENTED_EVERY: Final = 5
"""One in so many has had rent paid out."""
BASES: Final = tuple(range(520_000, 2_400_000, 60_000))
"""Monthly wage bases, in fen."""
RAISE_PERCENT: Final = 4
"""What a wage base rises by each July."""


class Borrowed(Struct, frozen=True):
    """A loan, granted so many months ago."""

    months_ago: int
    months: int
    principal_minor: int
    method: Method = "equal_instalments"
    every: Every = 1
    home: Home = "first"
    overdue_minor: int = 0


class Plan(Struct, frozen=True):
    """An account, opened so many months ago and perhaps sealed since."""

    opened: int
    base_minor: int
    percent: int = 12
    opening_minor: int = 0
    sealed: int | None = None
    loan: Borrowed | None = None
    rented: tuple[int, ...] = ()
    """How many months ago rent was paid out."""
    changed: tuple[int, ...] = ()
    """How many months ago the repayment was changed, the longest ago first."""


PERSONAS: Final[dict[str, Plan | None]] = {
    "newborn_mother": Plan(62, 1_260_000, rented=(18, 6)),
    "newborn_father": Plan(
        70, 1_480_000, loan=Borrowed(40, 360, 80_000_000, "equal_principal"), changed=(27, 13)
    ),
    "school_mother": Plan(96, 1_120_000, loan=Borrowed(44, 240, 60_000_000, overdue_minor=317_842)),
    "graduate": None,
    "newlywed_wife": Plan(40, 980_000, 10, rented=(11,)),
    "newlywed_husband": Plan(
        52, 1_350_000, loan=Borrowed(28, 300, 70_000_000, "equal_principal"), changed=(14,)
    ),
    "near_retirement_man": Plan(
        160, 1_600_000, opening_minor=4_210_000, loan=Borrowed(42, 48, 12_000_000)
    ),
    "near_retirement_woman": Plan(150, 860_000, opening_minor=3_880_000, sealed=2),
}
LOANS: Final = (
    Borrowed(31, 360, 90_000_000),
    Borrowed(25, 240, 50_000_000, "equal_principal"),
    Borrowed(14, 180, 40_000_000, home="second"),
    Borrowed(38, 60, 15_000_000),
    Borrowed(20, 120, 30_000_000, every=12),
)
"""The households' loans, one after the other."""


async def fill(
    db: ShopDb, secret: bytes, today: date, changes: Applications, withdrawals: Applications
) -> None:
    """Put in what is missing; what is there already stays as it is, also on a later day."""
    plans = [
        (person, keyed_hash(secret, person.id_number.upper()), plan)
        for number, person in enumerate(people(today))
        if (plan := _plan(person, number)) is not None
    ]
    known = set(await q["known"].rows(db, str))
    new = [each for each in plans if _number(each[0]) not in known]
    month = today.replace(day=1)
    accounts = [_account(*each, month) for each in plans]
    await q["open_accounts"].run_many(db, ("numbers", "holders", "opened", "openings", "days", "sealed"), accounts)  # fmt: skip
    paid = [row for person, _, plan in new for row in _contributions(person, plan, month)]
    await q["contribute"].run_many(
        db, ("accounts", "sinces", "bases", "employers", "employees"), paid
    )
    loans = [_loan(person, holder, plan.loan, month) for person, holder, plan in plans if plan.loan]
    names = ("ids", "holders", "homes", "granted", "principals", "months", "methods", "everys",
             "due_days", "overdues")  # fmt: skip
    await q["lend"].run_many(db, names, loans)
    await withdrawals.plant(db, [one for each in new for one in _rented(*each, month)])
    await changes.plant(db, [one for each in new for one in _changed(*each, month)])


def _pick(person: Person, what: str, below: int) -> int:
    """A number from 0, the same every time for the same person and question."""
    return crc32(f"{person.key}/{what}".encode()) % below


def _plan(person: Person, number: int) -> Plan | None:
    if person.persona != "household":
        return PERSONAS[person.persona]
    opened = 14 + _pick(person, "opened", 90)
    base = BASES[_pick(person, "base", len(BASES))]
    percent = 5 + _pick(person, "percent", 8)
    if person.facts["employment"] == "retired":
        return Plan(opened + 24, base, percent, opening_minor=2_000_000, sealed=3 + number % 9)
    if _pick(person, "left", 12) == 0:
        return Plan(opened + 24, base, percent, sealed=2 + number % 10)
    if number % LOAN_EVERY == 0:
        loan = LOANS[number // LOAN_EVERY % len(LOANS)]
        changed = (4 + 10 * (number % 3),) if number % CHANGED_EVERY == 0 else ()
        return Plan(opened, base, percent, loan=loan, changed=changed)
    return Plan(opened, base, percent, rented=(8,) if number % RENTED_EVERY == 0 else ())


def _account(person: Person, holder: bytes, plan: Plan, month: date) -> tuple[Any, ...]:
    sealed = None if plan.sealed is None else month_after(month, -plan.sealed)
    opened = month_after(month, -plan.opened)
    return (_number(person), holder, opened, plan.opening_minor, 6 + _pick(person, "day", 20), sealed)  # fmt: skip


def _number(person: Person) -> str:
    return f"1{crc32(person.key.encode()):010d}"


def _contributions(person: Person, plan: Plan, month: date) -> Iterator[tuple[Any, ...]]:
    """From the beginning, and anew each July: wages rise."""
    base, since = plan.base_minor, month_after(month, -plan.opened)
    while since <= month:
        yield (_number(person), since, base, plan.percent, plan.percent)
        july = date(since.year + (since.month >= 7), 7, 1)  # noqa: PLR2004 (July)
        base, since = base + base * RAISE_PERCENT // 100, july


def _loan(person: Person, holder: bytes, loan: Borrowed, month: date) -> tuple[Any, ...]:
    granted = month_after(month, -loan.months_ago).replace(day=9)
    return (f"DK{_number(person)}", holder, loan.home, granted, loan.principal_minor, loan.months,
            loan.method, loan.every, 20, loan.overdue_minor)  # fmt: skip


def _history(month: date, stages: tuple[str, ...]) -> tuple[Happened, ...]:
    """One stage an hour, on the third of a month."""
    start = datetime.combine(month.replace(day=3), time(9), CITY)
    return tuple(
        Happened("done", start + timedelta(hours=n), step) for n, step in enumerate(stages)
    )


def _rented(person: Person, holder: bytes, plan: Plan, month: date) -> Iterator[Planted]:
    """Three months' rent each time."""
    for months_ago in plan.rented:
        until = month_after(month, -months_ago)
        kept = {
            "account": _number(person), "reason": "rent", "amount_minor": 540_000,
            "closes": False, "rent_until": until.isoformat(),
        }  # fmt: skip
        events = _history(until, ("accepted", "checked", "paid_out"))
        yield Planted(f"TQ{until:%Y%m%d}-{_number(person)}", holder, events, kept)


def _changed(person: Person, holder: bytes, plan: Plan, month: date) -> Iterator[Planted]:
    """To the other method each time."""
    if plan.loan is None:
        return
    method = plan.loan.method
    for months_ago in plan.changed:
        on = month_after(month, -months_ago)
        method = OTHER[method]
        kept = {"loan": f"DK{_number(person)}", "method": method, "every": plan.loan.every}
        events = _history(on, ("accepted", "checked", "recorded"))
        yield Planted(f"HK{on:%Y%m%d}-{_number(person)}", holder, events, kept)
