"""Numbers of parts: of a payment that is split, at the channels that take a part of it.

A part's number is the id of the whole with version 8 instead of 7 (RFC 9562), so what comes back
from a channel tells without a look at the database whether it is of a part, and in which bucket.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

WHOLE: Final = 7
PART: Final = 8


def of(whole: UUID) -> UUID:
    """The number under which a part of `whole` is paid or sent back."""
    return _as(whole, PART)


def whole(part: UUID) -> UUID:
    """What a part belongs to."""
    return _as(part, WHOLE)


def is_part(number: UUID) -> bool:
    """Whether a merchant's number is of a part."""
    return number.version == PART


def _as(number: UUID, version: int) -> UUID:
    raw = bytearray(number.bytes)
    raw[6] = version << 4 | raw[6] & 0x0F
    return UUID(bytes=bytes(raw))
