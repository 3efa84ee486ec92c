"""Ages and periods, as laws count them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.catalogue import dates

DAYS = st.dates(date(1920, 1, 1), date(2120, 12, 31))


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(1966, 12, 31), 726, date(2027, 6, 30)),
    ],
)
def test_a_shorter_month_ends_earlier(day: date, months: int, later: date) -> None:
    assert dates.add_months(day, months) == later


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        (date(2020, 5, 20), date(2026, 5, 19), 5),
        (date(2020, 5, 20), date(2026, 5, 20), 6),
        (date(2020, 2, 29), date(2026, 2, 28), 6),
        (date(2026, 5, 20), date(2026, 5, 19), -1),
    ],
)
def test_a_year_is_complete_on_its_day(start: date, end: date, years: int) -> None:
    assert dates.completed(start, end, "years") == years


def test_one_day_ahead_is_minus_one_in_every_unit() -> None:
    for unit in ("days", "months", "years"):
        assert dates.completed(date(2026, 11, 25), date(2026, 11, 24), unit) == -1


@given(DAYS, DAYS, st.sampled_from(["days", "months", "years"]))
def test_completed_units_are_the_most_that_fit(start: date, end: date, unit: dates.Unit) -> None:
    units = dates.completed(start, end, unit)
    assert dates.add(start, units, unit) <= end < dates.add(start, units + 1, unit)


@given(DAYS, st.integers(-600, 600))
def test_adding_keeps_the_order_of_days(day: date, months: int) -> None:
    assert dates.add_months(day, months) <= dates.add_months(day, months + 1)
