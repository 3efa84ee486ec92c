"""Reckoning with calendar dates, as laws do: ages and periods in completed units."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from .rules import Unit


def add_months(day: date, months: int) -> date:
    """The same day of a later (or earlier) month, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def add(day: date, amount: int, unit: Unit) -> date:
    """`amount` days, months or years after `day`."""
    if unit == "days":
        return day + timedelta(days=amount)
    return add_months(day, amount * (12 if unit == "years" else 1))


def completed(start: date, end: date, unit: Unit) -> int:
    """Whole units from `start` to `end`, rounded down: minus one as soon as `end` is earlier."""
    if unit == "days":
        return (end - start).days
    months = (end.year - start.year) * 12 + end.month - start.month
    if add_months(start, months) > end:
        months -= 1
    return months if unit == "months" else months // 12
