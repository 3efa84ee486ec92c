"""A shop that is against us: each call of it ends in time in a named problem, others notice nothing."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from msgspec import Struct
from tests import workshop
from tests.patience import STALL_S
from tests.rooms.gateway import hostile as play
from tests.rooms.gateway.hostile import ANSWERS, CUT, DRIPS, ENDLESS, METADATA, OK, Hostile, sized
from tests.rooms.gateway.remote_shop import TIMEOUT_MS, Remote, placed, said
from tests.rooms.gateway.steps import Later, bills, forgive, someone, timed
from tests.rooms.gateway.wire import Answer, ask, head, token_of

from civicmall.gateway.breaker import FAULTS_MAX, OPEN_S
from civicmall.gateway.gate import Gate

IN_TIME_S = TIMEOUT_MS / 1000 + STALL_S
LONG_S = 2 * STALL_S
"""The limit of who must not be waited for: a neighbour who did would be found out."""

TYPED: dict[str, tuple[str, ...]] = {
    "type": (
        "ok", "chunked", "interim", "last", "short-lived", "empty-value", "identity", "trailing",
        "trailing-letter", "second-answer", "trailing-chunk", "until-close", "echo", "second-later",
        "waits", "deaf",
    ),
    "json": ("empty",),
    "content-type": ("upper-case", "http-1.0"),
    "status": (
        "no-content", "no-content-with-body", "no-content-chunked", "status-zero", "status-high",
        "status-word", "early",
    ),
    "redirect": ("redirect", "not-modified"),
    "framing": (
        "length-twice", "length-repeated", "length-and-chunked", "chunked-and-length",
        "coding-unknown", "coding-twice", "coding-last", "trailer-length",
    ),
    "length": ("length-listed", "length-negative", "length-word", "length-overflow"),
    "chunk": (
        "chunk-word", "chunk-overlong", "chunk-overflow", "chunk-bare-lf", "chunk-signed", "dust",
        "endless-extension", "endless-extensions", "endless-trailer",
    ),
    "syntax": (
        "garbage", "a-request", "future", "folded", "nul", "space-in-name", "space-after-name",
        "bare-lf", "bare-cr",
    ),
    "headers": ("many-headers", "endless-head"),
    "head-size": ("large-header", "large-head", "endless-header", "endless-status"),
    "interim": (
        "interim-storm", "switching", "switching-plain", "interim-with-body", "endless-interim",
    ),
    "body-size": ("announces-much", "endless-body", "endless-until-close"),
    "encoding": ("gzip", "encoded-twice"),
    "truncated": (
        "cut-head", "cut-status", "cut-body", "cut-chunk", "cut-between-chunks", "cut-last-chunk",
        "after-interim", "reset-in-body",
    ),
}  # fmt: skip
"""A typed call of each mode ends in shop-bad-answer with this check."""
AWAY = ("closes", "reset")
LATE = tuple(DRIPS)
BROKEN = ("error",)
PASSES_RAW = {
    *TYPED["type"], "empty", "upper-case", "http-1.0", "no-content", "no-content-with-body",
    "no-content-chunked", "early", "not-modified", "gzip", "encoded-twice", "error",
}  # fmt: skip
"""What is fine where nobody asks what the body means."""
CUT_OFF_RAW = {
    "dust", "endless-extensions", "endless-trailer", "endless-body", "endless-until-close", "cut-body",
    "cut-chunk", "cut-between-chunks", "cut-last-chunk", "reset-in-body", "hang-in-body",
    "drip-body", "drip-chunks",
}  # fmt: skip
"""What goes wrong when the answer has begun: it is cut off, so nobody takes it for whole."""
MODES = {mode: check for check, modes in TYPED.items() for mode in modes}


class Enemy(Struct):
    """The shop, its gate, and the city around it."""

    remote: Remote
    server: Hostile
    id: str
    gate: Gate
    client: httpx.AsyncClient

    @property
    def raw(self) -> str:
        return f"/v1/shops/{self.id}/raw/files/a"

    async def typed(self, path: str = "") -> tuple[httpx.Response, float]:
        return await timed(self.client.get(bills(self.id, "all") + path))

    async def passed_on(self) -> Answer:
        return await ask(self.remote.city, head("GET", self.raw, token_of(self.client)))

    def says(self, answer: bytes) -> None:
        """From now on, to everything."""

        async def say(_: Any, writer: asyncio.StreamWriter) -> bool:
            writer.write(answer)
            await writer.drain()
            return True

        self.server.acts["says"] = say
        self.server.mode = "says"

    async def neighbours_are_served(self) -> None:
        for shop in (self.remote.here, self.remote.away):
            answer, took = await timed(self.client.get(bills(shop, "all")))
            assert (answer.status_code, answer.json()["stale"]) == (200, False)
            assert took < STALL_S

    async def nothing_is_left(self) -> None:
        host: Any = self.gate.host
        assert self.gate.running == 0
        assert host.client.connections <= 8, "never more than it may have"
        assert self.gate.breaker_state() == "closed", "one fault is none yet"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hostile() -> AsyncGenerator[Hostile]:
    async with Hostile("ok") as found:
        yield found


@pytest.fixture(scope="module")
def shop() -> str:
    return workshop.unique("hostile")


@pytest_asyncio.fixture(loop_scope="session")
async def enemy(remote_town: Remote, hostile: Hostile, shop: str) -> AsyncGenerator[Enemy]:
    """The hostile shop beside the good ones, with nothing against it yet."""
    remote = remote_town
    hostile.go.set()
    if not remote.beside:
        remote.beside = [placed(said(shop), f"http://127.0.0.1:{hostile.port}")]
        await remote.back()
    gate = remote.way(shop).gate
    forgive(gate)
    for neighbour in (remote.here, remote.away):
        remote.way(neighbour).gate.timeout_s = LONG_S
    client, _ = await someone(remote.city)
    yield Enemy(remote, hostile, shop, gate, client)
    hostile.mode = "ok"


def test_every_mode_of_the_hostile_server_is_judged() -> None:
    known = {*ANSWERS, *CUT, *ENDLESS, *DRIPS, *Hostile().acts} - {"large"}
    assert known | {"early", "deaf"} == {*MODES, *AWAY, *LATE, *BROKEN}


async def ends(enemy: Enemy, mode: str) -> dict[str, Any]:
    """A typed call of that mode with neighbours beside it; the problem that it ends in."""
    enemy.server.mode = mode
    forgive(enemy.gate)
    calling = asyncio.create_task(enemy.typed())
    await enemy.neighbours_are_served()
    answer, took = await calling
    assert took < IN_TIME_S
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == answer.status_code
    assert found["shop"] == enemy.id
    await enemy.nothing_is_left()
    return found


@pytest.mark.parametrize(("mode", "check"), MODES.items(), ids=MODES)
async def test_an_answer_against_the_rules_is_named(enemy: Enemy, mode: str, check: str) -> None:
    found = await ends(enemy, mode)
    assert (found["type"], found["check"]) == ("/problems/shop-bad-answer", check)


@pytest.mark.parametrize("mode", AWAY)
async def test_a_shop_that_hangs_up_is_away(enemy: Enemy, mode: str) -> None:
    found = await ends(enemy, mode)
    assert (found["type"], found["check"]) == ("/problems/shop-unavailable", "unreachable")


@pytest.mark.parametrize("mode", LATE)
async def test_a_shop_that_drips_is_timed_out(enemy: Enemy, mode: str) -> None:
    assert (await ends(enemy, mode))["type"] == "/problems/shop-timeout"


async def test_a_shop_that_fails_is_named(enemy: Enemy) -> None:
    found = await ends(enemy, "error")
    assert (found["type"], found["check"]) == ("/problems/shop-failed", "status")


@pytest.mark.parametrize("mode", [*MODES, *AWAY, *LATE, *BROKEN])
async def test_raw_calls_end_as_well(enemy: Enemy, mode: str) -> None:
    enemy.server.mode = mode
    calling = asyncio.create_task(timed(enemy.passed_on()))
    await enemy.neighbours_are_served()
    found: tuple[Any, float] = await calling
    answer: Answer = found[0]
    assert found[1] < IN_TIME_S
    await enemy.nothing_is_left()
    if mode in CUT_OFF_RAW:
        assert (answer.status, answer.whole) == (200, False)
        return
    assert answer.whole
    if mode in PASSES_RAW:
        assert answer.header("content-type") != "application/problem+json"
    elif mode in AWAY:
        assert answer.problem["check"] == "unreachable"
    elif mode in LATE:
        assert answer.problem["type"] == "/problems/shop-timeout"
    else:
        assert answer.problem["type"] == "/problems/shop-bad-answer"
        assert answer.problem["check"] == MODES[mode]


DEEP = b"[" * 100_000 + b"]" * 100_000
BILL = (
    b'{"id":"%s","title":{"zh-CN":"%s"},"beneficiary":{"zh-CN":"a"},"period":"2026-10",'
    b'"amount_minor":%s,"state":"owed","due_on":"2026-10-01","issued_on":"2026-10-01"}'
)
BODIES: dict[str, tuple[bytes, str]] = {
    "nested deeply": (DEEP, "json type"),
    "objects nested deeply": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "json type"),
    "nested deeply where nobody looks": (
        b"[" + BILL[:-1] % (b"b", b"a", b"1") + b',"more":' + DEEP + b"}]", "json",
    ),
    "no UTF-8": (b"[" + BILL % (b"b", b"\xff\xfe", b"1") + b"]", "json"),
    "half a character": (b"[" + BILL % (b"b", b"\xe4\xbd", b"1") + b"]", "json"),
    "UTF-16": ("[]".encode("utf-16"), "json"),
    "a byte order mark": (b"\xef\xbb\xbf[]", "json"),
    "NUL": (b"[" + BILL % (b"b", b"a\\u0000b", b"1") + b"]", "json"),
    "a bare NUL": (b"[" + BILL % (b"b", b"a\x00b", b"1") + b"]", "json"),
    "half a pair": (b"[" + BILL % (b"b", b"\\ud800", b"1") + b"]", "json"),
    "a huge number": (b"[" + BILL % (b"b", b"a", b"1" + b"0" * 400) + b"]", "type json"),
    "a huge exponent": (b"[" + BILL % (b"b", b"a", b"1e400") + b"]", "type json"),
    "a long number": (b"[" + BILL % (b"b", b"a", b"1" * 500_000) + b"]", "type json"),
    "a negative amount": (b"[" + BILL % (b"b", b"a", b"-1") + b"]", "type"),
    "half a fen": (b"[" + BILL % (b"b", b"a", b"1.5") + b"]", "type"),
    "NaN": (b"[" + BILL % (b"b", b"a", b"NaN") + b"]", "json"),
    "an amount in words": (b"[" + BILL % (b"b", b"a", b'"1"') + b"]", "type"),
    "an odd id": (b"[" + BILL % (b"../b", b"a", b"1") + b"]", "type"),
    "an id twice": (b"[" + b",".join([BILL % (b"b", b"a", b"1")] * 2) + b"]", "ids-differ"),
    "too many": (
        b"[" + b",".join(BILL % (b"b%d" % n, b"a", b"1") for n in range(101)) + b"]", "within-limit",
    ),
    "valid, and of another type": (b'{"type": "FeatureCollection", "features": []}', "type"),
    "a text": (b'"bills"', "type"), "null": (b"null", "type"), "two": (b"[][]", "json"),
    "open": (b"[" + BILL % (b"b", b"a", b"1"), "json"), "a comma": (b"[,]", "json"),
    "a page": (b"<!doctype html>", "json"),
    "a script": (b")]}',\n[]", "json"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "checks"), BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_is_no_answer_is_named(enemy: Enemy, body: bytes, checks: str) -> None:
    enemy.says(sized(body))
    found = await ends(enemy, "says")
    assert found["type"] == "/problems/shop-bad-answer"
    assert found["check"] in checks.split()


async def test_an_answer_to_another_question_is_none(enemy: Enemy) -> None:
    bill = json.loads(BILL % (b"b2", b"a", b"1"))
    detail = {"bill": bill, "lines": [{"title": {"zh-CN": "a"}, "amount_minor": 1}]}
    enemy.says(sized(json.dumps(detail).encode()))
    answer, _ = await enemy.typed("/b1")
    assert (answer.status_code, answer.json()["check"]) == (502, "bill-asked")
    assert (await enemy.typed("/b2"))[0].status_code == 200


async def test_a_hundred_megabytes_are_not_taken(enemy: Enemy) -> None:
    """Neither announced nor as they come: we stop reading at what an answer may have."""
    for start in (b"content-length: 104857600\r\n\r\n", b"\r\n"):

        async def floods(_: Any, writer: asyncio.StreamWriter, start: bytes = start) -> bool:
            writer.write(OK + start + b"[")
            for _ in range(1600):
                writer.write(b'"' + b"a" * 65_533 + b'",')
                await writer.drain()
                enemy.server.sent += 65_536
            return False

        enemy.server.sent = 0
        enemy.server.acts["floods"] = floods
        found = await ends(enemy, "floods")
        assert found["check"] == "body-size"
        assert enemy.server.sent < 32 * 1024 * 1024


async def test_a_bomb_is_not_unpacked(enemy: Enemy) -> None:
    bomb = zlib.compress(bytes(50_000_000), 9)
    enemy.says(sized(bomb, b"content-encoding: gzip"))
    assert (await ends(enemy, "says"))["check"] == "encoding"
    answer = await enemy.passed_on()
    assert (answer.body, answer.header("content-encoding")) == (bomb, "gzip")
    enemy.says(sized(bomb))
    assert (await ends(enemy, "says"))["check"] == "json"


async def test_a_redirect_to_metadata_leads_nowhere(enemy: Enemy) -> None:
    for status in (b"301 M", b"302 F", b"303 S", b"307 T", b"308 P"):
        enemy.says(play.said(status, b"location: " + METADATA, b"content-length: 0"))
        assert (await ends(enemy, "says"))["check"] == "redirect"
        answer = await enemy.passed_on()
        assert answer.problem["check"] == "redirect"
        assert "169.254" not in str(answer.headers)


STORMS = {
    "3xx": [300, 301, 302, 303, 304, 305, 307, 308],
    "5xx": [500, 501, 502, 503, 504, 505, 507, 511, 599],
    "4xx": [400, 401, 402, 403, 405, 406, 407, 408, 410, 411, 413, 417, 421, 425, 429, 431, 451],
}


@pytest.mark.parametrize("statuses", STORMS.values(), ids=STORMS.keys())
async def test_a_storm_opens_the_breaker_and_it_heals(
    enemy: Enemy, later: Later, statuses: list[int]
) -> None:
    kinds: set[str] = set()
    for status in statuses:
        forgive(enemy.gate)
        enemy.says(play.said(b"%d Storm" % status, b"content-length: 0"))
        storm = [asyncio.create_task(enemy.typed()) for _ in range(FAULTS_MAX + 3)]
        await enemy.neighbours_are_served()
        for answer, took in await asyncio.gather(*storm):
            assert took < IN_TIME_S
            kinds.add(answer.json()["type"])
        assert enemy.gate.breaker_state() == "open"
        assert enemy.gate.running == 0
    assert kinds <= {
        "/problems/shop-bad-answer", "/problems/shop-failed", "/problems/shop-unavailable",
    }  # fmt: skip
    asked = len(enemy.server.requests)
    assert (await enemy.typed())[0].status_code == 503
    assert len(enemy.server.requests) == asked, "it is left alone"
    later.forward_s += 2 * OPEN_S
    enemy.says(sized(b"[]"))
    assert (await enemy.typed())[0].status_code == 200
    assert enemy.gate.breaker_state() == "closed"


async def test_no_second_answer_reaches_another_citizen(enemy: Enemy) -> None:
    """What lies behind an answer is thrown away with its connection."""
    mine = sized(b"[" + BILL % (b"mine", b"a", b"1") + b"]")
    enemy.says(mine + sized(b"[" + BILL % (b"smuggled", b"a", b"1") + b"]"))
    others = [await someone(enemy.remote.city) for _ in range(5)]
    for client, _ in others:
        answer = await client.get(bills(enemy.id, "all"))
        assert [bill["id"] for bill in answer.json()["items"]] == ["mine"]
    assert len({request.connection for request in enemy.server.requests[-5:]}) == 5


async def test_neighbours_keep_their_pace_while_a_shop_hangs_on_many(enemy: Enemy) -> None:
    enemy.server.mode = "hang"
    enemy.gate.timeout_s = LONG_S
    crowd = [(await someone(enemy.remote.city))[0] for _ in range(10)]
    hanging = [
        asyncio.create_task(timed(client.get(bills(enemy.id, "all"))))
        for client in crowd
        for _ in range(8)
    ]
    host: Any = enemy.gate.host
    for _ in range(5):
        await enemy.neighbours_are_served()
        assert host.client.connections <= 8, "never more than it may have"
    assert not all(task.done() for task in hanging)
    answers = await asyncio.gather(*hanging)
    enemy.gate.timeout_s = TIMEOUT_MS / 1000
    assert {answer.status_code for answer, _ in answers} <= {429, 503, 504}
    assert max(took for _, took in answers) < LONG_S + IN_TIME_S
    assert (enemy.gate.running, enemy.gate.breaker_state()) == (0, "open")
