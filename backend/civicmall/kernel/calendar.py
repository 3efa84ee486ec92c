"""Due dates by working days: weekends, public holidays and the working weekends that make up for them.

The days themselves are `shopkit.workdays`'; here it is kept whether one may still move, because the
State Council publishes each year's holidays late in the year before.
"""

from __future__ import annotations

from datetime import date, timedelta

from msgspec import Struct

from shopkit.workdays import known_working_day as is_working_day

__all__ = ["DueDate", "add_working_days", "is_working_day"]


class DueDate(Struct, frozen=True):
    """A day, and whether the calendar it was reckoned by is final."""

    on: date
    provisional: bool
    """True where it lies beyond the published holidays: reckoned by weekends alone."""


def add_working_days(start: date, days: int) -> DueDate:
    """The `days`-th working day after `start` (which does not count itself; Civil Code art. 201)."""
    day, provisional = start, False
    while days > 0:
        day += timedelta(days=1)
        works, presumed = is_working_day(day)
        provisional |= presumed
        days -= works
    return DueDate(day, provisional)
