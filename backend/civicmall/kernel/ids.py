"""Ids: UUIDv7 (RFC 9562) whose last byte is the owner's bucket.

Every id of a citizen, order, case or rating says where its row lives, so one request touches
one bucket, and on a distributed PostgreSQL one shard.
"""

from __future__ import annotations

import os
import time
from typing import Final
from uuid import UUID

BUCKETS: Final = 256


def new(bucket: int) -> UUID:
    """A new id in `bucket` (0 to 255): 48 bits of milliseconds, 66 random bits, the bucket."""
    if not 0 <= bucket < BUCKETS:
        raise ValueError(f"bucket {bucket} is not in 0..{BUCKETS - 1}")
    stamp = time.time_ns() // 1_000_000
    raw = bytearray(stamp.to_bytes(6) + os.urandom(9) + bytes((bucket,)))
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return UUID(bytes=bytes(raw))


def bucket_of(id: UUID) -> int:  # noqa: A002 (the field's word)
    """The bucket that an id carries."""
    return id.bytes[15]
