"""Derived attributes: pure functions of what is known and the date.

Each asks for its sources one after another and gives up at the first unknown one. It never takes
another way because something is unknown, so learning a fact can't turn a value around.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final, Literal

from msgspec import Struct

from . import dates
from .known import Derive, Read, Unknown, Value
from .law import LawBook

Line = Literal["male", "female_55", "female_50"]
LINES: Final[tuple[Line, ...]] = ("male", "female_55", "female_50")
"""The three ages from which the decision of 2024 starts out (men; women in management or
technical posts; women workers)."""


class RetirementLine(Struct, frozen=True):
    """One of the decision's three schedules, in months of age."""

    starts: date
    """From this day on, whoever would have retired is delayed."""
    from_months: int
    to_months: int
    step: int
    """One month later for each so many months."""


def retirement_line(law: LawBook, line: Line) -> RetirementLine:
    """A schedule as content/law.yaml has it."""
    return RetirementLine(
        starts=law.day("retirement_age.starts"),
        from_months=12 * law.number(f"retirement_age.{line}.from"),
        to_months=12 * law.number(f"retirement_age.{line}.to"),
        step=law.number(f"retirement_age.{line}.months_per_step"),
    )


def retirement_age_months(born: date, line: RetirementLine) -> int:
    """Statutory retirement age, in months, of somebody born on `born`.

    Whoever reaches the old age in the month of `starts` is delayed by one month, and by one more
    for every `step` months after that, up to the new age.
    """
    first = dates.add_months(line.starts, -line.from_months)
    months = (born.year - first.year) * 12 + born.month - first.month
    if months < 0:
        return line.from_months
    return min(line.from_months + months // line.step + 1, line.to_months)


def pension_minimum_months(year: int, law: LawBook) -> int:
    """Months of contributions needed for a pension that starts in `year`."""
    later = max(0, year - law.number("pension_minimum_years.raised_from") + 1)
    return min(
        12 * law.number("pension_minimum_years.now")
        + later * law.number("pension_minimum_years.months_per_year"),
        12 * law.number("pension_minimum_years.to"),
    )


def school_year_end(today: date, by: tuple[int, int]) -> date:
    """The day of this year or, once it has passed, of the next by which an age must be reached."""
    this = date(today.year, *by)
    return this if today <= this else date(today.year + 1, *by)


def derivations(law: LawBook) -> dict[str, Derive]:
    """Every derived attribute's function. Raises WrongRule where the law lacks a figure."""
    by = law.month_day("school_age.by")
    old = law.number("elderly_age")
    return {
        "age": _from_date("birth_date", lambda born, now: dates.completed(born, now, "years")),
        "age_this_year": _from_date("birth_date", lambda born, now: now.year - born.year),
        "elderly_on": _from_date("birth_date", lambda born, _: dates.add(born, old, "years")),
        "has_children": _from_children(lambda born, _: bool(born)),
        "youngest_child_on": _from_children(lambda born, _: born[-1] if born else None),
        "children_ages": _from_children(
            lambda born, now: tuple(dates.completed(day, now, "years") for day in born)
        ),
        "kindergarten_by": _turns(law.number("kindergarten_age"), by),
        "primary_school_by": _turns(law.number("school_age"), by),
        "wedding_on": _wedding_on,
        "expecting": _expecting,
        **_Retirement(law).derivations(),
    }


class _Retirement:
    """When somebody reaches the statutory age, by the decision of 2024."""

    def __init__(self, law: LawBook) -> None:
        self._law = law
        self._lines = {line: retirement_line(law, line) for line in LINES}
        self._early = law.number("retirement_age.flexible_months")
        pension_minimum_months(law.day("retirement_age.starts").year, law)  # or say now what lacks

    def derivations(self) -> dict[str, Derive]:
        return {
            "retirement_on": self.regular,
            "early_retirement_from": self.early,
            "pension_reached": self.pension_reached,
        }

    def _line(self, of: Read) -> RetirementLine | Unknown:
        match of("sex"):
            case Unknown() as unknown:
                return unknown
            case "male":
                return self._lines["male"]
            case _:
                pass
        match of("post"):
            case Unknown() as unknown:
                return unknown
            case "management":
                return self._lines["female_55"]
            case _:
                return self._lines["female_50"]

    def regular(self, of: Read, _: date) -> Value:
        """The day on which the statutory age is reached."""
        born, line = of("birth_date"), self._line(of)
        if isinstance(line, Unknown):
            return line
        if not isinstance(born, date):
            return born
        return dates.add_months(born, retirement_age_months(born, line))

    def early(self, of: Read, today: date) -> Value:
        """The first day of a flexible, earlier retirement; never before the old age."""
        born, line, regular = of("birth_date"), self._line(of), self.regular(of, today)
        if isinstance(line, Unknown) or not isinstance(born, date) or not isinstance(regular, date):
            return regular
        oldest = dates.add_months(regular, -self._early)
        return max(dates.add_months(born, line.from_months), oldest)

    def pension_reached(self, of: Read, _: date) -> Value:
        """Whether the contributions paid suffice for a pension from the statutory age on."""
        regular, paid = of("retirement_on"), of("insured_pension_years")
        if not isinstance(regular, date):
            return regular
        if not isinstance(paid, int):
            return paid
        return 12 * paid >= pension_minimum_months(regular.year, self._law)


def _from_date(name: str, compute: Callable[[date, date], Value]) -> Derive:
    def derive(of: Read, today: date) -> Value:
        day = of(name)
        return compute(day, today) if isinstance(day, date) else day

    return derive


def _from_children(compute: Callable[[tuple[date, ...], date], Value]) -> Derive:
    def derive(of: Read, today: date) -> Value:
        born = of("children")
        if not isinstance(born, tuple):
            return born
        return compute(tuple(day for day in born if isinstance(day, date)), today)

    return derive


def _turns(age: int, by: tuple[int, int]) -> Derive:
    """The coming day of the year `by` if a child reaches `age` in the twelve months up to it."""

    def compute(born: tuple[date, ...], today: date) -> date | None:
        end = school_year_end(today, by)
        begin = date(end.year - 1, *by)
        reached = (dates.add(day, age, "years") for day in born)
        return end if any(begin < day <= end for day in reached) else None

    return _from_children(compute)


def _wedding_on(of: Read, _: date) -> Value:
    """When the present marriage began; none for those who aren't married."""
    status = of("marital_status")
    if isinstance(status, Unknown):
        return status
    return of("married_on") if status == "married" else None


def _expecting(of: Read, _: date) -> Value:
    sex = of("sex")
    if isinstance(sex, Unknown):
        return sex
    return of("pregnant") if sex == "female" else False
