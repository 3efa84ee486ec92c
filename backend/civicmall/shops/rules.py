"""Decisions of the registry: which citizens meet a canary, what a manifest is told apart by. Pure."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID

import msgspec

from shopkit import Manifest

SHARES: Final = 10_000
"""Citizens fall into so many equal shares; a percent is a hundred of them."""


def share(shop: str, citizen_id: UUID) -> int:
    """The share that a citizen falls into at a shop, 0 to 9,999: always the same one, and at
    another shop another one, so that it isn't the same people who try everything first.
    """
    digest = hashlib.blake2b(citizen_id.bytes, key=shop.encode()[:64], digest_size=8).digest()
    return int.from_bytes(digest) % SHARES


def meets_canary(shop: str, citizen_id: UUID, percent: int) -> bool:
    """Whether a citizen is in the canary's share. Whoever is stays in it as the percent rises."""
    return share(shop, citizen_id) < percent * SHARES // 100


def digest(manifest: Manifest) -> str:
    """The SHA-256 of a manifest as data, in hex: order and white space of the file don't count."""
    return hashlib.sha256(msgspec.json.encode(manifest, order="deterministic")).hexdigest()
