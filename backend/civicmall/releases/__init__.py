"""Releases: a shop's way from its department to the citizens, and back. Every step is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civicmall.kernel.jobs import Job

from .diff import Change
from .errors import (
    AccountTaken,
    BadShopManifest,
    CanaryRunning,
    FourEyes,
    NoSuchRelease,
    NothingBefore,
    NotYourShop,
    ReleaseMoved,
    ReportFailed,
    VersionNotHigher,
)
from .models import Checked, Release, ReleaseDetail, Step, Submission
from .routes import routers
from .rules import MOVES, REASONED, Move, State
from .service import kept, move, one, record, refresh, some, submit

if TYPE_CHECKING:
    from civicmall.kernel.house import House
    from civicmall.shops import Registry


def jobs(house: House, registry: Registry) -> list[Job]:
    """Learn of steps that were taken in other processes."""
    return [
        Job("releases.refresh", 2.0, lambda: refresh(house.db, registry), everywhere=True),
    ]


__all__ = [
    "MOVES", "REASONED", "AccountTaken", "BadShopManifest", "CanaryRunning", "Change", "Checked",
    "FourEyes", "Move", "NoSuchRelease", "NotYourShop", "NothingBefore", "Release", "ReleaseDetail",
    "ReleaseMoved", "ReportFailed", "State", "Step", "Submission", "VersionNotHigher", "jobs", "kept",
    "move", "one", "record", "refresh", "routers", "some", "submit",
]  # fmt: skip
