"""Sandbox data: who is insured how, with contributions, accounts and claims of the last months.

Reckoned from the day it is first put in; what is there already stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, Final, Literal

import msgspec

from shopkit import ShopDb
from shopkit.applications import Happened, Planted
from shopkit.call import keyed_hash
from shopkit.charges import Paid
from shopkit.local import CITY
from shopkit.sandbox import Person, people
from shopkit.texts import half_up

from .account import first_day, month_of
from .claims import COURSE, refunds
from .contribution import CHARGES
from .data import q
from .enrolment import enrolments
from .history import finished, reference, refused, waiting
from .rules import MONTHS, RULES, Category, Claim, Level, in_collection

Scheme = Literal["employee", "retired", "flexible", "resident"]
FLEXIBLE: Final = 7
"""Every seventh household is flexibly employed, every eleventh in residents' insurance."""
RESIDENT: Final = 11
NEWCOMER: Final = 4
"""Every fourth of the other employed households has moved here and isn't insured yet."""
HISTORY: Final = 15
"""Months of account movements; of monthly contributions a year less."""
PAYS_FOR_OTHERS: Final = 4
CLAIMS: Final = 5
OVERDUE: Final = timedelta(days=31)
"""What fell due since then nobody has paid yet; the rest was paid three days before."""
BASES_MINOR: Final = (650_000, 820_000, 1_135_500, 1_499_900)
"""Contribution bases of the employed."""


async def fill(db: ShopDb, secret: bytes, today: date) -> None:
    """Put in what is missing."""
    known = [(n, p, keyed_hash(secret, p.id_number.upper())) for n, p in enumerate(people(today))]
    insured = [
        (h, year, scheme) for n, p, h in known if (scheme := _scheme(n, p))
        for year in (today.year, today.year + (scheme == "resident" and in_collection(RULES, today)))
    ]  # fmt: skip
    await q["insure"].run_many(db, ("persons", "years", "schemes"), insured)
    moved = [(h, *row) for n, p, h in known for row in _movements(n, _scheme(n, p), today)]
    await q["move"].run_many(db, ("persons", "seqs", "days", "kinds", "amounts"), moved)
    charges = [row for n, p, h in known for row in _charges(n, p, h, today)]
    names = ("ids", "payers", "whose", "categories", "periods", "amounts", "issued", "due")
    await q["charge"].run_many(db, names, charges)
    paid = [
        Paid(bill, amount, _noon(due_on - timedelta(days=3)))
        for bill, *_, amount, _issued, due_on in charges if due_on < today - OVERDUE
    ]  # fmt: skip
    await CHARGES.plant(db, secret, "contribution", paid)
    await enrolments.plant(db, [one for n, p, h in known for one in _enrolments(n, p, h, today)])
    await refunds.plant(db, [one for n, p, h in known for one in _claims(n, p, h, today)])
    await enrolments.employ(db, today)
    await refunds.employ(db, today)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), CITY)


def _scheme(number: int, person: Person) -> Scheme | None:
    employment = person.facts.get("employment")
    if person.persona == "household" and employment == "employed":
        if number % FLEXIBLE == 0:
            return "flexible"
        if number % RESIDENT == 0:
            return "resident"
        if number % NEWCOMER == NEWCOMER - 1:
            return None
    return {"unemployed": "flexible", "retired": "retired"}.get(str(employment), "employee")  # pyright: ignore[reportReturnType] (the values are schemes)


def _members(number: int, person: Person) -> Iterator[tuple[str, Category]]:
    """Whom a person pays for in residents' insurance."""
    if person.persona == "household":
        if _scheme(number, person) == "resident":
            yield "self", "adult"
        if number % PAYS_FOR_OTHERS == 0:
            yield ("child", "student") if number % 3 else ("parent", "elderly")
    elif person.persona in {"newborn_mother", "newborn_father", "near_retirement_man"}:
        yield "parent", "elderly"
    elif person.persona == "school_mother":
        yield "child", "student"


def _movements(
    number: int, scheme: Scheme | None, today: date
) -> Iterator[tuple[int, date, str, int]]:
    """A credit a month, now and then something paid, never more than there is."""
    if scheme not in {"employee", "retired"}:
        return
    base = BASES_MINOR[number % len(BASES_MINOR)]
    credit = RULES.account.retired_minor if scheme == "retired" else half_up(base * Fraction(RULES.account.share))  # fmt: skip
    this, balance, seq = month_of(today), 0, 0
    for at in range(this - HISTORY, this + 1):
        spent = (number * 37 + at * 53) % 9
        rows = [(8, "credit", credit)]
        if at % MONTHS == 5:  # noqa: PLR2004 (June: interest is credited on the 30th)
            rows.append((30, "interest", max(1, balance // 400)))
        if spent < 4:  # noqa: PLR2004 (four of nine months without)
            kind = ("outpatient", "pharmacy", "family", "pharmacy")[spent]
            rows.append((19, kind, -min(balance + credit, 1_250 * (spent + 1) + number % 97)))
        for day, kind, amount in sorted(rows):
            booked_on = first_day(at).replace(day=day)
            if booked_on <= today:
                yield seq, booked_on, kind, amount
                seq, balance = seq + 1, balance + amount


def _charges(number: int, person: Person, payer: bytes, today: date) -> Iterator[tuple[Any, ...]]:
    """Yearly ones, in the collection period next year's too; monthly ones of the flexible."""
    if _scheme(number, person) == "flexible":
        this = month_of(today)
        for at in range(this - HISTORY + MONTHS, this + 1):
            first = first_day(at)
            yield (f"JF-{payer.hex()[:12]}-{first:%Y%m}", payer, "self", "flexible", f"{first:%Y-%m}",
                   RULES.flexible_minor, first, first.replace(day=RULES.flexible.due_day))  # fmt: skip
    for year, opened in _years(today):
        amounts = RULES.contribution(year).amounts_minor
        for whose, category in _members(number, person):
            yield (f"JF-{reference(payer, whose, year)}", payer, whose, category, str(year),
                   amounts[category], opened, date(year - 1, 12, 31))  # fmt: skip


def _years(today: date) -> Iterator[tuple[int, date]]:
    """The last year, this one, and while it can be enrolled for the next; when they enrolled."""
    for year in range(today.year - 1, today.year + 1 + in_collection(RULES, today)):
        yield year, date(year - 1, 9, 1)


def _enrolments(number: int, person: Person, payer: bytes, today: date) -> Iterator[Planted]:
    """What their contributions come from; one that waits for a paper, one that was refused."""
    for year, opened in _years(today):
        for whose, category in _members(number, person):
            yield finished(payer, whose, category, year, opened)
    if person.persona == "newlywed_wife":
        yield waiting(payer, today - timedelta(days=3))
    elif person.persona == "near_retirement_woman":
        yield refused(payer, today - timedelta(days=90))


def _claims(number: int, person: Person, holder: bytes, today: date) -> Iterator[Planted]:
    """Claims for costs of children and parents, in every phase: each stage took four days."""
    if person.persona == "household" and number % CLAIMS:
        return
    levels: tuple[Level, ...] = ("1", "2", "3")
    for nth in range(1 + (number % 3 == 0)):
        turn = number // CLAIMS + nth if person.persona == "household" else number + nth
        inpatient = turn % 3 == 2  # noqa: PLR2004 (one of three)
        eligible = 1_830_055 + number * 7_919 if inpatient else 142_600 + number * 1_013
        kept = Claim(
            "inpatient" if inpatient else "outpatient", levels[turn % 3], "student" if number % 2 else "elderly",
            eligible + 13_575, eligible, 1 + turn % 2, 10_000 * (turn % 4),
        )  # fmt: skip
        done = 1 + turn % len(COURSE.stages) if nth == 0 else len(COURSE.stages)
        days = 4 * done + 180 * nth
        begin = _noon(today - timedelta(days=days))
        events = [
            Happened("done", begin + timedelta(days=4 * n), stage.code)
            for n, stage in enumerate(COURSE.stages[:done])
        ]
        if done == 2 and turn % 2:  # noqa: PLR2004 (receipts were checked)
            events.append(Happened("asked", events[-1].at + timedelta(days=1), about=("invoice",)))
        reference = f"BX-{holder.hex()[:12].upper()}-{nth}"
        yield Planted(reference, holder, tuple(events), msgspec.to_builtins(kept))
