"""The gateway: the one way from the platform to a department's shop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civicmall.kernel.jobs import Job

from .errors import (
    ConsentNeeded,
    LevelTooLow,
    NoSuchThing,
    ShopBadAnswer,
    ShopFailed,
    ShopRefused,
    ShopTimeout,
    ShopUnavailable,
    TooManyCalls,
)
from .host import role, room, schema
from .models import Bills, FinishedCall, Health, Matters, Owed, OwedBill, TileState
from .routes import routers
from .service import Gateway, finished_call, forget_calls

if TYPE_CHECKING:
    from civicmall.kernel.house import House


def jobs(house: House) -> list[Job]:
    """Forget calls that nobody may rate any more."""
    return [Job("gateway.forget", 3600.0, lambda: forget_calls(house.db))]


__all__ = [
    "Bills", "ConsentNeeded", "FinishedCall", "Gateway", "Health", "LevelTooLow", "Matters",
    "NoSuchThing", "Owed", "OwedBill", "ShopBadAnswer", "ShopFailed", "ShopRefused", "ShopTimeout",
    "ShopUnavailable", "TileState", "TooManyCalls", "finished_call", "jobs", "role", "room", "routers", "schema",
]  # fmt: skip
