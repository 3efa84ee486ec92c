"""Working days in China: weekends, public holidays and the working weekends that make up for them.

The State Council publishes each year's holidays late in the year before; `chinesecalendar` has
them. For a year not yet published only weekends count, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, cast

import chinese_calendar
from msgspec import Struct

_published: Callable[[date], bool] = cast("Any", chinese_calendar).is_workday


class DueDate(Struct, frozen=True):
    """A day, and whether the calendar it was reckoned by is final."""

    on: date
    provisional: bool
    """True where it lies beyond the published holidays: reckoned by weekends alone."""


def is_working_day(day: date) -> tuple[bool, bool]:
    """Whether people work on `day`, and whether that is only presumed."""
    try:
        return _published(day), False
    except NotImplementedError:
        return day.weekday() < 5, True  # noqa: PLR2004 (Saturday)


def add_working_days(start: date, days: int) -> DueDate:
    """The `days`-th working day after `start` (which does not count itself; Civil Code art. 201)."""
    day, provisional = start, False
    while days > 0:
        day += timedelta(days=1)
        works, presumed = is_working_day(day)
        provisional |= presumed
        days -= works
    return DueDate(day, provisional)
