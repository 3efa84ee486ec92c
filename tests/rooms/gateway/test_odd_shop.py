"""Whatever a shop does, its own callers get a clear problem in time, and nobody else anything."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.city import City
from tests.patience import STALL_S
from tests.rooms.gateway.conftest import TIMEOUT_MS, Later, Names
from tests.rooms.gateway.steps import bills, someone, timed

from civicmall.gateway.breaker import FAULTS_MAX, OPEN_S
from civicmall.gateway.service import TILE_S

DEADLINE_S = TIMEOUT_MS / 1000 + STALL_S
"""The shop's own limit; it hangs for far longer."""


@pytest.mark.parametrize(
    ("mode", "status", "kind"),
    [
        ("raise", 502, "shop-failed"), ("exit", 502, "shop-failed"),
        ("interrupt", 502, "shop-failed"), ("cancel", 502, "shop-failed"),
        ("deep", 502, "shop-failed"), ("hang", 504, "shop-timeout"),
        ("stubborn", 504, "shop-timeout"), ("block", 504, "shop-timeout"),
        ("away", 503, "shop-unavailable"), ("away-oddly", 503, "shop-unavailable"),
        ("refuse", 409, "shop-refused"), ("refuse-oddly", 409, "shop-refused"),
        ("not-found", 404, "no-such-thing"), ("wrong-type", 502, "shop-bad-answer"),
        ("nothing", 502, "shop-bad-answer"), ("negative", 502, "shop-bad-answer"),
        ("float", 502, "shop-bad-answer"), ("too-many", 502, "shop-bad-answer"),
        ("id-twice", 502, "shop-bad-answer"), ("huge-list", 502, "shop-bad-answer"),
        ("huge-text", 502, "shop-bad-answer"), ("surrogate", 502, "shop-bad-answer"),
        ("nul", 502, "shop-bad-answer"),
    ],
)  # fmt: skip
async def test_each_gives_its_caller_a_named_problem_in_time(
    city: City, odd: Any, names: Names, mode: str, status: int, kind: str
) -> None:
    client, _ = await someone(city)
    await client.get(bills(names.fine))  # the connection is open, the neighbour awake
    odd.module.mode = mode
    (answer, took), neighbour = await asyncio.gather(
        timed(client.get(bills(odd.id), params={"limit": 100})),
        client.get(bills(names.fine)),
    )
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "19900009001" not in answer.text, "what a shop raises is not shown"
    assert took < DEADLINE_S
    assert neighbour.status_code == 200
    odd.module.release.set()
    odd.module.mode = "ok"
    again = await client.get(bills(odd.id))
    assert again.status_code == 200, "one fault shuts nobody out"


async def test_the_answer_says_what_is_wrong_and_what_to_do(city: City, odd: Any) -> None:
    client, _ = await someone(city)
    odd.module.mode = "refuse"
    assert (await client.get(bills(odd.id))).json()["detail"] == "closed on Mondays"
    odd.module.mode = "away"
    away = await client.get(bills(odd.id))
    assert (away.headers["retry-after"], away.json()["retry_after_s"]) == ("7", 7)
    odd.module.mode = "too-many"
    assert (await client.get(bills(odd.id))).json()["check"] == "within-limit"
    for mode, check in (("sum", "bills-sum"), ("other-bill", "bill-asked")):
        odd.module.mode = mode
        answer = await client.get(f"{bills(odd.id)}/b1")
        assert (answer.status_code, answer.json()["check"]) == (502, check)


@pytest.mark.parametrize(
    ("mode", "check"),
    [("fee", "unpublished-fee"), ("expired", "expired-quote"), ("naive", "expired-quote"),
     ("no-whom", "charge-beneficiary"), ("free", "type")],
)  # fmt: skip
async def test_no_order_is_made_of_a_faulty_quote(
    city: City, odd: Any, mode: str, check: str
) -> None:
    client, _ = await someone(city)
    odd.module.mode = mode
    ask = {"charges": [{"shop": odd.id, "app": "plain", "charge_id": "b1"}]}
    answer = await client.post("/v1/orders", json=ask, headers={"idempotency-key": uuid4().hex})
    assert (answer.status_code, answer.json()["check"]) == (502, check)
    assert (await client.get("/v1/orders")).json()["items"] == []


async def test_the_neighbour_stays_quick_while_a_shop_blocks(
    city: City, odd: Any, names: Names
) -> None:
    client, _ = await someone(city)
    odd.module.mode = "block"
    held = [asyncio.create_task(client.get(bills(odd.id))) for _ in range(8)]
    await asyncio.sleep(0.05)
    took: list[float] = []
    while not all(task.done() for task in held):
        answer, seconds = await timed(client.get(bills(names.fine)))
        assert answer.status_code == 200
        took.append(seconds)
    took.sort()
    assert len(took) > 5
    assert took[len(took) // 2] < 0.1
    assert took[-1] < DEADLINE_S, "nobody waited for the blocked one"
    assert {task.result().status_code for task in held} <= {503, 504}


async def test_who_finds_no_place_is_told_at_once(city: City, odd: Any) -> None:
    client, _ = await someone(city)
    odd.module.mode = "hang"
    answers = await asyncio.gather(*(timed(client.get(bills(odd.id))) for _ in range(20)))
    turned_away = [took for answer, took in answers if answer.status_code == 503]
    assert len(turned_away) == 12, "four are inside and four wait"
    assert {answer.status_code for answer, _ in answers} == {503, 504}
    assert max(took for _, took in answers) < DEADLINE_S


async def _breaker(city: City, shop: str) -> str:
    operator = await city.operator()
    items = (await operator.get("/v1/desk/shops/health")).json()["items"]
    return str(next(item["breaker"] for item in items if item["shop"] == shop))


async def test_the_breaker_opens_and_lets_one_try(city: City, odd: Any, later: Later) -> None:
    client, _ = await someone(city)
    odd.module.mode = "hang"
    for _ in range(FAULTS_MAX):
        assert await _breaker(city, odd.id) == "closed"
        assert (await client.get(bills(odd.id))).status_code == 504
    assert await _breaker(city, odd.id) == "open"
    asked = len(odd.module.seen)
    answer = await client.get(bills(odd.id))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert len(odd.module.seen) == asked, "the shop is left alone"

    later.forward_s += OPEN_S
    assert await _breaker(city, odd.id) == "half-open"
    answers = await asyncio.gather(*(client.get(bills(odd.id)) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [503, 503, 503, 503, 504]
    assert await _breaker(city, odd.id) == "open"

    later.forward_s += 2 * OPEN_S
    odd.module.mode = "ok"
    assert (await client.get(bills(odd.id))).status_code == 200
    assert await _breaker(city, odd.id) == "closed"


async def test_no_caller_can_make_a_shop_stumble(city: City, odd: Any) -> None:
    client, _ = await someone(city)
    for bill in ("%00", "a%00b", "%E8%B4%A6", "x" * 200, "a%20b", "..", "-1"):
        for _ in range(FAULTS_MAX):
            answer = await client.get(f"{bills(odd.id)}/{bill}")
            assert answer.status_code == 404
    assert odd.module.seen == []
    assert odd.gate.breaker_state() == "closed"


async def test_a_stale_answer_is_marked_so(city: City, odd: Any) -> None:
    client, _ = await someone(city)
    fresh = (await client.get(bills(odd.id))).json()
    assert (fresh["stale"], [bill["id"] for bill in fresh["items"]]) == (False, ["b1"])
    for mode in ("raise", "hang", "away", "id-twice"):
        odd.module.mode = mode
        answer = await client.get(bills(odd.id))
        assert answer.status_code == 200
        assert answer.json() == {**fresh, "stale": True}
    stranger, _ = await someone(city)
    nothing_kept = await stranger.get(bills(odd.id))
    assert nothing_kept.json()["type"] == "/problems/shop-bad-answer"


async def test_the_home_waits_for_no_tile(city: City, odd: Any, names: Names) -> None:
    client, _ = await someone(city)
    odd.gate.timeout_s = TILE_S + 2 * STALL_S
    try:
        odd.module.mode = "hang"
        for _ in range(2):
            home, took = await timed(client.get("/v1/home"))
            assert took < TILE_S + STALL_S
            tiles = home.json()["tiles"]
            assert tiles[f"{odd.id}/plain"] == "unavailable"
            assert tiles[f"{names.fine}/plain"] == "ok"
            assert tiles[f"{names.fine}/guarded"] == "level_too_low"
            assert tiles[f"{names.gone}/plain"] == "unavailable"
    finally:
        odd.gate.timeout_s = TIMEOUT_MS / 1000


async def test_a_tile_that_always_hangs_opens_the_breaker(city: City, odd: Any) -> None:
    """Though no home ever waits for the shop's whole deadline."""
    async with asyncio.timeout(TILE_S + 3 * STALL_S):
        await odd.gate.idle()  # the last test's homes left calls inside
    client, _ = await someone(city)
    assert (await client.get("/v1/home")).json()["tiles"][f"{odd.id}/plain"] == "ok"
    odd.gate.timeout_s = TILE_S + 0.3
    try:
        odd.module.mode = "hang"
        for at_once in (3, FAULTS_MAX - 3):  # who only waits for a place says nothing of the shop
            homes = await asyncio.gather(*(client.get("/v1/home") for _ in range(at_once)))
            assert {home.json()["tiles"][f"{odd.id}/plain"] for home in homes} == {"stale"}
            async with asyncio.timeout(2):
                await odd.gate.idle()
        async with asyncio.timeout(2):
            while odd.gate.breaker_state() != "open":
                await asyncio.sleep(0.02)
        home, took = await timed(client.get("/v1/home"))
        assert took < STALL_S
        assert home.json()["tiles"][f"{odd.id}/plain"] == "stale"
    finally:
        odd.gate.timeout_s = TIMEOUT_MS / 1000


async def test_who_hangs_up_leaves_nothing_behind(city: City, odd: Any) -> None:
    client, _ = await someone(city)
    odd.module.mode = "hang"
    impatient = await city.client(client.headers["authorization"].removeprefix("Bearer "))
    for _ in range(FAULTS_MAX + 1):
        with pytest.raises(httpx.ReadTimeout):
            await impatient.get(bills(odd.id), timeout=0.05)
    async with asyncio.timeout(2):
        while odd.gate.running:
            await asyncio.sleep(0.01)
