"""Last answers: by whom and what was asked, for as long as allowed, and not without bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from civicmall.gateway import cache as module
from civicmall.gateway.cache import STALE_S, Cache, Kept
from shopkit import BillsQuery

NOW = datetime(2026, 10, 1, tzinfo=UTC)


def _key(citizen: UUID, app: str = "water", asked: Any = None) -> tuple[Any, ...]:
    return Cache.key(citizen, "utility_bills", app, "bills.list", asked or BillsQuery())


def _held(cache: Any) -> int:
    return sum(len(shelf.kept) for shelf in cache._shelves.values())


def test_an_answer_is_fresh_then_stale_then_gone() -> None:
    cache, key = Cache(), _key(uuid4())
    cache.put(key, Kept(["bill"], NOW, 100.0))
    assert cache.get(key, 129.9, 30) is not None
    assert cache.get(key, 130.0, 30) is None
    assert cache.get(key, 100.0 + STALE_S - 1, STALE_S) is not None
    assert cache.get(key, 100.0 + STALE_S, STALE_S) is None


def test_nothing_is_fresh_where_the_app_does_not_say_so() -> None:
    cache, key = Cache(), _key(uuid4())
    cache.put(key, Kept([], NOW, 100.0))
    assert cache.get(key, 100.0, 0) is None


def test_answers_are_told_apart_by_citizen_app_and_question() -> None:
    cache, one, two = Cache(), uuid4(), uuid4()
    cache.put(_key(one), Kept("mine", NOW, 0))
    others = [_key(two), _key(one, "gas"), _key(one, asked=BillsQuery(paid=True))]
    assert all(cache.get(key, 0, 9) is None for key in others)


def test_forgetting_takes_one_apps_answers_of_one_citizen() -> None:
    cache, one, two = Cache(), uuid4(), uuid4()
    gone = [_key(one), _key(one, asked=BillsQuery(paid=True)), _key(one, asked=BillsQuery(limit=1))]
    kept = [_key(one, "gas"), _key(two)]
    for key in (*gone, *kept):
        cache.put(key, Kept(1, NOW, 0))
    cache.forget(one, "utility_bills", "water")
    cache.forget(uuid4(), "utility_bills", "water")
    assert all(cache.get(key, 0, 9) is None for key in gone)
    assert all(cache.get(key, 0, 9) for key in kept)


def test_there_are_never_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRIES_MAX", 10)
    cache: Any = Cache()
    citizens = [uuid4() for _ in range(25)]
    for n, citizen in enumerate(citizens):
        cache.put(_key(citizen), Kept(n, NOW, 0))
        cache.put(_key(citizens[0]), Kept("newest", NOW, 0))  # asked again and again
    assert _held(cache) == 10
    assert len(cache._by_app) == 10, "the index shrinks with it"
    assert cache.get(_key(citizens[0]), 0, 9)
    assert cache.get(_key(citizens[-1]), 0, 9)
    assert cache.get(_key(citizens[1]), 0, 9) is None
    for citizen in citizens:
        cache.forget(citizen, "utility_bills", "water")
    assert (_held(cache), len(cache._by_app)) == (0, 0)


def test_what_goes_for_want_of_room_takes_nothing_else_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ENTRIES_MAX", 2)
    cache, citizen = Cache(), uuid4()
    first, second = _key(citizen), _key(citizen, asked=BillsQuery(paid=True))
    for key in (first, second, _key(uuid4())):
        cache.put(key, Kept(1, NOW, 0))
    assert cache.get(first, 0, 9) is None
    assert cache.get(second, 0, 9)
    cache.forget(citizen, "utility_bills", "water")
    assert cache.get(second, 0, 9) is None


def test_large_answers_of_one_shop_neither_fill_the_memory_nor_push_out_anothers() -> None:
    cache: Any = Cache()
    honest = _key(uuid4())
    cache.put(honest, Kept(["bill"], NOW, 0))
    greedy = [Cache.key(uuid4(), "greedy", "all", "bills.list", BillsQuery()) for _ in range(200)]
    for key in greedy:
        cache.put(key, Kept(["x" * (module.ANSWER_MAX - 4)], NOW, 0))
    kept = [key for key in greedy if cache.get(key, 0, 9)]
    assert kept == greedy[-module.SHOP_MAX // module.ANSWER_MAX :]
    assert _held(cache) == len(cache._by_app) == len(kept) + 1
    assert cache.get(honest, 0, 9)


def test_an_answer_too_large_to_keep_is_not_kept_and_ends_the_one_before() -> None:
    cache: Any = Cache()
    key = _key(uuid4())
    cache.put(key, Kept(["bill"], NOW, 0))
    cache.put(key, Kept(["x" * module.ANSWER_MAX], NOW, 0))
    assert cache.get(key, 0, 9) is None
    assert (_held(cache), len(cache._by_app)) == (0, 0)
    cache.put(key, Kept(["bill"], NOW, 0))
    assert cache.get(key, 0, 9)
