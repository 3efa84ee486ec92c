"""A shop served over HTTP says what it says in-process; whatever else comes is a named problem."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from tests.contract.sound import fresh
from tests.rooms.shopkit.serving import (
    SECRET,
    TOLD,
    answering,
    asked,
    no_tables,
    raising,
    sums,
)
from tests.serving import served

from shopkit import BadForm, NotFound, Refused, ShopError, Unavailable, contract
from shopkit.kit import Remote, bench_of, letters
from shopkit.serve import ShopService, sandbox_trust
from shopkit.testing import TestShop
from shopkit.texts import both


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
                        shop, no_tables(), now=datetime.fromtimestamp(now, UTC), secret=SECRET
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
