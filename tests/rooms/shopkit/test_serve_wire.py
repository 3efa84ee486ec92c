"""What a served shop does with addresses, bodies, raw calls, events, and what is no question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.sound import fresh
from tests.rooms.shopkit.serving import (
    ADDRESS,
    SECRET,
    asked,
    breaks,
    sums,
)

from shopkit import contract
from shopkit.kit import Remote, bench_of, letters
from shopkit.sandbox import people
from shopkit.serve import ShopService, sandbox_trust


async def test_discovery_has_a_head_and_takes_no_post() -> None:
    async with asked(fresh()) as remote:
        at = f"{ADDRESS}/.well-known/civicmall-shop"
        client = remote.client
        head, got, post = await client.head(at), await client.get(at), await client.post(at)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))
    assert got.json()["contracts"] == [1, 2]
    assert (post.status_code, post.headers["allow"]) == (405, "GET, HEAD")


async def test_it_can_live_below_a_path() -> None:
    """The path is signed as the platform sends it; proxies before the shop leave it alone."""
    async with asked(fresh(), base="/departments/sound") as remote:
        reply = await sums(remote)
        client = remote.client
        found = await client.get(f"{ADDRESS}/departments/sound/.well-known/civicmall-shop")
    assert remote.path("sums", "calculate.run") == "/departments/sound/v2/apps/sums/calculate.run"
    assert (reply.status_code, found.status_code) == (200, 200)


@pytest.mark.parametrize(
    "path",
    ["/", "/v2", "/v2/apps", "/v2/apps/sums", "/v2/other/sums/calculate.run", "/v3/apps/sums/calculate.run",
     "/v2/apps/sums/calculate.run/more", "/v1/apps/files/raw/lists/a"],
)  # fmt: skip
async def test_other_addresses_are_not_found(path: str) -> None:
    async with asked(fresh()) as remote:
        reply = await remote.client.post(ADDRESS + path)
    assert (reply.status_code, reply.json()["type"]) == (404, "not-found")


async def test_before_it_is_open_it_says_so() -> None:
    service = ShopService(fresh(), trust=sandbox_trust(), secret=SECRET)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service)) as client:
        reply = await sums(Remote(ADDRESS, fresh().manifest, client))
    assert (reply.status_code, reply.json()["type"]) == (503, "unavailable")


async def test_whoever_leaves_before_the_end_is_not_answered() -> None:
    service = ShopService(fresh(), trust=sandbox_trust(), secret=SECRET)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": "/v2/apps/sums/calculate.run", "headers": [],
        "query_string": b"",
    }  # fmt: skip
    await service(scope, receive, send)
    assert sent == []


async def test_a_fault_of_its_own_is_a_problem_without_a_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with asked(fresh()) as remote:
        monkeypatch.setattr("shopkit.serve.app.question", breaks)
        reply = await sums(remote)
    assert (reply.status_code, reply.json()) == (
        500, {"type": "failed", "title": "The shop has a fault.", "status": 500},
    )  # fmt: skip


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    async with asked(fresh()) as remote:
        reply = await remote.client.post(
            f"{ADDRESS}/v2/apps/sums/calculate.run", content=b"x" * (1024 * 1024 + 1)
        )
    assert (reply.status_code, reply.headers["connection"]) == (413, "close")


async def test_a_body_without_a_length_is_counted() -> None:
    async def endless() -> AsyncGenerator[bytes]:
        for _ in range(20):
            yield b"x" * 65_536

    async with asked(fresh()) as remote:
        reply = await remote.client.post(f"{ADDRESS}/v2/apps/sums/calculate.run", content=endless())
    assert reply.status_code == 413


@pytest.mark.parametrize(
    ("query", "media", "body"), [("", "text/plain", b""), ("a=1&b=%20", "text/csv", b"x" * 100)]
)
async def test_a_raw_call_arrives_as_it_was_sent(query: str, media: str, body: bytes) -> None:
    seen: list[Any] = []

    async def notes(call: Any, asked: Any) -> Any:
        seen.append(asked)
        return contract.RawAnswer(asked.body, asked.media, 201)

    shop = fresh()
    shop.answering.raw["files", "POST", "/notes"] = notes
    async with asked(shop) as remote:
        bench = bench_of(remote, remote.manifest.apps[6])
        ask = contract.RawAsk("POST", "/notes", {}, query, media, body)
        answer = await bench.ask("raw", ask, bench.people[0])
    assert seen == [ask]
    assert answer == contract.RawAnswer(body, media, 201)


async def test_a_segment_of_a_raw_path_is_decoded_for_the_shop() -> None:
    seen: list[Any] = []

    async def lists(call: Any, asked: Any) -> Any:
        seen.append((asked.path, asked.params))
        return contract.RawAnswer(b"")

    shop = fresh()
    shop.answering.raw["files", "GET", "/lists/{name}"] = lists
    async with asked(shop) as remote:
        bench = bench_of(remote, remote.manifest.apps[6])
        ask = contract.RawAsk("GET", "/lists/%E4%B8%83%2F%E5%85%AB", {}, "", "", b"")
        await bench.ask("raw", ask, bench.people[0])
    assert seen == [("/lists/%E4%B8%83%2F%E5%85%AB", {"name": "七/八"})]


@pytest.mark.parametrize(
    "answer", ["no RawAnswer", contract.RawAnswer(b"x" * (1024 * 1024 + 1))], ids=["type", "size"]
)
async def test_a_raw_answer_that_is_none_is_a_fault(answer: object) -> None:
    async def lists(call: Any, asked: Any) -> Any:
        return answer

    shop = fresh()
    shop.answering.raw["files", "GET", "/lists/{name}"] = lists
    async with asked(shop) as remote:
        who = bench_of(remote, remote.manifest.apps[6]).citizen(people(remote.now.date())[0])
        path = remote.path("files", "raw/lists/a")
        letter = letters.signed(path, None, remote.vouched("files", who), method="GET")
        reply = await remote.send(letter)
    assert (reply.status_code, reply.json()["type"]) == (500, "failed")


async def test_an_app_of_contract_1_answers_below_v1_alone() -> None:
    shop = fresh()
    first = shop.manifest.apps[0]
    shop.manifest = msgspec.structs.replace(shop.manifest, contract=1, apps=[first], webhooks=None)
    async with asked(shop) as remote:
        bench = bench_of(remote, first)
        me = bench.people[0]
        found = await bench.ask("progress.list", contract.ProgressQuery(), me)
        assert await bench.ask("progress.get", found[0].id, me) == found[0]
        letter = remote.letter("matters", "progress.list", {}, bench.citizen(me))
        assert letter.path.startswith("/v1/")
        newer = remote.path("matters", "progress.list", 2)
        reply = await remote.send(letters.signed(newer, b"{}", remote.vouched("matters", bench.citizen(me))))  # fmt: skip
        doc = (await remote.client.get(f"{ADDRESS}/.well-known/civicmall-shop")).json()
    assert (reply.status_code, reply.json()["type"]) == (404, "not-found")
    assert doc["contracts"] == [1]


async def test_an_event_needs_a_secret_here() -> None:
    service = ShopService(fresh(), trust=sandbox_trust(), secret=SECRET)
    async with AsyncExitStack() as stack:
        await service.open(stack)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(service))
        remote = Remote(ADDRESS, fresh().manifest, await stack.enter_async_context(client))
        event = contract.Event("evt-1", "rating.given", "sums", remote.now)
        reply = await remote.send(remote.webhook(event))
    assert (reply.status_code, reply.json()["type"]) == (503, "unavailable")


@settings(max_examples=150, deadline=None)
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
            max_leaves=12,
        ).map(msgspec.json.encode),
        st.dictionaries(
            st.sampled_from(["id", "limit", "values", "paid", "case_id", "form", "slot", "request_id"]),
            st.none() | st.integers() | st.text(max_size=20) | st.lists(st.integers(), max_size=2),
        ).map(msgspec.json.encode),
    ),
    number=st.integers(0, 5),
)  # fmt: skip
def test_no_body_is_a_fault(body: bytes, number: int) -> None:
    """Whatever the platform might sign: an answer, or a refusal that names what is wrong."""

    async def check() -> None:
        async with asked(fresh()) as remote:
            bench = bench_of(remote, remote.manifest.apps[number])
            operation = bench.probe().operation
            who = bench.citizen(bench.people[0])
            path = remote.path(bench.app.id, operation)
            letter = letters.signed(path, body, remote.vouched(bench.app.id, who))
            reply = await remote.send(letter)
            if reply.status_code != 200:
                assert reply.headers["content-type"] == "application/problem+json"
                assert reply.json()["type"] in {"bad-request", "not-found", "failed"}
                # Only a form's values reach the shop's code unchecked: in-process the platform
                # has held them against the manifest's schema, and here too it has before it signs.
                assert reply.json()["type"] != "failed" or operation.endswith(".run")

    asyncio.run(check())
