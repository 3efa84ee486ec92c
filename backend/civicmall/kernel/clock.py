"""The one clock. Rooms never ask the operating system for the time."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

CITY = ZoneInfo("Asia/Shanghai")


class Clock:
    """Wall time in UTC, the city's date, and monotonic seconds for durations."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """The date in the city (Asia/Shanghai)."""
        return self.now().astimezone(CITY).date()

    def monotonic(self) -> float:
        """Seconds; only differences mean anything."""
        return time.monotonic()


class FixedClock(Clock):
    """A clock that stands until moved, for tests of what depends on the date."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self.at += by
