"""What a client calls a citizen, and a citizen's session: names that no other sector can join.

OpenID Connect Core section 8.1: pairwise identifiers, a keyed hash of sector and citizen.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from uuid import UUID

from civicmall.kernel.house import House

from .models import Client


def subject(house: House, client: Client, citizen_id: UUID) -> str:
    """A citizen's `sub` for a client: the same for all clients of one sector, for ever."""
    return _name(house, "pairwise", client.sector, citizen_id)


def sid(house: House, client: Client, session_id: UUID) -> str:
    """A session's `sid` for a client (OpenID Connect Back-Channel Logout section 2.1)."""
    return _name(house, "pairwise-session", client.client_id, session_id)


def _name(house: House, purpose: str, place: str, about: UUID) -> str:
    key = house.keys.derive(purpose)
    digest = hmac.new(key, f"{place}\0{about}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
