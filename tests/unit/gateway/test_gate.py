"""The gate of one shop, with a shop made of functions: who gets in, who waits, who is let down."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests import workshop
from tests.patience import STALL_S

from civicmall.gateway import ShopUnavailable, TooManyCalls
from civicmall.gateway.breaker import FAULTS_MAX, OPEN_S
from civicmall.gateway.facts import Facts
from civicmall.gateway.gate import Gate
from civicmall.gateway.host import InProcess
from civicmall.kernel.clock import Clock
from shopkit import BillsQuery, Manifest, NotFound, Refused, Unavailable
from shopkit.answers import WrongAnswer
from shopkit.call import Citizen
from shopkit.routing import Answering
from shopkit.running import ShopLeft

ASKED = BillsQuery()
Serve = Callable[[Any, Any], Awaitable[Any]]


class Hands(Clock):
    """A clock whose hands a test turns."""

    at = 1000.0

    def monotonic(self) -> float:
        return self.at


@asynccontextmanager
async def gate(serve: Serve, **limits: int) -> AsyncGenerator[tuple[Gate, Hands]]:
    """The gate before a shop that has one operation."""
    often = {"per_second": 10_000, "per_citizen_per_minute": 6_000, **limits}
    said = workshop.manifest("made", [workshop.app("stall", "bills")], limits=often)
    manifest = msgspec.convert(said, Manifest)
    answering = Answering()
    answering.handlers["stall", "bills.list"] = serve
    shop: Any = SimpleNamespace(
        manifest=manifest, answer=answering.answer, migrations=None, seeder=None
    )
    hands = Hands()
    found = Gate("made", manifest.limits, InProcess(shop, "postgresql://", ""), hands)
    await found.start(b"", None)
    try:
        yield found, hands
    finally:
        await found.stop()


async def _knock(found: Gate, caller: object = None) -> Any:
    now = datetime.now(UTC)
    facts = Facts("stall", Citizen("c", 1), "en", now, "", found.timeout_s, b"")
    return await found.call("bills.list", facts, ASKED, caller)


async def _fine(_: Any, __: Any) -> Any:
    return []


async def test_so_many_are_inside_and_so_many_wait() -> None:
    inside, most, go = 0, 0, asyncio.Event()

    async def serve(_: Any, __: Any) -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        while not go.is_set():
            await asyncio.sleep(0.005)
        inside -= 1
        return []

    async with gate(serve, concurrency=2, queue=3) as (found, _):
        waiting = [asyncio.create_task(_knock(found)) for _ in range(5)]
        await asyncio.sleep(0.05)
        assert found.running == 5
        with pytest.raises(ShopUnavailable):
            await _knock(found)
        assert not any(task.done() for task in waiting), "who finds no place is told so at once"
        go.set()
        assert await asyncio.gather(*waiting) == [[]] * 5
        assert (most, found.running) == (2, 0)


async def test_who_goes_away_frees_the_place() -> None:
    entered = 0

    async def serve(_: Any, __: Any) -> Any:
        nonlocal entered
        entered += 1
        await asyncio.sleep(0 if entered > 2 else 60)
        return []

    async with gate(serve, concurrency=1, queue=1) as (found, _):
        waiting = [asyncio.create_task(_knock(found)) for _ in range(2)]
        await asyncio.sleep(0.05)
        for task in waiting:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.02)
        assert found.running == 0
        assert await _knock(found) == []
        assert found.breaker_state() == "closed", "going away says nothing about the shop"


async def test_waiting_counts_as_time() -> None:
    async def serve(_: Any, __: Any) -> Any:
        await asyncio.sleep(60)

    async with gate(serve, concurrency=1, queue=9, timeout_ms=150) as (found, _):
        began = time.perf_counter()
        ends = await asyncio.gather(*(_knock(found) for _ in range(4)), return_exceptions=True)
        assert all(isinstance(end, TimeoutError) for end in ends)
        assert time.perf_counter() - began < 0.15 + STALL_S


@pytest.mark.parametrize("refusal", [NotFound("no"), Refused("closed")])
async def test_a_refusal_is_an_answer(refusal: Exception) -> None:
    async def serve(_: Any, __: Any) -> Any:
        raise refusal

    async with gate(serve) as (found, _):
        for _ in range(FAULTS_MAX * 2):
            with pytest.raises(type(refusal)):
                await _knock(found)
        assert found.breaker_state() == "closed"


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (ValueError("x"), ValueError), (Unavailable("x"), Unavailable), (TimeoutError(), TimeoutError),
        (RecursionError(), RecursionError), (MemoryError(), MemoryError),
        (StopIteration(), RuntimeError), (SystemExit(1), ShopLeft), (KeyboardInterrupt(), ShopLeft),
        (GeneratorExit(), ShopLeft), (BaseException("x"), ShopLeft),
        (asyncio.CancelledError(), ShopLeft),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)  # fmt: skip
async def test_whatever_a_shop_raises_is_its_fault_and_an_exception(
    fault: BaseException, seen: type[Exception]
) -> None:
    broken = True

    async def serve(_: Any, __: Any) -> Any:
        if broken:
            raise fault
        return []

    async with gate(serve, timeout_ms=1000) as (found, hands):
        for _ in range(FAULTS_MAX):
            with pytest.raises(seen):
                await _knock(found)
        assert found.breaker_state() == "open"
        with pytest.raises(ShopUnavailable):
            await _knock(found)
        broken = False
        hands.at += OPEN_S
        assert found.breaker_state() == "half-open"
        assert await _knock(found) == []
        assert found.breaker_state() == "closed"


async def test_a_shop_can_not_leave_its_thread() -> None:
    how = ""

    async def exits() -> None:
        raise SystemExit

    async def serve(_: Any, __: Any) -> Any:
        loop = asyncio.get_running_loop()
        if how == "task":
            task = loop.create_task(exits())
            await asyncio.sleep(0.01)
            del task
        elif how == "stop":
            loop.stop()
        elif how == "callback":
            loop.call_soon(exit, 1)
        await asyncio.sleep(0.02)
        return []

    async with gate(serve, timeout_ms=1000) as (found, _):
        for wanted in ("task", "stop", "callback", ""):
            how = wanted
            assert await _knock(found) == []


async def test_a_blocked_thread_costs_its_callers_their_deadline_and_no_more() -> None:
    entered: list[int] = []
    blocked = threading.Event()

    async def serve(_: Any, __: Any) -> Any:
        entered.append(1)
        if len(entered) == 1:
            blocked.wait(5)
        return []

    async with gate(serve, timeout_ms=100) as (found, _), gate(_fine) as (neighbour, _):
        began = time.perf_counter()
        ends = asyncio.gather(*(_knock(found) for _ in range(3)), return_exceptions=True)
        slowest = 0.0
        while not ends.done():
            asked = time.perf_counter()
            assert await _knock(neighbour) == []
            slowest = max(slowest, time.perf_counter() - asked)
        assert all(isinstance(end, TimeoutError) for end in await ends)
        assert time.perf_counter() - began < 0.1 + STALL_S
        assert slowest < 0.05, "the shop next door has a thread of its own"
        blocked.set()
        await asyncio.sleep(0.05)
        assert len(entered) == 1, "nobody waits for the others any more"
        assert await _knock(found) == []


async def test_a_wrong_answer_is_a_fault() -> None:
    answer: Any = None

    async def serve(_: Any, __: Any) -> Any:
        return answer

    async with gate(serve) as (found, _):
        wrong: list[Any] = [None, "bills", [1], {}, list(range(200_000))]
        for each in wrong:
            answer = each
            with pytest.raises(WrongAnswer):
                await _knock(found)
        assert found.breaker_state() == "open"


async def test_a_shop_that_could_not_start_is_shut() -> None:
    async def seeder(*_: Any) -> None:
        raise SystemExit("no")

    said = workshop.manifest("made", [workshop.app("stall", "bills")])
    manifest = msgspec.convert(said, Manifest)
    shop: Any = SimpleNamespace(manifest=manifest, migrations="here", seeder=seeder)
    host = InProcess(shop, "postgresql://nobody@127.0.0.1:1/none", "")
    found = Gate("made", manifest.limits, host, Clock())
    await found.start(b"", None)
    try:
        assert found.fault
        with pytest.raises(ShopUnavailable):
            await _knock(found)
    finally:
        await found.stop()


async def test_one_citizen_leaves_room_for_the_others() -> None:
    async def serve(_: Any, __: Any) -> Any:
        await asyncio.sleep(0.2)
        return []

    async with gate(serve, concurrency=20, queue=20, timeout_ms=2000) as (found, _):
        greedy = [asyncio.create_task(_knock(found, "greedy")) for _ in range(10)]
        await asyncio.sleep(0.01)
        with pytest.raises(TooManyCalls):
            await _knock(found, "greedy")
        others = await asyncio.gather(*(_knock(found, n) for n in range(30)))
        assert others == [[]] * 30
        assert await asyncio.gather(*greedy) == [[]] * 10
        assert await _knock(found, "greedy") == []
        assert found.breaker_state() == "closed", "that was no fault of the shop's"


async def test_who_only_waited_says_nothing_of_the_shop() -> None:
    go = asyncio.Event()

    async def serve(_: Any, __: Any) -> Any:
        while not go.is_set():
            await asyncio.sleep(0.005)
        return []

    async with gate(serve, concurrency=1, queue=FAULTS_MAX * 2, timeout_ms=200) as (found, _):
        inside = asyncio.create_task(_knock(found))
        await asyncio.sleep(0.1)
        waiting = [asyncio.create_task(_knock(found)) for _ in range(FAULTS_MAX * 2)]
        await asyncio.sleep(0.05)
        go.set()
        assert await inside == []
        go.clear()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(end, TimeoutError) for end in ends)
        assert found.breaker_state() == "closed"
