"""The gateway: the one way from the platform to a department's shop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civicmall.kernel.jobs import Job

from . import filling
from .doors import routers as _doors
from .errors import (
    FILLING,
    CallbackRefused,
    ConsentNeeded,
    FormRefused,
    LevelTooLow,
    NoSuchThing,
    ShopBadAnswer,
    ShopFailed,
    ShopMaintenance,
    ShopRefused,
    ShopTimeout,
    ShopUnavailable,
    TooManyCalls,
)
from .events import CitizenLeft
from .hearing import listen
from .host import role, room, schema, secret_for
from .logouts import tell_logouts
from .models import Bills, FinishedCall, Health, Matters, Owed, OwedBill, TileState
from .personal import personal
from .platform import request_secret, webhook_secret
from .raw import Raw
from .routes import routers as _routers
from .service import Gateway, finished_call, forget_calls
from .typed import Typed

if TYPE_CHECKING:
    from civicmall.kernel.house import House


routers = [*_routers, *_doors]
EVENTS = (CitizenLeft,)
PROBE_S = 15.0
"""A shop that came back is known again after as long."""


def jobs(house: House, gateway: Gateway) -> list[Job]:
    """Forget calls that nobody may rate any more; ask the shops elsewhere whether they are there."""
    return [
        Job("gateway.forget", 3600.0, lambda: forget_calls(house.db)),
        Job("gateway.probe", PROBE_S, gateway.gates.probe, everywhere=True),
    ]


__all__ = [
    "EVENTS", "FILLING", "Bills", "CallbackRefused", "CitizenLeft", "ConsentNeeded", "FinishedCall", "FormRefused", "Gateway", "Health", "LevelTooLow", "Matters",
    "NoSuchThing", "Owed", "OwedBill", "Raw", "ShopBadAnswer", "ShopFailed", "ShopMaintenance", "ShopRefused", "ShopTimeout",
    "ShopUnavailable", "TileState", "TooManyCalls", "Typed", "filling", "finished_call", "jobs", "listen", "personal", "request_secret", "role", "room", "routers", "schema", "secret_for", "tell_logouts",
    "webhook_secret",
]  # fmt: skip
