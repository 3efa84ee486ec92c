"""Connections: kept while clean, dropped when dirty, never too many, never left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from tests.patience import STALL_S
from tests.rooms.gateway import hostile
from tests.rooms.gateway.calling import BODY_MAX, Receiver, client, get, soon, stream
from tests.rooms.gateway.hostile import BODY, Hostile

from civicmall.gateway import http1_connection
from civicmall.gateway.addresses import Networks, parse_base
from civicmall.gateway.http1 import BadReply, Client, Unreachable


@pytest.fixture
async def server() -> AsyncIterator[Hostile]:
    async with Hostile() as found:
        yield found


@pytest.fixture
async def c(server: Hostile) -> AsyncIterator[Client]:
    async with client(server.port) as made:
        yield made


async def settled() -> None:
    """Let what is already on its way arrive: a few turns of the loop over loopback."""
    for _ in range(20):
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    "mode", ["ok", "empty", "chunked", "no-content", "not-modified", "interim"]
)
async def test_a_clean_connection_is_used_again(server: Hostile, c: Client, mode: str) -> None:
    for _ in range(3):
        await get(c, f"/{mode}")
        await stream(c, f"/{mode}", Receiver())
        await get(c, f"/{mode}", method="POST", body=b"12")
    assert server.accepted == 1
    assert len(server.requests) == 9


@pytest.mark.parametrize(
    "mode",
    ["trailing", "trailing-letter", "second-answer", "trailing-chunk", "no-content-with-body",
     "no-content-chunked", "last", "until-close", "http-1.0", "short-lived"],
)  # fmt: skip
async def test_a_connection_with_more_behind_the_answer_is_not(
    server: Hostile, c: Client, mode: str
) -> None:
    """Else the next citizen would get what nobody asked for."""
    for calls in (1, 2):
        await get(c, f"/{mode}")
        await server.closed()
        assert server.accepted == calls
    assert (await get(c, "/ok")).body == BODY


async def test_an_answer_that_comes_later_unasked_ends_a_resting_connection(
    server: Hostile, c: Client
) -> None:
    assert (await get(c, "/second-later")).body == BODY
    assert c.connections == 1
    server.go.set()
    await server.closed()
    assert c.connections == 0
    assert (await get(c, "/ok")).body == BODY
    assert server.accepted == 2


async def test_an_answer_before_the_request_is_never_taken_for_it() -> None:
    """Found before the request where it is there by then; else it is the answer of nobody."""
    async with Hostile("banner") as server, client(server.port) as c:
        for _ in range(3):
            with suppress(BadReply, Unreachable):
                await get(c, "/x")
            await server.closed()
            assert c.connections == 0


async def test_head_ends_its_connection(server: Hostile, c: Client) -> None:
    """Whether its answer had a body can't be told before the next one."""
    await get(c, "/ok", method="HEAD")
    await server.closed()
    assert c.connections == 0


async def test_a_resting_connection_that_the_shop_closed_is_replaced(
    server: Hostile, c: Client
) -> None:
    await get(c, "/ok")
    server.close_resting()
    await server.closed()
    await settled()
    assert c.connections == 0
    assert (await get(c, "/ok", method="POST")).status == 200


def _closing_second(server: Hostile) -> list[str]:
    """The server answers a connection's first request and closes at its second, unanswered."""
    seen: list[str] = []

    async def act(request: hostile.Request, writer: asyncio.StreamWriter) -> bool:
        seen.append(request.method)
        if any(r.connection == request.connection for r in server.requests[:-1]):
            return False
        writer.write(hostile.WHOLE)
        return True

    server.acts["once"] = act
    return seen


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_what_is_idempotent_is_sent_again_once(
    server: Hostile, c: Client, method: str
) -> None:
    seen = _closing_second(server)
    await get(c, "/once", method=method)
    assert (await get(c, "/once", method=method)).status == 200
    assert seen == [method] * 3
    assert server.accepted == 2


async def test_a_post_is_not_unless_it_may(server: Hostile, c: Client) -> None:
    seen = _closing_second(server)
    await get(c, "/once", method="POST")
    with pytest.raises(Unreachable, match="before it answered"):
        await get(c, "/once", method="POST")
    assert seen == ["POST"] * 2
    await get(c, "/once", method="POST")
    assert (await get(c, "/once", method="POST", repeatable=True)).status == 200
    assert seen == ["POST"] * 5


async def test_nothing_is_sent_again_on_a_new_connection(server: Hostile, c: Client) -> None:
    with pytest.raises(Unreachable):
        await get(c, "/closes")
    assert len(server.requests) == 1
    await get(c, "/ok")
    with pytest.raises(Unreachable):
        await get(c, "/closes")
    assert [r.target for r in server.requests] == ["/closes", "/ok", "/closes", "/closes"]


async def test_nothing_is_sent_again_once_an_answer_began(server: Hostile, c: Client) -> None:
    await get(c, "/ok")
    with pytest.raises(BadReply, match="truncated"):
        await get(c, "/cut-status")
    assert len(server.requests) == 2


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_who_is_cancelled_leaves_no_connection_behind(
    server: Hostile, c: Client, *, streamed: bool
) -> None:
    await get(c, "/ok")
    asking = asyncio.create_task(
        stream(c, "/waits", Receiver()) if streamed else get(c, "/waits")  # pyright: ignore[reportArgumentType] (one of two)
    )
    async with asyncio.timeout(5):
        while len(server.requests) < 2:
            await asyncio.sleep(0.001)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    server.go.set()
    await server.closed()
    assert c.connections == 0
    assert (await get(c, "/empty")).body == b""


async def test_who_is_cancelled_while_connecting_leaves_none_either(server: Hostile) -> None:
    async with client(server.port, connections_max=1) as c:
        for turns in range(12):
            asking = asyncio.create_task(get(c, "/ok"))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await server.closed(c.connections)
        assert c.connections <= 1
        assert (await get(c, "/ok")).body == BODY


async def test_never_more_connections_than_agreed(server: Hostile) -> None:
    async with client(server.port, connections_max=3) as c:
        replies = await asyncio.gather(*(get(c, f"/echo?{n}") for n in range(60)))
        assert all(b'"/echo?%d"' % n in reply.body for n, reply in enumerate(replies))
        assert server.peak == server.accepted == 3
        mixed = ("/ok", "/trailing", "/closes", "/garbage", "/chunked", "/last", "/cut-body")
        await asyncio.gather(*(get(c, mixed[n % 7]) for n in range(70)), return_exceptions=True)
        assert server.peak <= 4, "our side has closed a connection a moment before theirs has"
        assert c.connections <= 3
        assert (await get(c, "/ok")).body == BODY


async def test_waiting_for_a_connection_counts_to_the_deadline(server: Hostile) -> None:
    async with client(server.port, connections_max=1) as c:
        first = asyncio.create_task(get(c, "/waits"))
        async with asyncio.timeout(5):
            while not server.requests:
                await asyncio.sleep(0.001)
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await get(c, "/ok", deadline=soon(0.1))
        assert 0.09 < asyncio.get_running_loop().time() - began < 0.1 + STALL_S
        server.go.set()
        assert (await first).body == BODY
        assert server.accepted == 1


async def test_a_place_goes_on_when_its_waiter_has_gone(server: Hostile) -> None:
    async with client(server.port, connections_max=1) as c:
        first = asyncio.create_task(get(c, "/waits"))
        async with asyncio.timeout(5):
            while not server.requests:
                await asyncio.sleep(0.001)
        gone = [asyncio.create_task(get(c, "/ok")) for _ in range(3)]
        last = asyncio.create_task(get(c, "/echo"))
        await asyncio.sleep(0)
        server.go.set()
        await first
        for task in gone:
            task.cancel()
        assert b'"/echo"' in (await last).body
        await asyncio.gather(*gone, return_exceptions=True)
        assert (await get(c, "/ok")).body == BODY
        assert c.connections == 1


async def test_closing_ends_what_is_under_way_and_what_waits(server: Hostile) -> None:
    async with client(server.port, connections_max=1) as c:
        asking = [asyncio.create_task(get(c, "/waits")) for _ in range(3)]
        async with asyncio.timeout(5):
            while not server.requests:
                await asyncio.sleep(0.001)
        await c.close()
        server.go.set()
        said = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(error) for error in said] == [Unreachable] * 3
        await server.closed()
        with pytest.raises(Unreachable, match="closed"):
            await get(c, "/ok")


async def test_closing_does_not_wait_for_a_name_server() -> None:
    asked = asyncio.Event()

    async def never(host: str, port: int) -> list[str]:
        asked.set()
        await asyncio.Event().wait()
        return []

    networks = Networks(resolver=never)
    c = Client(parse_base("http://slow.test", https_only=False), networks, connections_max=1)
    asking = asyncio.create_task(get(c, "/ok"))
    await asked.wait()
    async with asyncio.timeout(1):
        await c.close()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert c.connections == 0


async def test_a_connection_rests_no_longer_than_a_server_may_keep_it(
    server: Hostile, c: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http1_connection, "IDLE_S", 0.0)
    await get(c, "/ok")
    await get(c, "/ok")
    assert server.accepted == 2
    monkeypatch.setattr(http1_connection, "IDLE_S", 4.0)
    monkeypatch.setattr(http1_connection, "AGE_MAX_S", 0.0)
    await get(c, "/ok")
    await get(c, "/ok")
    assert server.accepted == 4


async def test_an_early_answer_to_a_body_not_taken_ends_the_connection(
    server: Hostile, c: Client
) -> None:
    """The rest of that body would be read as the next request."""
    reply = await c.request(
        "POST", "/early", [], b"a" * 30_000_000, deadline=soon(), body_max=BODY_MAX
    )
    assert reply.status == 413
    assert c.connections == 1
    server.go.set()
    await server.closed()
    assert c.connections == 0


async def test_one_hanging_request_holds_up_nobody(server: Hostile, c: Client) -> None:
    hanging = asyncio.create_task(get(c, "/hang"))
    replies = await asyncio.gather(*(get(c, "/ok") for _ in range(50)))
    assert {reply.body for reply in replies} == {BODY}
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
