"""What a shop knows a citizen by: a word of its own, so that no two shops can join their people."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from civicmall.kernel.crypto import Keys


def shop_key(keys: Keys, shop: str) -> bytes:
    """The key of one shop's pseudonyms; the same for all versions and apps of it."""
    return keys.derive(f"pairwise:{shop}")


def shop_subject(key: bytes, citizen_id: UUID) -> str:
    """32 hex digits, always the same for this citizen at this shop (OpenID Connect Core, 8.1)."""
    return hmac.new(key, citizen_id.bytes, hashlib.sha256).hexdigest()[:32]
