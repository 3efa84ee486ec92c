"""What the platform tells a shop unasked (since contract 2). Remote: Standard Webhooks with a CloudEvents body."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

EventType = Literal[
    "consent.withdrawn", "rating.given", "rectification.opened", "attribute.disputed", "citizen.deleted"
]  # fmt: skip


class Event(Struct, frozen=True):
    """Comes at least once: `id` is the same each time. `subject` is the app."""

    id: str
    type: EventType
    subject: str
    at: datetime
    data: dict[str, Any] = {}
