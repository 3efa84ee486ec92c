"""What the identity centre tells: ids only, never who somebody is."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class ConsentWithdrawn(Struct, frozen=True, tag="identity.consent_withdrawn"):
    """A citizen took back what an app was allowed to know; the shop is to forget it."""

    citizen_id: UUID
    shop: str
    app: str
    at: datetime
