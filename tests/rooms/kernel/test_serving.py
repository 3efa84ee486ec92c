"""The server over real sockets: answers come whole, in order, and never faster than they are read."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from tests.serving import served

from civicmall.kernel import serving

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PIECE: Final = b"x" * 50_000
PIECES: Final = 400


class City:
    """An application that says what it was asked, or streams more than any buffer holds."""

    def __init__(self) -> None:
        self.streamed = 0
        self.full = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        del receive
        path = scope["path"].encode()
        if path == b"/much":
            await self._much(send)
            return
        length = (b"content-length", b"%d" % len(path))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": path})

    async def _much(self, send: Any) -> None:
        length = (b"content-length", b"%d" % (len(PIECE) * PIECES))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        for number in range(PIECES):
            task = asyncio.ensure_future(
                send(
                    {"type": "http.response.body", "body": PIECE, "more_body": number < PIECES - 1}
                )
            )
            await asyncio.sleep(0)
            if not task.done():
                self.full.set()
            await task
            self.streamed += 1


@asynccontextmanager
async def line(city: City, **more: Any) -> AsyncGenerator[Streams]:
    """A connection to the city on its own server."""
    async with served(city, http=serving.Protocol, lifespan="off") as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port, **more)
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.startswith(b"content-length")
    )
    return await reader.readexactly(length)


async def test_questions_in_a_row_are_answered_in_order() -> None:
    async with line(City()) as (reader, writer):
        for number in range(20):
            writer.write(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % number)
        found = [await answer(reader) for _ in range(20)]
    assert found == [b"/%d" % number for number in range(20)]


async def test_the_last_answer_is_whole_before_the_end() -> None:
    async with line(City()) as (reader, writer):
        writer.write(b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        found = await reader.read()
    assert found.endswith(b"\r\n\r\n/last")


async def test_who_does_not_read_is_not_sent_more() -> None:
    city = City()
    async with line(city, limit=1024) as (reader, writer):
        writer.write(b"GET /much HTTP/1.1\r\nhost: x\r\n\r\n")
        await city.full.wait()
        assert city.streamed < PIECES
        body = await answer(reader)
    assert body == PIECE * PIECES
    assert city.streamed == PIECES


def test_what_lives_at_the_start_is_left_alone() -> None:
    before = gc.get_threshold()
    try:
        serving.settle()
        assert gc.get_freeze_count() > 1_000
        assert gc.get_threshold()[0] == serving.YOUNG_MAX
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
