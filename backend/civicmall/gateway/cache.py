"""Last answers of reads: fresh for as long as the app says, stale while its shop is down."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

ENTRIES_MAX: Final = 20_000
STALE_S: Final = 86_400.0
"""A day: what was owed yesterday is still worth showing, marked so; older is misleading."""


class Kept(Struct, frozen=True):
    """An answer, when it was given (for people) and on the monotonic clock (for ages)."""

    answer: Any
    as_of: datetime
    at: float
    stale: bool = False


class Cache:
    """The newest answers, by citizen, shop, app and question."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], Kept] = OrderedDict()
        self._by_app: dict[tuple[UUID, str, str], set[tuple[Any, ...]]] = {}

    @staticmethod
    def key(citizen: UUID, shop: str, app: str, operation: str, asked: Any) -> tuple[Any, ...]:
        """What an answer is kept under."""
        return (citizen, shop, app, operation, msgspec.json.encode(asked))

    def get(self, key: tuple[Any, ...], now: float, age_s: float) -> Kept | None:
        """The answer, unless it is older than `age_s`."""
        kept = self._kept.get(key)
        return kept if kept is not None and now - kept.at < age_s else None

    def put(self, key: tuple[Any, ...], kept: Kept) -> None:
        """Keep an answer; the oldest goes when there are too many."""
        self._kept[key] = kept
        self._kept.move_to_end(key)
        self._by_app.setdefault(key[:3], set()).add(key)
        if len(self._kept) > ENTRIES_MAX:
            oldest, _ = self._kept.popitem(last=False)
            self._drop_from_index(oldest)

    def forget(self, citizen: UUID, shop: str, app: str) -> None:
        """Drop a citizen's answers of one app: they are no longer true."""
        for key in self._by_app.pop((citizen, shop, app), set()):
            self._kept.pop(key, None)

    def _drop_from_index(self, key: tuple[Any, ...]) -> None:
        keys = self._by_app.get(key[:3], set())
        keys.discard(key)
        if not keys:
            self._by_app.pop(key[:3], None)
