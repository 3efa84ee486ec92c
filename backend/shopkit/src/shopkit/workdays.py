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
DAY: Final = timedelta(days=1)
SATURDAY: Final = 5


def working_day(day: date) -> bool:
    """Whether offices work on `day`."""
    try:
        return _published(day)
    except NotImplementedError:
        return day.weekday() < SATURDAY


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
