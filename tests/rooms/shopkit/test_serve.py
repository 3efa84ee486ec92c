"""A shop served over HTTP says what it says in-process; whatever else comes is a named problem."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.serving import served
from tests.contract.sound import fresh

from shopkit import BadForm, NotFound, Refused, Shop, ShopError, Unavailable, contract
from shopkit.call import NoTables
from shopkit.kit import Remote, bench_of, letters
from shopkit.kit.letters import WEBHOOK_SECRET
from shopkit.sandbox import people
from shopkit.serve import ShopService, sandbox_trust
from shopkit.testing import TestShop
from shopkit.texts import both

ADDRESS: Final = "http://shop.invalid"
SECRET: Final = b"sound" * 8
TOLD: Final = "0123456789abcdef0123456789abcdef"
Answer = Callable[[Any, Any], Awaitable[Any]]


@asynccontextmanager
async def asked(shop: Shop, **more: Any) -> AsyncGenerator[Remote]:
    """The shop served, without a socket between."""
    service = ShopService(
        shop, trust=sandbox_trust(), secret=SECRET, webhook_secret=WEBHOOK_SECRET, **more
    )
    async with AsyncExitStack() as stack:
        await service.open(stack)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(service))
        await stack.enter_async_context(client)
        yield Remote(ADDRESS + more.get("base", ""), shop.manifest, client)


def answering(answer: Answer, operation: str = "calculate.run", app: str = "sums") -> Shop:
    """The sound shop with one function of its own."""
    shop = fresh()
    shop.answering.handlers[app, operation] = answer
    return shop


def raising(error: BaseException) -> Answer:
    async def answer(call: Any, asked: Any) -> Any:
        raise error

    return answer


async def sums(remote: Remote, *extra: tuple[bytes, bytes]) -> httpx.Response:
    """What the calculator's address says to its own example."""
    bench = bench_of(remote, remote.manifest.apps[4])
    probe = bench.probe()
    who = bench.citizen(bench.people[0])
    letter = remote.letter("sums", probe.operation, probe.asked, who, extra=list(extra))
    return await remote.send(letter)


async def test_it_says_what_it_says_in_process() -> None:
    """Every reading question, to the letter; both shops are asked at the same moment of the platform."""
    shop = fresh()
    async with asked(shop) as remote:
        for app in shop.manifest.apps:
            bench = bench_of(remote, app)
            for probe in bench.probes():
                for person in bench.people[:3]:
                    now = letters.seconds()
                    inside = TestShop(
                        shop, NoTables(), now=datetime.fromtimestamp(now, UTC), secret=SECRET
                    )
                    who = bench.citizen(person)
                    want = await inside.call(app.id, probe.operation, probe.asked, citizen=who)  # pyright: ignore[reportArgumentType] (a text)
                    letter = remote.letter(app.id, probe.operation, probe.asked, who, now=now)
                    reply = await remote.send(letter)
                    assert reply.content == msgspec.json.encode(want)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NotFound("没有"), 404, "not-found"),
        (Refused("不行"), 409, "refused"),
        (BadForm(contract.Reason(both("太少", "too little"), "amount")), 422, "bad-form"),
        (Unavailable("稍后", retry_after_s=7), 503, "unavailable"),
        (Unavailable("稍后"), 503, "unavailable"),
        (ShopError("另外"), 409, "refused"),
        (KeyError("a secret of the shop"), 500, "failed"),
        (SystemExit(1), 500, "failed"),
        (KeyboardInterrupt(), 500, "failed"),
        (GeneratorExit(), 500, "failed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
async def test_what_a_shop_raises_is_a_problem(
    error: BaseException, status: int, kind: str
) -> None:
    async with asked(answering(raising(error))) as remote:
        reply = await sums(remote)
    said = reply.json()
    assert (reply.status_code, said["type"], said["status"]) == (status, kind, status)
    assert reply.headers["content-type"] == "application/problem+json"
    assert "secret" not in reply.text
    assert "Traceback" not in reply.text
    if isinstance(error, ShopError):
        assert said["detail"] == error.detail
    if isinstance(error, BadForm):
        assert said["errors"] == [
            {"message": {"zh-CN": "太少", "en": "too little"}, "field": "amount"}
        ]
    wait_s = getattr(error, "retry_after_s", None)
    assert reply.headers.get("retry-after") == (None if wait_s is None else str(wait_s))


async def test_a_shop_that_hangs_is_a_deadline() -> None:
    """The caller's deadline, never more than the manifest's; its code is cancelled."""
    cancelled = asyncio.Event()

    async def hang(call: Any, asked: Any) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with asked(answering(hang)) as remote:
        reply = await sums(remote, (b"civicmall-deadline-ms", b"50"))
    assert (reply.status_code, reply.json()["type"]) == (504, "deadline")
    assert "0.05 s" in reply.json()["detail"]
    assert cancelled.is_set()


async def test_a_shop_that_blocks_is_a_deadline_too() -> None:
    """No timer runs meanwhile; what comes late isn't sent as if it were in time."""

    async def block(call: Any, asked: Any) -> Any:
        time.sleep(0.1)  # noqa: ASYNC251 (that is the fault)
        return []

    async with asked(answering(block)) as remote:
        reply = await sums(remote, (b"civicmall-deadline-ms", b"20"))
    assert (reply.status_code, reply.json()["type"]) == (504, "deadline")


async def test_a_shop_that_blocks_leaves_the_next_caller_an_answer() -> None:
    """Over a real socket, with a server of its own."""
    blocked: list[int] = []

    async def block_once(call: Any, asked: Any) -> Any:
        if not blocked:
            blocked.append(1)
            time.sleep(0.2)  # noqa: ASYNC251 (that is the fault)
        raise NotFound("again")

    service = ShopService(answering(block_once), trust=sandbox_trust(), secret=SECRET)
    async with served(service) as url, httpx.AsyncClient(trust_env=False) as client:
        remote = Remote(url, fresh().manifest, client)
        found = await asyncio.gather(*(sums(remote) for _ in range(4)))
    assert [reply.status_code for reply in found] == [404] * 4


async def test_an_answer_against_the_contract_is_logged_and_left_to_the_platform(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def wrong(call: Any, asked: Any) -> Any:
        return [{"figures": "none"}]

    with caplog.at_level(logging.ERROR, "shopkit.serve"):
        async with asked(answering(wrong)) as remote:
            reply = await sums(remote)
    assert (reply.status_code, reply.json()) == (200, [{"figures": "none"}])
    assert "against the contract: type" in caplog.text


async def test_an_answer_that_is_no_json_is_a_fault() -> None:
    async def wrong(call: Any, asked: Any) -> Any:
        return object()

    async with asked(answering(wrong)) as remote:
        reply = await sums(remote)
    assert (reply.status_code, reply.json()["type"]) == (500, "failed")


@pytest.mark.parametrize(
    ("state", "status"), [("accepted", 200), ("pending", 202), ("refused", 422)]
)
async def test_an_application_has_three_statuses(state: Any, status: int) -> None:
    async def submit(call: Any, asked: Any) -> Any:
        by, why = call.now, [contract.Reason(both("缺", "missing"))]
        return contract.Outcome(
            state,
            reference="P-1" if state == "accepted" else None,
            callback_by=by if state == "pending" else None,
            reasons=why if state == "refused" else [],
        )

    async with asked(answering(submit, "apply.submit", "permit")) as remote:
        bench = bench_of(remote, remote.manifest.apps[2])
        who = bench.citizen(bench.people[0])
        question = contract.Submission("case-1", {"purpose": "x", "months": 1})
        reply = await remote.send(remote.letter("permit", "apply.submit", question, who))
        assert (await bench.ask("apply.submit", question, who)).state == state
    assert (reply.status_code, reply.json()["state"]) == (status, state)


@pytest.mark.parametrize(
    ("header", "lang"),
    [("en", "en"), ("zh-CN", "zh-CN"), ("en-GB;q=0.9, zh", "en"), ("fr, zh-TW", "zh-CN"), ("", "zh-CN")],
)  # fmt: skip
async def test_what_reaches_the_shop(header: str, lang: str) -> None:
    """Time from the signature, the language, the trace, the deadline, the app; nothing else."""
    calls: list[Any] = []

    async def look(call: Any, asked: Any) -> Any:
        calls.append(call)
        raise NotFound

    async with asked(answering(look)) as remote:
        await sums(
            remote,
            (b"accept-language", header.encode()),
            (b"traceparent", f"00-{TOLD}-0123456789abcdef-01".encode()),
            (b"civicmall-deadline-ms", b"1500"),
        )
    (call,) = calls
    assert (call.lang, call.trace_id, call.deadline_s, call.app) == (lang, TOLD, 1.5, "sums")
    assert abs((call.now - datetime.now(UTC)).total_seconds()) < 60
    assert call.secret == SECRET
    with pytest.raises(Unavailable, match="no platform"):
        await call.materials("case-1", "m-1")


@pytest.mark.parametrize("said", ["999999", "soon", "-1", "10000000000"])
async def test_no_deadline_is_beyond_the_manifests(said: str) -> None:
    calls: list[Any] = []

    async def look(call: Any, asked: Any) -> Any:
        calls.append(call)
        raise NotFound

    async with asked(answering(look)) as remote:
        await sums(remote, (b"civicmall-deadline-ms", said.encode()))
    assert calls[0].deadline_s == 3.0


async def test_discovery_has_a_head_and_takes_no_post() -> None:
    async with asked(fresh()) as remote:
        at = f"{ADDRESS}/.well-known/civicmall-shop"
        client = remote._client
        head, got, post = await client.head(at), await client.get(at), await client.post(at)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))
    assert got.json()["contracts"] == [1, 2]
    assert (post.status_code, post.headers["allow"]) == (405, "GET, HEAD")


async def test_it_can_live_below_a_path() -> None:
    """The path is signed as the platform sends it; proxies before the shop leave it alone."""
    async with asked(fresh(), base="/departments/sound") as remote:
        reply = await sums(remote)
        client = remote._client
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
        reply = await remote._client.post(ADDRESS + path)
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

    scope = {
        "type": "http", "method": "POST", "path": "/v2/apps/sums/calculate.run", "headers": [],
        "query_string": b"",
    }  # fmt: skip
    await service(scope, receive, send)
    assert sent == []


async def test_a_fault_of_its_own_is_a_problem_without_a_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with asked(fresh()) as remote:
        monkeypatch.setattr("shopkit.serve.app.question", lambda *_: 1 / 0)
        reply = await sums(remote)
    assert (reply.status_code, reply.json()) == (
        500, {"type": "failed", "title": "The shop has a fault.", "status": 500},
    )  # fmt: skip


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    async with asked(fresh()) as remote:
        reply = await remote._client.post(
            f"{ADDRESS}/v2/apps/sums/calculate.run", content=b"x" * (1024 * 1024 + 1)
        )
    assert (reply.status_code, reply.headers["connection"]) == (413, "close")


async def test_a_body_without_a_length_is_counted() -> None:
    async def endless() -> AsyncGenerator[bytes]:
        for _ in range(20):
            yield b"x" * 65_536

    async with asked(fresh()) as remote:
        reply = await remote._client.post(
            f"{ADDRESS}/v2/apps/sums/calculate.run", content=endless()
        )
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
        doc = (await remote._client.get(f"{ADDRESS}/.well-known/civicmall-shop")).json()
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
