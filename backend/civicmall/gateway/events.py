"""What the gateway tells: ids only, never who somebody is."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class CitizenLeft(Struct, frozen=True, tag="gateway.citizen_left"):
    """A citizen deleted their account; this shop is to forget what no law wants kept."""

    citizen_id: UUID
    shop: str
    at: datetime
