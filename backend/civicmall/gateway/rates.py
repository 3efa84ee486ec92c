"""How often: a bucket of tokens for a shop, and one for each of its citizens.

Per process; a city that runs four processes lets through four times as much, which the limits of
a manifest allow for. Pure: time comes in as an argument (monotonic seconds).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Final

from shopkit.manifest import Limits

HOLDS_S: Final = 2.0
"""A shop's bucket holds what comes in two seconds: a burst, not a flood."""
CITIZENS_MAX: Final = 50_000
"""Buckets kept at once; whoever is pushed out begins with a full one."""


class Bucket:
    """Fills at a steady rate up to what it holds; each call takes one."""

    __slots__ = ("_at", "_holds", "_level", "_rate")

    def __init__(self, rate: float, holds: float, now: float) -> None:
        self._rate = rate
        self._holds = self._level = holds
        self._at = now

    def take(self, now: float) -> float:
        """0 where there was one to take, else in how many seconds there will be."""
        level = min(self._holds, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        if level >= 1.0:
            self._level = level - 1.0
            return 0.0
        self._level = level
        return (1.0 - level) / self._rate


class Rates:
    """A shop's limits."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._per_minute = limits.per_citizen_per_minute
        self._all = Bucket(limits.per_second, limits.per_second * HOLDS_S, now)
        self._citizens: OrderedDict[object, Bucket] = OrderedDict()

    def citizen_waits_s(self, citizen: object, now: float) -> int:
        """Whole seconds until this citizen may call again; 0 for now."""
        bucket = self._citizens.get(citizen)
        if bucket is None:
            bucket = Bucket(self._per_minute / 60, self._per_minute, now)
            self._citizens[citizen] = bucket
            if len(self._citizens) > CITIZENS_MAX:
                self._citizens.popitem(last=False)
        else:
            self._citizens.move_to_end(citizen)
        return math.ceil(bucket.take(now))

    def all_wait_s(self, now: float) -> int:
        """The same for the shop as a whole."""
        return math.ceil(self._all.take(now))
