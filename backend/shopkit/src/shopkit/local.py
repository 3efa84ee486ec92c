"""The city's time: dates and hours are its own, instants travel in UTC."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

CITY: Final = timezone(timedelta(hours=8))
"""Asia/Shanghai, which has kept one offset since 1992."""


def local(at: datetime) -> date:
    """The city's date at an instant."""
    return at.astimezone(CITY).date()
