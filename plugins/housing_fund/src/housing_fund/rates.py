"""The published rates and rules: the shape of `data/rules.json`, its check, and the look-ups.

Percentages are texts in the file and Fractions here; a rate is a part of one a year.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct

from shopkit import Basis, Text
from shopkit.texts import both

Home = Literal["first", "second"]
Reason = Literal["rent", "purchase", "renovation", "retirement", "departure"]
Percent = Annotated[str, Meta(pattern=r"^\d{1,2}(\.\d{1,3})?$")]
Positive = Annotated[int, Meta(ge=1)]
SHORT_MONTHS: Final = 60
"""Up to five years, inclusive: the line that the central bank draws between the two rates."""
SOURCE_MAX: Final = 400
"""Characters that the contract has room for."""


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Where figures come from: the document, who issued it, where it was read."""

    title: Text
    authority: Text
    read_at: Annotated[list[str], Meta(min_length=1)]
    number: str | None = None
    issued_on: date | None = None
    note: str = ""


class ByTerm(Struct, frozen=True, forbid_unknown_fields=True):
    """Per cent a year for loans up to five years, and for longer ones."""

    up_to_five: Percent
    over_five: Percent

    def of(self, months: int) -> str:
        """The one for a term."""
        return self.up_to_five if months <= SHORT_MONTHS else self.over_five


class FundRate(Struct, frozen=True, forbid_unknown_fields=True):
    """The fund's own loans, from a day on."""

    valid_from: date
    first: ByTerm
    second: ByTerm
    source: str

    def of(self, home: Home, months: int) -> str:
        """Per cent a year."""
        return (self.first if home == "first" else self.second).of(months)


class PrimeRate(ByTerm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The loan prime rate (LPR), from a day on; its terms are one year and over five years."""

    valid_from: date
    source: str


class DepositRate(Struct, frozen=True, forbid_unknown_fields=True):
    """What a balance earns, from a day on."""

    valid_from: date
    percent: Percent
    source: str


class Interest(Struct, frozen=True, forbid_unknown_fields=True):
    """When interest is credited (month-day), and how many days a year is reckoned with."""

    settled: Annotated[str, Meta(pattern=r"^\d\d-\d\d$")]
    days_in_year: Positive
    source: str
    example: bool = False


class Ground(Struct, frozen=True, forbid_unknown_fields=True):
    """What entitles to a withdrawal."""

    source: str
    article: Text
    example: bool = False


class Withdrawing(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of withdrawals; `examples` names those without a published source."""

    rent_month_max_minor: Positive
    rent_deposit_months: Positive
    purchase_within_months: Positive
    renovation_within_months: Positive
    sealed_months: Positive
    examples: list[str]


class Changing(Struct, frozen=True, forbid_unknown_fields=True):
    """When a repayment may be changed."""

    once_in_months: Positive
    months_left_min: Positive
    months_paid_min: Positive
    example: bool = False


class Promise(Struct, frozen=True, forbid_unknown_fields=True):
    """How soon an answer comes: never later than the 3 days that the law gives for withdrawals."""

    withdrawal_working_days: Positive
    change_working_days: Positive
    source: str
    example: bool = False


class Dated(Protocol):
    """Something in force from a day on."""

    @property
    def valid_from(self) -> date:
        """The first day."""
        ...


T = TypeVar("T", bound=Dated)


def in_force(versions: list[T], on: date) -> T:
    """The newest version on a day; before the first one that is known, the first."""
    return next((one for one in reversed(versions) if one.valid_from <= on), versions[0])


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    about: str
    sources: dict[str, Source]
    fund_rates: Annotated[list[FundRate], Meta(min_length=1)]
    prime_rates: Annotated[list[PrimeRate], Meta(min_length=1)]
    deposit_rates: Annotated[list[DepositRate], Meta(min_length=1)]
    interest: Interest
    promise: Promise
    reasons: dict[Reason, Ground]
    withdrawal: Withdrawing
    change: Changing

    def basis(self, source: str, *, article: Text | None = None, example: bool = False) -> Basis:
        """A source as citizens read it."""
        found = self.sources[source]
        title = found.title
        if article is not None:
            title = both(
                f"《{title['zh-CN']}》{article['zh-CN']}", f"{title['en']}, {article['en']}"
            )
        parts = [found.authority["zh-CN"], found.number, found.issued_on, found.read_at[0]]
        said = " · ".join(str(part) for part in parts if part is not None)
        return Basis(title, said[:SOURCE_MAX], example)

    def granted_at(self, home: Home, months: int, on: date) -> tuple[str, str]:
        """Per cent a year of a loan granted on a day, and the source."""
        found = in_force(self.fund_rates, on)
        return found.of(home, months), found.source

    def charged_in(self, home: Home, months: int, granted_on: date, month: date) -> str:
        """Per cent a year of a loan that is out, in a month (its first day).

        A new rate reaches it on the next 1 January; a loan of a year or less keeps its own.
        """
        new_year = date(month.year, 1, 1)
        on = granted_on if months <= 12 else max(granted_on, new_year)  # noqa: PLR2004 (a year)
        return self.granted_at(home, months, on)[0]


@lru_cache(maxsize=1_000)
def parts(percent: str) -> Fraction:
    """Per cent as parts of one; every month of every loan asks for the same few."""
    return Fraction(percent) / 100


class BadRules(ValueError):
    """The file is no good; says where."""


def read(path: Path) -> Rules:
    """Read and check. Raises BadRules, msgspec.ValidationError."""
    rules = msgspec.json.decode(path.read_bytes(), type=Rules)
    for name, dated in (
        ("fund_rates", [r.valid_from for r in rules.fund_rates]),
        ("prime_rates", [r.valid_from for r in rules.prime_rates]),
        ("deposit_rates", [r.valid_from for r in rules.deposit_rates]),
    ):
        if dated != sorted(set(dated)):
            raise BadRules(f"{name}: not in the order of their first days")
    named = {
        *(r.source for r in rules.fund_rates), *(r.source for r in rules.prime_rates),
        *(r.source for r in rules.deposit_rates), *(g.source for g in rules.reasons.values()),
        rules.interest.source, rules.promise.source,
    }  # fmt: skip
    if unknown := named - rules.sources.keys():
        raise BadRules(f"sources: {min(unknown)} is missing")
    if unknown := set(rules.withdrawal.examples) - set(Withdrawing.__struct_fields__):
        raise BadRules(f"withdrawal.examples: {min(unknown)} is no limit")
    return rules
