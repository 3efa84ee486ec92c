"""Bodies that stream: in both directions, at the pace of the slower side, and never past a limit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from tests.rooms.gateway import hostile
from tests.rooms.gateway.calling import Receiver, client, get, soon, stream
from tests.rooms.gateway.hostile import BODY, Hostile

from civicmall.gateway.http1 import BadReply, Client, Unreachable, Unsendable

MIB = 1024 * 1024


@pytest.fixture
async def server() -> AsyncIterator[Hostile]:
    async with Hostile() as found:
        yield found


@pytest.fixture
async def c(server: Hostile) -> AsyncIterator[Client]:
    async with client(server.port) as made:
        yield made


class Source:
    """A body that comes in parts and counts what was taken of it."""

    def __init__(self, *parts: bytes, error: Exception | None = None, hangs: bool = False) -> None:
        self._parts = parts
        self._error = error
        self._hangs = hangs
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for part in self._parts:
                self.taken += 1
                yield part
                await asyncio.sleep(0)
            if self._error is not None:
                raise self._error
            if self._hangs:
                await asyncio.Event().wait()
        finally:
            self.closed = True

    def parts(self) -> AsyncIterator[bytes]:
        return aiter(self)


async def quiet(count: object) -> None:
    """Wait until `count()` stays the same for a while: nothing moves any more."""
    assert callable(count)
    same, last = 0, count()
    async with asyncio.timeout(5):
        while same < 20:
            await asyncio.sleep(0.005)
            same, last = (same + 1 if count() == last else 0), count()


@pytest.mark.parametrize("length", [None, 11], ids=["chunked", "sized"])
async def test_a_body_that_comes_in_parts_arrives_whole(
    server: Hostile, c: Client, length: int | None
) -> None:
    for _ in range(2):
        source = Source(b"one", b"", b" two", b" ", b"3\r\n")
        said = await stream(
            c, "/echo", Receiver(), method="PUT", body=source.parts(), length=length
        )
        seen = json.loads(said.body)
        assert seen["body"] == "one two 3\r\n"
        headers = seen["headers"]
        assert headers.get("content-length") == (None if length is None else "11")
        assert headers.get("transfer-encoding") == ("chunked" if length is None else None)
        assert source.closed
    assert server.accepted == 1


async def test_an_empty_body_in_parts(c: Client) -> None:
    for length in (None, 0):
        said = await stream(
            c, "/echo", Receiver(), method="POST", body=Source().parts(), length=length
        )
        assert json.loads(said.body)["body"] == ""
    assert (await get(c, "/ok")).body == BODY


@pytest.mark.parametrize("parts", [(b"ab",), (b"ab", b"cde")], ids=["short", "long"])
async def test_a_body_of_another_length_than_announced_never_passes(
    server: Hostile, c: Client, parts: tuple[bytes, ...]
) -> None:
    with pytest.raises(Unsendable):
        await stream(c, "/echo", Receiver(), method="POST", body=Source(*parts).parts(), length=4)
    await server.closed()
    assert server.requests == []
    assert c.connections == 0


async def test_what_goes_wrong_in_the_callers_body_comes_out(server: Hostile, c: Client) -> None:
    source = Source(b"a", error=KeyError("gone"))
    with pytest.raises(KeyError, match="gone"):
        await stream(c, "/echo", Receiver(), method="POST", body=source.parts())
    first = Source(error=KeyError("at once"))
    with pytest.raises(KeyError, match="at once"):
        await stream(c, "/echo", Receiver(), method="POST", body=first.parts())
    await server.closed()
    assert server.requests == []
    assert c.connections == 0


async def test_an_answer_before_the_end_of_the_request(server: Hostile, c: Client) -> None:
    """It is passed on, the body is left, and its connection ends."""
    source = Source(b"a" * 100, hangs=True)
    said = await stream(c, "/early", Receiver(), method="POST", body=source.parts())
    assert said.status == 413
    assert source.closed
    server.go.set()
    await server.closed()
    assert c.connections == 0


async def test_a_body_that_never_comes_holds_no_connection(server: Hostile, c: Client) -> None:
    source = Source(hangs=True)
    with pytest.raises(TimeoutError):
        await stream(c, "/echo", Receiver(), method="POST", body=source.parts(), deadline=soon(0.1))
    assert server.accepted == 0
    stuck = Source(b"a", hangs=True)
    with pytest.raises(TimeoutError):
        await stream(c, "/echo", Receiver(), method="POST", body=stuck.parts(), deadline=soon(0.1))
    assert stuck.closed
    await server.closed()


async def test_a_shop_that_does_not_read_is_not_sent_more(server: Hostile, c: Client) -> None:
    source = Source(*[b"a" * 65536] * 1000)
    asking = asyncio.create_task(
        stream(c, "/deaf", Receiver(), method="POST", body=source.parts(), body_max=128 * MIB)
    )
    await server.bodies_begun.wait()
    await quiet(lambda: source.taken)
    assert source.taken < 300, "what fits into the buffers of two sockets, and no more"
    server.acts["deaf"] = server.acts["echo"]
    server.go.set()
    assert len(json.loads((await asking).body)["body"]) == 65536 * 1000
    assert source.taken == 1000


async def test_a_receiver_that_does_not_take_stops_the_shop(server: Hostile, c: Client) -> None:
    receiver = Receiver()
    receiver.gate.clear()
    size = 64 * MIB
    asking = asyncio.create_task(stream(c, f"/large?{size}", receiver, body_max=size))
    await receiver.begun.wait()
    await quiet(lambda: server.sent)
    assert server.sent < size // 2
    assert len(receiver.body) < MIB
    receiver.gate.set()
    await asking
    assert len(receiver.body) == size
    assert receiver.ended
    assert (await get(c, "/ok")).body == BODY
    assert server.accepted == 1


async def test_a_receiver_that_never_takes_is_left_at_the_deadline(
    server: Hostile, c: Client
) -> None:
    receiver = Receiver()
    receiver.gate.clear()
    with pytest.raises(TimeoutError):
        await stream(c, f"/large?{8 * MIB}", receiver, body_max=8 * MIB, deadline=soon(0.2))
    await server.closed()
    assert c.connections == 0


async def test_what_goes_wrong_in_the_receiver_comes_out(server: Hostile, c: Client) -> None:
    class Broken(Receiver):
        async def chunk(self, data: bytes, more: bool) -> None:  # noqa: FBT001 (as ASGI has it)
            assert data or not more
            raise ConnectionResetError("the citizen left")

    with pytest.raises(ConnectionResetError):
        await stream(c, f"/large?{8 * MIB}", Broken(), body_max=8 * MIB)
    await server.closed()
    assert c.connections == 0
    with pytest.raises(ConnectionResetError):
        await stream(c, "/ok", Broken())
    assert (await get(c, "/ok")).body == BODY
    assert server.accepted == 2, "the second one's answer was whole, so its connection is clean"


async def test_the_head_comes_before_the_body_is_there(server: Hostile, c: Client) -> None:
    receiver = Receiver()
    asking = asyncio.create_task(stream(c, "/hang-in-body", receiver, deadline=soon(0.3)))
    async with asyncio.timeout(0.25):
        while not receiver.status:
            await asyncio.sleep(0.001)
    assert dict(receiver.headers)[b"content-length"] == b"100"
    with pytest.raises(TimeoutError):
        await asking


async def test_a_body_that_grows_too_large_is_cut_at_once(server: Hostile, c: Client) -> None:
    receiver = Receiver()
    with pytest.raises(BadReply, match="body-size"):
        await stream(c, "/endless-body", receiver, body_max=100_000)
    assert len(receiver.body) <= 100_000
    assert not receiver.ended
    await server.closed()
    assert server.sent < 8 * MIB


async def test_both_ways_at_once(server: Hostile, c: Client) -> None:
    """An answer that begins while the body still comes: the next part waits for the last answer."""
    turn: asyncio.Queue[bytes] = asyncio.Queue()

    class Pong(Receiver):
        async def chunk(self, data: bytes, more: bool) -> None:  # noqa: FBT001 (as ASGI has it)
            await super().chunk(data, more)
            turn.put_nowait(data)

    async def parts() -> AsyncIterator[bytes]:
        yield b"ping 0"
        for n in range(1, 4):
            assert await turn.get() == b"pong %d" % (n - 1)
            yield b"ping %d" % n

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(hostile.CHUNKED)
        for n in range(4):
            assert await reader.readexactly(11) == b"6\r\nping %d\r\n" % n
            writer.write(b"6\r\npong %d\r\n" % n)
        assert await reader.readexactly(5) == hostile.LAST
        writer.write(hostile.LAST)
        await writer.drain()
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(conversation, "127.0.0.1", 0)
    async with client(listening.sockets[0].getsockname()[1]) as talking:
        said = await stream(talking, "/", Pong(), method="POST", body=parts())
        assert said.body == b"pong 0pong 1pong 2pong 3"
        assert talking.connections == 1
    listening.close()


async def test_a_shop_that_leaves_in_the_middle_of_a_body(server: Hostile, c: Client) -> None:
    source = Source(b"a" * 100, hangs=True)

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(leave, "127.0.0.1", 0)
    async with client(listening.sockets[0].getsockname()[1]) as left:
        with pytest.raises(Unreachable):
            await stream(left, "/", Receiver(), method="PUT", body=source.parts())
        assert source.closed
    listening.close()
