"""Reconciliation: each channel's statement of each day against what we have."""

from __future__ import annotations

from .daily import Daily, jobs
from .errors import (
    DayNotOver,
    NoSuchStatement,
    OtherStatement,
    StatementBad,
    StatementBusy,
    StatementUnreadable,
)
from .models import DayResult, Outcome, Progress, StatementRow, Tick
from .routes import routers
from .service import conclude, days, of_day, read, reconcile

__all__ = [
    "Daily", "DayNotOver", "DayResult", "NoSuchStatement", "OtherStatement", "Outcome", "Progress",
    "StatementBad", "StatementBusy", "StatementRow", "StatementUnreadable", "Tick", "conclude", "days",
    "jobs", "of_day", "read", "reconcile", "routers",
]  # fmt: skip
