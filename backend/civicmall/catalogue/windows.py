"""Windows, compiled: from when to when something can or must be done, for one citizen."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from . import dates
from .compile import Compiler
from .errors import WrongRule
from .known import Known
from .law import LawBook
from .rules import Law, Moment, Unit, Window

MonthDay = tuple[int, int]


class Shift(Struct, frozen=True):
    """A date attribute and a distance from it; negative is earlier."""

    attribute: str
    amount: int
    unit: Unit

    def day(self, known: Known) -> date | None:
        """The day, None where it isn't known or there is none."""
        start = known.value(self.attribute)
        return dates.add(start, self.amount, self.unit) if isinstance(start, date) else None


class Period(Struct, frozen=True):
    """A window ready to be asked; both ends are included, a missing one is open."""

    opens: Shift | None
    closes: Shift | None
    yearly: tuple[MonthDay, MonthDay] | None
    laws: tuple[str, ...]

    def bounds(self, known: Known) -> tuple[date | None, date | None]:
        """First and last day. A yearly window is this year's, or next year's once it has passed."""
        if self.yearly is not None:
            first, last = self.yearly
            year = known.today.year
            if date(year, *last) < known.today:
                year += 1
            return date(year, *first), date(year, *last)
        return (
            self.opens.day(known) if self.opens else None,
            self.closes.day(known) if self.closes else None,
        )


def period(window: Window, compiler: Compiler, law: LawBook) -> Period:
    """A window compiled. Raises WrongRule, also where it names no law at all."""
    laws = [window.law] if window.law else []
    if window.law:
        law.figure(window.law, "window.law")

    def shift(moment: Moment | None, path: str) -> Shift | None:
        if moment is None:
            return None
        if isinstance(moment.plus, Law):
            laws.append(moment.plus.law)
        amount = compiler.number(moment.plus, f"{path}.plus")
        name = compiler.date_attribute(moment.attribute, f"{path}.attribute")
        return Shift(name, -amount if moment.before else amount, moment.unit)

    opens = shift(window.opens, "window.opens")
    closes = shift(window.closes, "window.closes")
    yearly = None
    if window.yearly is not None:
        if opens or closes:
            raise WrongRule("window", "yearly excludes opens and closes")
        first, last = window.yearly.from_, window.yearly.until
        laws += [first.law, last.law]
        yearly = (
            law.month_day(first.law, "window.yearly.from"),
            law.month_day(last.law, "window.yearly.until"),
        )
        if yearly[0] > yearly[1]:
            raise WrongRule("window.yearly", "ends before it begins")
    elif opens is None and closes is None:
        raise WrongRule("window", "has neither opens, closes nor yearly")
    if not laws:
        raise WrongRule("window", "cites no law: name one in law")
    return Period(opens, closes, yearly, tuple(laws))
