"""Working days: published holidays, made-up weekends, and weekends alone where nothing is known."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkit.workdays import after, between, working_day

DAYS = st.dates(date(2005, 1, 1), date(2035, 1, 1))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 10, 1), False),
        (date(2026, 11, 18), True),
        (date(2026, 11, 21), False),
        (date(2025, 9, 28), True),  # a Sunday, made up for the autumn holidays
        (date(2045, 10, 1), False),  # a Sunday of a year nobody has published
        (date(2045, 10, 2), True),
    ],
)
def test_known_days(day: date, *, works: bool) -> None:
    assert working_day(day) is works


@given(DAYS, st.integers(1, 60))
def test_after_and_between_agree(start: date, days: int) -> None:
    end = after(start, days)

    assert working_day(end)
    assert between(start, end) == days
    assert between(start, end - timedelta(days=1)) == days - 1


@given(DAYS)
def test_no_days_are_the_day_itself(start: date) -> None:
    assert (after(start, 0), between(start, start)) == (start, 0)
