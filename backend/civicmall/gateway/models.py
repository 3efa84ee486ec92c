"""Nouns of the gateway."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from shopkit import Bill, Progress


class Bills(Struct, frozen=True):
    """A citizen's bills at one app. `stale` where the shop is down and this is its last answer."""

    items: list[Bill]
    next: str | None
    stale: bool
    as_of: datetime


class Matters(Struct, frozen=True):
    """A citizen's matters at one app. `call_id` is what may be rated, once a day."""

    items: list[Progress]
    next: str | None
    stale: bool
    as_of: datetime
    call_id: UUID | None = None


TileState = Literal["ok", "stale", "unavailable", "consent_needed", "level_too_low"]


class OwedBill(Struct, frozen=True):
    """A bill and where it is paid."""

    shop: str
    app: str
    bill: Bill


class Owed(Struct, frozen=True):
    """What a citizen owes everywhere, and how each app did in saying so (`shop/app` → state)."""

    bills: list[OwedBill]
    tiles: dict[str, TileState]


class FinishedCall(Struct, frozen=True):
    """A finished call of a citizen, that may be rated."""

    id: UUID
    shop: str
    app: str
    operation: str
    finished_at: datetime


class Health(Struct, frozen=True):
    """How one version of a shop does right now, and did in the last five minutes."""

    shop: str
    state: Literal["live", "canary", "broken"]
    breaker: Literal["closed", "open", "half-open"]
    running: int
    reason: str = ""
    version: str = ""
    calls: int = 0
    error_rate: float = 0.0
    """0 to 1: the shop's own faults among its calls."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
