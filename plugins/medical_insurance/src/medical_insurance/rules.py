"""rules.json and what follows from it. Pure: whole fen, exact shares, one rounding at the end."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from shopkit import Basis, Text
from shopkit.months import same_day
from shopkit.texts import both, half_up

Category = Literal["adult", "student", "newborn", "elderly"]
Level = Literal["1", "2", "3"]
Minor = Annotated[int, Meta(ge=0)]
MONTHS: Final = 12


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a figure was published, and how far that was seen."""

    title: Text
    authority: Text
    number: str | None
    url: str | None
    note: str


class Year(Struct, frozen=True, forbid_unknown_fields=True):
    """What residents pay for one year, by category."""

    year: int
    source: str
    example: bool
    amounts_minor: dict[Category, Minor]


class Collection(Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """集中参保期, by month-day: enrolment for the next year."""

    since: str
    until: str
    example: bool


class Waiting(Struct, frozen=True, forbid_unknown_fields=True):
    """等待期 of those who come later."""

    months: int
    source: str


class Days(Struct, frozen=True, forbid_unknown_fields=True):
    """A time limit."""

    days: int
    example: bool


class Ages(Struct, frozen=True, forbid_unknown_fields=True):
    """Where one category ends and the next begins, in full years."""

    adult_from: int
    elderly_male: int
    elderly_female: int
    example: bool


class Enrolment(Struct, frozen=True, forbid_unknown_fields=True):
    """When one enrols, as what, and until when it is to be paid."""

    collection: Collection
    waiting: Waiting
    newborn: Days
    pay_within: Days
    ages: Ages


class Flexible(Struct, frozen=True, forbid_unknown_fields=True):
    """What the flexibly employed pay each month: a share of a base."""

    base_minor: Minor
    share: str
    due_day: int
    example: bool
    arrears_months: int
    again_months: int
    arrears_source: str


class Account(Struct, frozen=True, forbid_unknown_fields=True):
    """What goes into the personal account each month."""

    share: str
    source: str
    retired_minor: Minor
    retired_example: bool


class Minimum(Struct, frozen=True, forbid_unknown_fields=True):
    """The least that residents pay anywhere in the country."""

    amount_minor: Minor
    year: int
    source: str


class AtLevel(Struct, frozen=True, forbid_unknown_fields=True):
    """起付线 and 报销比例 at hospitals of one level."""

    deductible_minor: Minor
    share: str


class Outpatient(Struct, frozen=True, forbid_unknown_fields=True):
    """The deductible counts once a year, the cap for the year."""

    cap_minor: Minor
    levels: dict[Level, AtLevel]


class Inpatient(Struct, frozen=True, forbid_unknown_fields=True):
    """The deductible counts for each stay: less from the second in a year on, and for pupils."""

    cap_minor: Minor
    levels: dict[Level, AtLevel]
    later_stay_share: str
    students_share: str


class Reimbursement(Struct, frozen=True, forbid_unknown_fields=True):
    """The city's rules for residents."""

    source: str
    outpatient: Outpatient
    inpatient: Inpatient


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """rules.json."""

    sources: dict[str, Source]
    contributions: list[Year]
    minimum: Minimum
    enrolment: Enrolment
    flexible: Flexible
    account: Account
    reimbursement: Reimbursement

    def cited(self, source: str) -> str:
        """A source in one line."""
        one = self.sources[source]
        return " ".join(
            x for x in (one.title["zh-CN"], one.number, one.authority["zh-CN"], one.url) if x
        )

    def basis(self, source: str, *, example: bool = False) -> Basis:
        """A source as an answer names it."""
        return Basis(self.sources[source].title, self.cited(source)[:400], example)

    def contribution(self, year: int) -> Year:
        """What is paid for a year; the newest published one stands in, as an example, for later."""
        known = [y for y in self.contributions if y.year <= year] or self.contributions[:1]
        newest = max(known, key=lambda y: y.year)
        return newest if newest.year == year else msgspec.structs.replace(newest, example=True)

    @property
    def flexible_minor(self) -> int:
        """A month's contribution of the flexibly employed."""
        return half_up(self.flexible.base_minor * Fraction(self.flexible.share))


def read(path: Path) -> Rules:
    """The rules of a file. Raises msgspec.ValidationError, naming the field; KeyError, a source."""
    rules = msgspec.json.decode(path.read_bytes(), type=Rules)
    named = [rules.minimum.source, rules.account.source, rules.reimbursement.source]
    named += [rules.enrolment.waiting.source, rules.flexible.arrears_source]
    for source in (*named, *(y.source for y in rules.contributions)):
        _ = rules.sources[source]
    return rules


def full_years(born: date, on: date) -> int:
    """Years of age: one more on each birthday, on 1 March for those of 29 February."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def in_collection(rules: Rules, on: date) -> bool:
    """Whether enrolment for the next year is open."""
    collection = rules.enrolment.collection
    return collection.since <= f"{on:%m-%d}" <= collection.until


def begins_on(rules: Rules, category: Category, year: int, born: date, on: date) -> date:
    """The first day of benefits of somebody who enrols on a day: a newborn from birth, whoever
    comes in the collection period from the new year, others after the waiting period.
    """
    if category == "newborn":
        return born
    if year > on.year:
        return date(year, 1, 1)
    return same_day(on, rules.enrolment.waiting.months)


class Claim(Struct, frozen=True):
    """Costs handed in: `eligible_minor` is what the catalogue covers; what counted before in the
    same year follows.
    """

    kind: Literal["outpatient", "inpatient"]
    level: Level
    category: Category
    total_minor: Minor
    eligible_minor: Minor
    stay: Annotated[int, Meta(ge=1)] = 1
    deducted_before_minor: Minor = 0
    paid_before_minor: Minor = 0


class Reckoned(Struct, frozen=True):
    """(eligible - deductible) x share, at most what is left of the cap."""

    deductible_minor: int
    share: Fraction
    amount_minor: int
    capped: bool


def reckon(rules: Rules, claim: Claim) -> Reckoned:
    """What is refunded for a claim."""
    part = (
        rules.reimbursement.outpatient
        if claim.kind == "outpatient"
        else rules.reimbursement.inpatient
    )
    at = part.levels[claim.level]
    deductible = Fraction(at.deductible_minor)
    if isinstance(part, Outpatient):
        deductible = max(Fraction(0), deductible - claim.deducted_before_minor)
    elif claim.category in {"student", "newborn"}:
        deductible *= Fraction(part.students_share)
    elif claim.stay > 1:
        deductible *= Fraction(part.later_stay_share)
    whole = half_up(deductible)
    share = Fraction(at.share)
    amount = half_up(max(0, claim.eligible_minor - whole) * share)
    left = max(0, part.cap_minor - claim.paid_before_minor)
    return Reckoned(whole, share, min(amount, left), amount > left)


RULES: Final = read(
    next(
        folder / "data" / "rules.json"
        for folder in Path(__file__).parents[:3]
        if (folder / "data" / "rules.json").is_file()
    )
)
EXAMPLE: Final = both("（示例，未见公布数据）", " (an example, no published figure)")
