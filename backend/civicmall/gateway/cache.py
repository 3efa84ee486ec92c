"""Last answers of reads: fresh for as long as the app says, stale while its shop is down."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

ENTRIES_MAX: Final = 20_000
"""Of one shop."""
ANSWER_MAX: Final = 256 * 1024
"""Bytes (as JSON) of one answer: a hundred matters with all their steps have some 200 kB."""
SHOP_MAX: Final = 16 * 1024 * 1024
"""Bytes of one shop's answers, so that none pushes out another's, or fills the memory: enough for
five thousand citizens' bills."""
STALE_S: Final = 86_400.0
"""A day: what was owed yesterday is still worth showing, marked so; older is misleading."""


Key: TypeAlias = tuple[UUID, str, str, str, bytes]
"""Citizen, shop, app, operation, question."""


class Kept(Struct, frozen=True):
    """An answer, when it was given (for people) and on the monotonic clock (for ages). `stale`
    where its shop is down and this is its last one.
    """

    answer: Any
    as_of: datetime
    at: float
    stale: bool = False


class Shelf:
    """One shop's answers, the newest last, and how many bytes they are."""

    __slots__ = ("bytes", "kept")

    def __init__(self) -> None:
        self.kept: OrderedDict[Key, tuple[Kept, int]] = OrderedDict()
        self.bytes = 0

    def drop(self, key: Key) -> None:
        """Without one of them."""
        if (found := self.kept.pop(key, None)) is not None:
            self.bytes -= found[1]

    def full(self) -> bool:
        """Whether the oldest has to go."""
        return len(self.kept) > ENTRIES_MAX or self.bytes > SHOP_MAX


class Cache:
    """The newest answers, by citizen, shop, app and question."""

    def __init__(self) -> None:
        self._shelves: dict[str, Shelf] = {}
        self._by_app: dict[tuple[UUID, str, str], set[Key]] = {}

    @staticmethod
    def key(citizen: UUID, shop: str, app: str, operation: str, asked: Any) -> Key:
        """What an answer is kept under."""
        return (citizen, shop, app, operation, msgspec.json.encode(asked))

    def get(self, key: Key, now: float, age_s: float) -> Kept | None:
        """The answer, unless it is older than `age_s`."""
        shelf = self._shelves.get(key[1])
        found = shelf.kept.get(key) if shelf is not None else None
        return found[0] if found is not None and now - found[0].at < age_s else None

    def put(self, key: Key, kept: Kept) -> None:
        """Keep an answer, unless it is too large; the shop's oldest go when there are too many."""
        shelf = self._shelves.setdefault(key[1], Shelf())
        size = len(msgspec.json.encode(kept.answer))
        shelf.drop(key)
        if size > ANSWER_MAX:  # what was kept before is no longer true
            self._drop_from_index(key)
            return
        shelf.kept[key] = (kept, size)
        shelf.bytes += size
        self._by_app.setdefault(key[:3], set()).add(key)
        while shelf.full():
            oldest = next(iter(shelf.kept))
            shelf.drop(oldest)
            self._drop_from_index(oldest)

    def forget(self, citizen: UUID, shop: str, app: str) -> None:
        """Drop a citizen's answers of one app: they are no longer true."""
        shelf = self._shelves.get(shop)
        for key in self._by_app.pop((citizen, shop, app), set()):
            if shelf is not None:
                shelf.drop(key)

    def _drop_from_index(self, key: Key) -> None:
        keys = self._by_app.get(key[:3], set())
        keys.discard(key)
        if not keys:
            self._by_app.pop(key[:3], None)
