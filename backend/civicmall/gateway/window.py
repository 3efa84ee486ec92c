"""How a shop did over the last five minutes: calls, share of faults, percentiles. Pure.

Latencies fall into fixed bins, each 8 % wider than the one before, so a percentile costs the same
however many calls there were, and is never below the true one nor more than 8 % above it.
"""

from __future__ import annotations

import math
from array import array
from typing import Final

from msgspec import Struct

BUCKET_S: Final = 10.0
BUCKETS: Final = 30
"""Five minutes in all: long enough for a percentile, short enough to see that a shop has mended."""
FLOOR_S: Final = 50e-6
"""What is quicker counts as so quick: nobody waits for it."""
GROWTH: Final = 1.08
CEILING_S: Final = 60.0
"""Twice the longest deadline that a shop may have; what is slower counts as so slow."""
_SCALE: Final = 1 / math.log(GROWTH)
BINS: Final = math.ceil(math.log(CEILING_S / FLOOR_S) * _SCALE) + 1
_ZEROS: Final = array("L", [0]) * BINS


class Reading(Struct, frozen=True):
    """What a window shows. `error_rate` from 0 to 1; percentiles None where nobody called."""

    calls: int
    failed: int
    error_rate: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class _Bucket:
    """Ten seconds; `number` counts them from the clock's zero."""

    __slots__ = ("bins", "failed", "number")

    def __init__(self) -> None:
        self.number = -1
        self.failed = 0
        self.bins = array("L", _ZEROS)


class Window:
    """A ring of buckets. `now_s` is always monotonic seconds, the same clock's."""

    def __init__(self) -> None:
        self._ring = [_Bucket() for _ in range(BUCKETS)]

    def note(self, now_s: float, seconds: float, *, failed: bool) -> None:
        """One call that took `seconds`. One that began before the window is left out."""
        number = int(now_s // BUCKET_S)
        bucket = self._ring[number % BUCKETS]
        if bucket.number != number:
            if bucket.number > number:
                return
            bucket.number, bucket.failed, bucket.bins = number, 0, array("L", _ZEROS)
        bucket.bins[_bin(seconds)] += 1
        if failed:
            bucket.failed += 1

    def read(self, now_s: float) -> Reading:
        """The last five minutes as of now."""
        held = self._held(now_s)
        counts = _sum(held)
        calls = sum(counts)
        failed = sum(bucket.failed for bucket in held)
        shares = [_at(counts, calls, share) for share in (0.50, 0.95, 0.99)]
        p50, p95, p99 = (None if s is None else round(s * 1000, 3) for s in shares)
        return Reading(calls, failed, failed / calls if calls else 0.0, p50, p95, p99)

    def percentile(self, now_s: float, share: float) -> float | None:
        """Seconds within which that share (above 0, up to 1) of the calls was answered."""
        counts = _sum(self._held(now_s))
        return _at(counts, sum(counts), share)

    def _held(self, now_s: float) -> list[_Bucket]:
        """The buckets that are not too old."""
        oldest = int(now_s // BUCKET_S) - BUCKETS
        return [bucket for bucket in self._ring if bucket.number > oldest]


def _bin(seconds: float) -> int:
    if seconds <= FLOOR_S:
        return 0
    return min(math.ceil(math.log(seconds / FLOOR_S) * _SCALE), BINS - 1)


def _sum(held: list[_Bucket]) -> list[int]:
    return [sum(column) for column in zip(*(bucket.bins for bucket in held), strict=True)]


def _at(counts: list[int], calls: int, share: float) -> float | None:
    """The upper end of the bin in which the call of that rank lies."""
    rank = max(1, math.ceil(share * calls))
    seen = 0
    for i, count in enumerate(counts):
        seen += count
        if seen >= rank and calls:
            return min(FLOOR_S * GROWTH**i, CEILING_S)
    return None
