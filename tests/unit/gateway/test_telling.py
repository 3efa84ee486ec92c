"""News on its way to a shop: few at once, and none for a while where nobody takes any."""

from __future__ import annotations

import asyncio

import pytest

from civicmall.gateway import telling
from civicmall.gateway.breaker import FAULTS_MAX, OPEN_S
from civicmall.gateway.errors import ShopRefused, ShopTimeout, ShopUnavailable
from civicmall.gateway.telling import AT_ONCE, Telling
from civicmall.kernel.clock import Clock


class Hands(Clock):
    """A clock whose hands a test turns."""

    at = 1000.0

    def monotonic(self) -> float:
        return self.at


async def _fails(told: Telling, problem: BaseException) -> None:
    with pytest.raises(type(problem)):
        async with told.turn():
            raise problem


async def test_a_shop_that_hangs_has_only_so_much_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "TURN_S", 0.02)
    told, end = Telling("slow", Hands()), asyncio.Event()

    async def hang() -> None:
        async with told.turn():
            await end.wait()

    under_way = [asyncio.create_task(hang()) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    late = await asyncio.gather(*(hang() for _ in range(50)), return_exceptions=True)
    assert {type(one) for one in late} == {ShopUnavailable}, "told later"
    end.set()
    await asyncio.gather(*under_way)
    async with told.turn():
        pass


async def test_a_shop_that_takes_none_is_left_alone_for_a_while() -> None:
    hands = Hands()
    told = Telling("deaf", hands)
    for _ in range(FAULTS_MAX):
        await _fails(told, ShopTimeout(shop="deaf"))
    with pytest.raises(ShopUnavailable):
        async with told.turn():
            pytest.fail("it was called")
    hands.at += OPEN_S
    async with told.turn():
        pass
    async with told.turn():
        pass


async def test_a_refusal_and_a_caller_who_leaves_say_nothing_against_a_shop() -> None:
    told = Telling("strict", Hands())
    for _ in range(FAULTS_MAX):
        await _fails(told, ShopRefused("no such bill", shop="strict"))
        await _fails(told, asyncio.CancelledError())
    async with told.turn():
        pass
