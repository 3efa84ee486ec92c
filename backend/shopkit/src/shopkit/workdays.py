"""Working days in China: weekends, public holidays, and the weekends worked to make up for them.

The State Council publishes each year's holidays late in the year before; `chinesecalendar` has
them. In a year that isn't published yet only weekends count.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final, cast

import chinese_calendar

_published: Callable[[date], bool] = cast("Any", chinese_calendar).is_workday
_detail: Callable[[date], tuple[bool, str | None]] = cast(
    "Any", chinese_calendar
).get_holiday_detail
DAY: Final = timedelta(days=1)
SATURDAY: Final = 5
FIXED: Final = frozenset({"01-01", "05-01", "05-02", "10-01", "10-02", "10-03"})
"""Holidays that have the same month and day every year: Regulations on Public Holidays (全国年节及
纪念日放假办法, State Council Decree No. 795, 2024-11-10), art. 2."""


def working_day(day: date) -> bool:
    """Whether offices work on `day`."""
    return known_working_day(day)[0]


def known_working_day(day: date) -> tuple[bool, bool]:
    """Whether offices work on `day`, and whether that is only presumed: its year isn't published."""
    try:
        return _published(day), False
    except NotImplementedError:
        return day.weekday() < SATURDAY, True


def holiday(day: date) -> bool:
    """Whether a day belongs to a public holiday, at a weekend too; in a year that isn't published
    yet, only those of fixed date are known.
    """
    try:
        off, name = _detail(day)
    except NotImplementedError:
        return f"{day:%m-%d}" in FIXED
    return off and name is not None


def after(start: date, days: int) -> date:
    """The `days`-th working day after `start`, which doesn't count itself (Civil Code art. 201)."""
    day = start
    while days > 0:
        day += DAY
        days -= working_day(day)
    return day


def between(start: date, end: date) -> int:
    """How many working days lie after `start` up to and with `end`."""
    days = (end - start).days
    return sum(working_day(start + n * DAY) for n in range(1, days + 1))
