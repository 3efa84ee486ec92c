"""Raw calls that stream: whoever is slow or leaves costs themselves, and nothing is left behind."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from tests.rooms.gateway.remote_shop import MB, Asgi, Remote
from tests.rooms.gateway.steps import someone
from tests.rooms.gateway.wire import ask, head, line, read, token_of

from civicmall.gateway.breaker import FAULTS_MAX

LONG_S = 10.0
"""The shop's limit where a test shows that something ends long before it."""
SOON_S = 2.0


@pytest.fixture
def unhurried(remote: Remote) -> Generator[None]:
    """The remote shop may take its time."""
    gate = remote.way(remote.away).gate
    gate.timeout_s, kept = LONG_S, gate.timeout_s
    yield
    gate.timeout_s = kept


def big(remote: Remote) -> str:
    return f"/v1/shops/{remote.away}/raw/big/a"


def small(remote: Remote) -> str:
    return f"/v1/shops/{remote.away}/raw/files/a"


async def free(remote: Remote) -> None:
    """Until nobody is inside any more and no connection to the shop is busy; soon."""
    gate = remote.way(remote.away).gate
    began = time.perf_counter()
    async with asyncio.timeout(SOON_S):
        while gate.running:
            await asyncio.sleep(0.005)
    assert time.perf_counter() - began < SOON_S
    assert gate.breaker_state() == "closed"


class Streaming:
    """A shop that answers with so many bytes as fast as they are taken."""

    def __init__(self, size: int, part: int = 65_536, *, announced: bool = True) -> None:
        self.size = size
        self.part = part
        self.announced = announced
        self.sent = 0
        self.begun = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        length = [(b"content-length", b"%d" % self.size)] if self.announced else []
        await send({"type": "http.response.start", "status": 200, "headers": length})
        for _ in range(self.size // self.part):
            await send({"type": "http.response.body", "body": b"a" * self.part, "more_body": True})
            self.sent += self.part
            self.begun.set()
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})


class Leaving:
    """A shop that answers nothing and notices when its caller leaves."""

    def __init__(self, *, begins: bool = False) -> None:
        self.begins = begins
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        del scope
        if self.begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"a" * 100, "more_body": True})
        self.asked.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


async def gone(leaving: Leaving) -> None:
    async with asyncio.timeout(SOON_S):
        await leaving.left.wait()


# Pressure


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("announced", [True, False], ids=["with its length", "chunked"])
async def test_a_slow_reader_slows_the_shop(remote: Remote, *, announced: bool) -> None:
    client, _ = await someone(remote.city)
    size = 48 * MB
    streaming = remote.served.instead = Streaming(size, announced=announced)
    async with line(remote.city) as (reader, writer):
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        writer.write(head("PUT", big(remote), token_of(client), "content-length: 0"))
        await streaming.begun.wait()
        seen = -1
        async with asyncio.timeout(LONG_S / 2):
            while seen != streaming.sent:  # until it stands still
                seen = streaming.sent
                await asyncio.sleep(0.2)
        assert streaming.sent < size - 8 * MB, "the rest waits at the shop"
        answer = await read(reader)
        assert (answer.status, len(answer.body), answer.whole) == (200, size, True)
    await free(remote)


@pytest.mark.usefixtures("unhurried")
async def test_an_upload_arrives_part_by_part(remote: Remote) -> None:
    """What has come goes on at once, and does not wait for the rest."""
    client, _ = await someone(remote.city)
    got: list[bytes] = []
    first = asyncio.Event()

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            got.append(message.get("body", b""))
            first.set()
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"".join(got)})

    remote.served.instead = reading
    async with line(remote.city) as (reader, writer):
        writer.write(head("PUT", big(remote), token_of(client), "transfer-encoding: chunked"))
        writer.write(b"5\r\nfirst\r\n")
        async with asyncio.timeout(SOON_S):
            await first.wait()
        assert b"".join(got) == b"first"
        writer.write(b"6\r\nsecond\r\n0\r\n\r\n")
        assert (await read(reader)).body == b"firstsecond"
    assert remote.served.seen[-1].headers["transfer-encoding"] == "chunked"
    await free(remote)


# Callers who leave


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("begins", [False, True], ids=["before the answer", "in its middle"])
async def test_who_leaves_takes_the_shops_connection_with_them(
    remote: Remote, *, begins: bool
) -> None:
    client, _ = await someone(remote.city)
    for _ in range(FAULTS_MAX + 1):
        leaving = remote.served.instead = Leaving(begins=begins)
        async with line(remote.city) as (_, writer):
            writer.write(head("GET", small(remote), token_of(client)))
            await leaving.asked.wait()
            assert remote.way(remote.away).gate.running == 1
        await gone(leaving)
        await free(remote)


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("length", [70_000, None], ids=["with its length", "chunked"])
async def test_who_leaves_in_an_upload_leaves_nothing(remote: Remote, length: int | None) -> None:
    client, _ = await someone(remote.city)
    framing = f"content-length: {length}" if length else "transfer-encoding: chunked"
    part = b"a" * 1000 if length else b"3e8\r\n" + b"a" * 1000 + b"\r\n"
    for _ in range(FAULTS_MAX + 1):
        leaving = remote.served.instead = Leaving()
        async with line(remote.city) as (_, writer):
            writer.write(head("PUT", big(remote), token_of(client), framing) + part)
            await leaving.asked.wait()
        await gone(leaving)
        await free(remote)


async def test_who_leaves_with_a_small_body_never_reached_the_shop(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    async with line(remote.city) as (_, writer):
        said = head("POST", small(remote), token_of(client), "content-length: 100")
        writer.write(said + b"a" * 10)
        await writer.drain()
    assert (await client.get(small(remote))).status_code == 201
    assert [seen.method for seen in remote.served.seen] == ["GET"]
    await free(remote)


# Callers who dawdle


@pytest.mark.parametrize("length", [100, 100_000], ids=["small", "streamed"])
async def test_who_sends_slowly_is_told_so_and_costs_the_shop_nothing(
    remote: Remote, length: int
) -> None:
    client, _ = await someone(remote.city)
    said = head("PUT", big(remote), token_of(client), f"content-length: {length}") + b"a" * 10
    answers = await asyncio.gather(*(ask(remote.city, said) for _ in range(FAULTS_MAX + 1)))
    for answer in answers:
        assert (answer.status, answer.problem["type"]) == (400, "/problems/bad-request")
    await free(remote)
    assert (await client.get(small(remote))).status_code == 201


async def test_who_reads_slowly_is_cut_off_and_costs_the_shop_nothing(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    remote.served.instead = Streaming(64 * MB)

    async def dawdle() -> bool:
        async with line(remote.city) as (reader, writer):
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            writer.write(head("PUT", big(remote), token_of(client), "content-length: 0"))
            async with asyncio.timeout(SOON_S):
                while not remote.way(remote.away).gate.running:
                    await asyncio.sleep(0.005)
                while remote.way(remote.away).gate.running:
                    await asyncio.sleep(0.02)
            return (await read(reader)).whole

    assert not any(await asyncio.gather(*(dawdle() for _ in range(FAULTS_MAX + 1))))
    await free(remote)


# Shops that stop in the middle


@pytest.mark.parametrize("announced", [True, False], ids=["with its length", "chunked"])
async def test_an_answer_that_breaks_off_is_not_passed_for_whole(
    remote: Remote, *, announced: bool
) -> None:
    client, _ = await someone(remote.city)

    async def breaks(scope: Any, receive: Any, send: Any) -> None:
        length = [(b"content-length", b"1000")] if announced else []
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": b"a" * 100, "more_body": True})

    remote.served.instead = breaks
    answer = await ask(remote.city, head("GET", small(remote), token_of(client)))
    assert (answer.status, answer.body, answer.whole) == (200, b"a" * 100, False)
    plain = await remote.city.client(token_of(client))
    with pytest.raises(httpx.HTTPError):
        await plain.get(small(remote))
    await free(remote)
    seen = remote.way(remote.away).gate.window.read(remote.city.house.clock.monotonic())
    assert seen.failed >= 2, "it counts as the shop's fault"


async def test_an_answer_that_grows_past_what_is_declared_is_cut_off(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    remote.served.instead = Streaming(9 * MB)
    announced = await client.get(small(remote))
    assert (announced.status_code, announced.json()["check"]) == (502, "body-size")
    remote.served.instead = Streaming(9 * MB, announced=False)
    gate = remote.way(remote.away).gate
    gate.timeout_s, kept = LONG_S, gate.timeout_s
    try:
        answer = await ask(remote.city, head("GET", small(remote), token_of(client)))
    finally:
        gate.timeout_s = kept
    assert (answer.status, answer.whole) == (200, False)
    assert len(answer.body) <= 8 * MB
    await free(remote)


async def test_a_shop_may_answer_before_it_has_heard_all(remote: Remote) -> None:
    client, _ = await someone(remote.city)

    async def early(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"2"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 409, "headers": headers})
        await send({"type": "http.response.body", "body": b"no"})

    remote.served.instead = early
    said = head("PUT", big(remote), token_of(client), "content-length: 100000") + b"a" * 10
    answer = await ask(remote.city, said)
    assert (answer.status, answer.body) == (409, b"no")
    remote.served.instead = None
    assert (await client.get(small(remote))).status_code == 201
    await free(remote)


async def test_a_shop_that_hangs_in_a_raw_call_is_timed_out(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    apps: list[tuple[Asgi, int]] = [(Leaving(), 504), (Leaving(begins=True), 200)]
    for app, status in apps:
        remote.served.instead = app
        answer = await ask(remote.city, head("GET", small(remote), token_of(client)))
        assert (answer.status, answer.whole) == (status, status == 504)
        assert isinstance(app, Leaving)
        await gone(app)
    await free(remote)
