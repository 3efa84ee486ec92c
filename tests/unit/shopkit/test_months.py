"""Periods in months: the same day, or the last one of a month that is too short for it."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkit.months import month_after, same_day

DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))
MONTHS = st.integers(-600, 600)


@pytest.mark.parametrize(
    ("day", "before"),
    [
        ("2027-03-31", "2027-02-28"),
        ("2028-03-30", "2028-02-29"),
        ("2027-01-15", "2026-12-15"),
        ("2027-07-31", "2027-06-30"),
    ],
)
def test_a_month_before_exists_every_month(day: str, before: str) -> None:
    assert same_day(date.fromisoformat(day), -1) == date.fromisoformat(before)


def test_a_leap_day_comes_a_day_earlier() -> None:
    assert same_day(date(2028, 2, 29), 12) == date(2029, 2, 28)
    assert same_day(date(2028, 2, 29), 48) == date(2032, 2, 29)


@given(DAYS, MONTHS)
def test_it_is_so_many_months_away(day: date, months: int) -> None:
    first, same = month_after(day, months), same_day(day, months)

    assert (first.year - day.year) * 12 + first.month - day.month == months
    assert first.day == 1
    assert same.replace(day=1) == first
    assert same.day == min(day.day, monthrange(first.year, first.month)[1])
