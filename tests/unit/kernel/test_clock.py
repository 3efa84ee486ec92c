"""The clock: aware, in UTC; the city's date is Shanghai's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from civicmall.kernel.clock import Clock, FixedClock


def test_now_is_aware_and_in_utc() -> None:
    assert Clock().now().utcoffset() == timedelta()


def test_the_city_is_eight_hours_ahead() -> None:
    clock = FixedClock(datetime(2025, 12, 31, 15, 59, tzinfo=UTC))
    assert clock.today() == date(2025, 12, 31)
    clock.move(timedelta(minutes=1))
    assert clock.now() == datetime(2025, 12, 31, 16, 0, tzinfo=UTC)
    assert clock.today() == date(2026, 1, 1)


def test_durations_only_grow() -> None:
    clock = Clock()
    assert clock.monotonic() <= clock.monotonic()
