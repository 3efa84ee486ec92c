"""Periods in months: pure."""

from __future__ import annotations

from datetime import date, timedelta


def month_after(day: date, months: int) -> date:
    """The first day of the month so many months after the day's own (before it, below 0)."""
    year, index = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, index + 1, 1)


def same_day(day: date, months: int) -> date:
    """The same day so many months later (earlier, below 0); where a month is too short for it,
    the month's last day (Civil Code art. 202).
    """
    first = month_after(day, months)
    last = month_after(first, 1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))
