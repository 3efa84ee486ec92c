"""The city's time: dates and hours are its own, instants travel in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

CITY: Final = timezone(timedelta(hours=8))
"""Asia/Shanghai, which has kept one offset since 1992."""


def local(at: datetime) -> date:
    """The city's date at an instant."""
    return at.astimezone(CITY).date()


def end_of_day(day: date) -> datetime:
    """The last second of a day of the city, in UTC."""
    return datetime.combine(day, time(23, 59, 59), CITY).astimezone(UTC)
