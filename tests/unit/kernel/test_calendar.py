"""Working days in China: holidays, the weekends worked for them, and years not yet published."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.kernel.calendar import DueDate, add_working_days, is_working_day


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2025, 10, 1), False),  # Wednesday, National Day
        (date(2025, 10, 11), True),  # Saturday, worked for the National Day week
        (date(2025, 10, 12), False),  # Sunday
        (date(2025, 10, 13), True),  # Monday
        (date(2025, 1, 26), True),  # Sunday, worked for the Spring Festival
        (date(2025, 1, 29), False),  # first day of the year of the snake
    ],
)
def test_published_days(day: date, *, works: bool) -> None:
    assert is_working_day(day) == (works, False)


def test_years_not_yet_published_are_reckoned_by_weekends() -> None:
    assert is_working_day(date(2090, 10, 2)) == (True, True)  # a Monday
    assert is_working_day(date(2090, 10, 1)) == (False, True)  # a Sunday


@pytest.mark.parametrize(
    ("start", "days", "on"),
    [
        (date(2025, 9, 30), 1, date(2025, 10, 9)),  # over the National Day week
        (date(2025, 9, 30), 3, date(2025, 10, 11)),  # which a worked Saturday makes up for
        (date(2025, 9, 30), 4, date(2025, 10, 13)),
        (date(2025, 10, 17), 1, date(2025, 10, 20)),  # over a weekend
        (date(2025, 10, 20), 0, date(2025, 10, 20)),
    ],
)
def test_the_day_itself_does_not_count(start: date, days: int, on: date) -> None:
    assert add_working_days(start, days) == DueDate(on, provisional=False)


def test_a_date_beyond_what_is_published_says_so() -> None:
    assert add_working_days(date(2090, 10, 6), 5) == DueDate(date(2090, 10, 13), provisional=True)


@given(st.dates(date(2024, 1, 1), date(2030, 12, 31)), st.integers(min_value=1, max_value=60))
def test_exactly_so_many_working_days_pass(start: date, days: int) -> None:
    due = add_working_days(start, days)
    between = [date.fromordinal(n) for n in range(start.toordinal() + 1, due.on.toordinal() + 1)]
    assert sum(is_working_day(day)[0] for day in between) == days
    assert is_working_day(due.on)[0]
    assert due.provisional == any(is_working_day(day)[1] for day in between)
