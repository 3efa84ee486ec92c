"""A server that does on request whatever a server should not do: the first segment of the path is
the mode, or one mode serves every path. Raw bytes on a raw socket, on 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple, Self

OK: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
BODY: Final = b'{"ok": true}'
WHOLE: Final = OK + b"content-length: 12\r\n\r\n" + BODY
CHUNKED: Final = OK + b"transfer-encoding: chunked\r\n\r\n"
LAST: Final = b"0\r\n\r\n"
METADATA: Final = b"http://169.254.169.254/latest/meta-data/"


def sized(body: bytes, *lines: bytes) -> bytes:
    """A whole answer with this body."""
    more = b"".join(line + b"\r\n" for line in lines)
    return OK + more + b"content-length: %d\r\n\r\n" % len(body) + body


def said(status: bytes, *lines: bytes) -> bytes:
    """An answer without a body."""
    return b"HTTP/1.1 " + b"\r\n".join((status, *lines)) + b"\r\n\r\n"


ANSWERS: Final[dict[str, bytes]] = {
    # what is right
    "ok": WHOLE,
    "empty": sized(b""),
    "chunked": CHUNKED + b'5\r\n{"ok"\r\n7;note=x\r\n: true}\r\n0\r\nx-sum: 1\r\n\r\n',
    "no-content": said(b"204 No Content"),
    "not-modified": said(b"304 Not Modified", b"content-length: 12", b'etag: "a"'),
    "interim": said(b"100 Continue") + said(b"103 Early Hints", b"link: </a>") + WHOLE,
    "last": OK + b"connection: close\r\ncontent-length: 12\r\n\r\n" + BODY,
    "short-lived": sized(BODY, b"keep-alive: timeout=1"),
    "redirect": said(b"302 Found", b"location: " + METADATA, b"content-length: 0"),
    "error": said(b"500 Broken", b"content-length: 0"),
    "empty-value": sized(BODY, b"x-empty:", b"x-other: 1"),
    "upper-case": b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-Odd: 1\r\n\r\n" + BODY,
    "identity": sized(BODY, b"content-encoding: identity"),
    # framing
    "length-twice": OK + b"content-length: 12\r\ncontent-length: 13\r\n\r\n" + BODY,
    "length-repeated": OK + b"content-length: 12\r\ncontent-length: 12\r\n\r\n" + BODY,
    "length-listed": OK + b"content-length: 12, 12\r\n\r\n" + BODY,
    "length-and-chunked": OK + b"content-length: 12\r\ntransfer-encoding: chunked\r\n\r\n" + LAST,
    "chunked-and-length": OK + b"transfer-encoding: chunked\r\ncontent-length: 12\r\n\r\n" + LAST,
    "length-negative": OK + b"content-length: -12\r\n\r\n" + BODY,
    "length-word": OK + b"content-length: twelve\r\n\r\n" + BODY,
    "length-overflow": OK + b"content-length: 99999999999999999999999\r\n\r\n" + BODY,
    "coding-unknown": OK + b"transfer-encoding: xchunked\r\n\r\n" + LAST,
    "coding-twice": OK + b"transfer-encoding: gzip, chunked\r\n\r\n" + LAST,
    "coding-last": OK + b"transfer-encoding: chunked, gzip\r\n\r\n" + LAST,
    "trailer-length": CHUNKED + b"2\r\n{}\r\n0\r\ncontent-length: 2\r\n\r\n",
    # chunks
    "chunk-word": CHUNKED + b"zz\r\n{}\r\n" + LAST,
    "chunk-overlong": CHUNKED + b"2\r\n{}}\r\n" + LAST,
    "chunk-overflow": CHUNKED + b"fffffffffffffffff\r\n{}\r\n" + LAST,
    "chunk-bare-lf": CHUNKED + b"2\n{}\n0\n\n",
    "chunk-signed": CHUNKED + b"+2\r\n{}\r\n" + LAST,
    # heads
    "garbage": b"\x16\x03\x01\x02\x00\x01 no http at all\r\n\r\n",
    "a-request": b"GET / HTTP/1.1\r\nhost: you\r\n\r\n",
    "future": b"HTTP/3.7 200 OK\r\ncontent-length: 0\r\n\r\n",
    "status-zero": said(b"000 Nothing", b"content-length: 0"),
    "status-high": said(b"999 Too much", b"content-length: 0"),
    "status-word": said(b"abc", b"content-length: 0"),
    "folded": OK + b"x-odd: a\r\n b\r\ncontent-length: 0\r\n\r\n",
    "nul": OK + b"x-odd: a\0b\r\ncontent-length: 0\r\n\r\n",
    "space-in-name": OK + b"x odd: a\r\ncontent-length: 0\r\n\r\n",
    "space-after-name": OK + b"content-length : 0\r\n\r\n",
    "bare-lf": b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    "bare-cr": OK + b"x-odd: a\rx-more: b\r\ncontent-length: 0\r\n\r\n",
    "many-headers": OK + b"".join(b"x-%d: 1\r\n" % n for n in range(150)) + b"\r\n",
    "large-header": sized(BODY, b"x-odd: " + b"a" * 40_000),
    "large-head": sized(BODY, *(b"x-%d: " % n + b"a" * 1000 for n in range(40))),
    # interim answers
    "interim-storm": said(b"102 Processing") * 40,
    "switching": said(b"101 Switching", b"upgrade: h2c", b"connection: upgrade") + WHOLE,
    "switching-plain": said(b"101 Switching") + WHOLE,
    "interim-with-body": said(b"100 Continue", b"content-length: 12") + BODY + WHOLE,
    # bodies
    "announces-much": OK + b"content-length: 104857600\r\n\r\n",
    "gzip": sized(zlib.compress(bytes(1_000_000)), b"content-encoding: gzip"),
    "encoded-twice": sized(BODY, b"content-encoding: identity", b"content-encoding: br"),
    # behind the answer
    "trailing": WHOLE + b"behind",
    "trailing-letter": WHOLE + b"H",
    "second-answer": WHOLE + sized(b'{"whose": "?"}'),
    "trailing-chunk": CHUNKED + b"2\r\n{}\r\n" + LAST + b"behind",
    "no-content-with-body": said(b"204 No Content", b"content-length: 12"),
    "no-content-chunked": said(b"204 No Content", b"transfer-encoding: chunked"),
}  # fmt: skip
"""Sent at once; then the next request is awaited."""

CUT: Final[dict[str, bytes]] = {
    "closes": b"",
    "cut-head": OK,
    "cut-status": b"HTTP/1.1 2",
    "cut-body": OK + b"content-length: 100\r\n\r\n" + BODY,
    "cut-chunk": CHUNKED + b"64\r\n" + BODY,
    "cut-between-chunks": CHUNKED + b"c\r\n" + BODY + b"\r\n",
    "cut-last-chunk": CHUNKED + b"c\r\n" + BODY + b"\r\n0\r\n",
    "after-interim": said(b"100 Continue"),
    "until-close": OK + b"\r\n" + BODY,
    "http-1.0": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
}
"""Sent, then closed in good order."""

ENDLESS: Final[dict[str, tuple[bytes, bytes]]] = {
    "endless-head": (OK, b"x-more: and more\r\n"),
    "endless-header": (OK + b"x-more: ", b"and more and more"),
    "endless-status": (b"HTTP/1.1 200 ", b"OK and more"),
    "endless-interim": (b"", said(b"102 Processing")),
    "endless-body": (CHUNKED, b"400\r\n" + b"a" * 1024 + b"\r\n"),
    "endless-until-close": (OK + b"\r\n", b"a" * 1024),
    "endless-extension": (CHUNKED + b"5;", b"and more and more"),
    "endless-extensions": (CHUNKED, b"1;" + b"a" * 2000 + b"\r\nx\r\n"),
    "endless-trailer": (CHUNKED + b"0\r\nx-more: ", b"and more and more"),
    "dust": (CHUNKED, b"1\r\na\r\n" * 100),
}
"""Begins with the first, then sends the second for ever, as fast as it is read."""

DRIPS: Final[dict[str, tuple[bytes, bytes]]] = {
    "hang": (b"", b""),
    "hang-in-head": (OK, b""),
    "hang-in-body": (OK + b"content-length: 100\r\n\r\n", b""),
    "drip-head": (OK + b"x-slow: ", b"a"),
    "drip-body": (OK + b"content-length: 100000\r\n\r\n", b"a"),
    "drip-chunks": (CHUNKED, b"1\r\na\r\n"),
    "drip-status": (b"HTTP/1.1 200 ", b"a"),
}
"""Begins with the first, then sends the second every 20 ms, or nothing."""


class Request(NamedTuple):
    """What arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


class Hostile:
    """One listening socket. `async with Hostile() as server:` then `server.port`."""

    def __init__(self, mode: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.mode = mode
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.accepted = self.open = self.peak = self.sent = 0
        self.port = 0
        self.requests: list[Request] = []
        self.bodies_begun = asyncio.Event()
        self.go = asyncio.Event()
        """For modes that wait until a test says so."""
        self.acts: dict[str, Callable[[Request, asyncio.StreamWriter], Awaitable[bool]]] = {
            "echo": self._echo, "reset": self._reset, "reset-in-body": self._reset_in_body,
            "waits": self._waits, "second-later": self._second_later, "large": self._large,
        }  # fmt: skip

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def closed(self, connections: int = 0) -> None:
        """Wait until no more than so many connections are open here."""
        async with asyncio.timeout(5):
            while self.open > connections:
                await asyncio.sleep(0.002)

    def close_resting(self) -> None:
        """Close every connection from this side, as a server does that restarts."""
        for writer in tuple(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.accepted += 1
        self.open += 1
        self.peak = max(self.peak, self.open)
        number = self.accepted
        try:
            if self.mode == "banner":
                writer.write(WHOLE)
            while await self._one(reader, writer, number):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            self.open -= 1
            writer.transport.abort()

    async def _one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rest = head.rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in rest)}
        mode = self.mode or target.split("?")[0].split("/")[1]
        self.bodies_begun.set()
        if mode == "early":  # answers, and never reads what comes
            writer.write(said(b"413 Too Large", b"content-length: 0"))
            await self.go.wait()
            return False
        if mode == "deaf":
            await self.go.wait()
        request = Request(method, target, headers, await _body(reader, headers), number)
        self.requests.append(request)
        if mode in self.acts:
            return await self.acts[mode](request, writer)
        return await self._play(mode, method, reader, writer)

    async def _play(
        self, mode: str, method: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if mode in ENDLESS or mode in DRIPS:
            start, more = (ENDLESS | DRIPS)[mode]
            writer.write(start)
            while more:
                writer.write(more)
                self.sent += len(more)
                await writer.drain()
                await asyncio.sleep(0.02 if mode in DRIPS else 0)
            await reader.read()
            return False
        if mode in CUT:
            writer.write(CUT[mode])
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            return False
        answer = ANSWERS.get(mode, WHOLE)
        writer.write(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else answer)
        return mode != "last"

    async def _echo(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        seen = request._asdict() | {"body": request.body.decode("latin-1")}
        writer.write(sized(json.dumps(seen).encode()))
        return True

    async def _reset(self, _: Request, writer: asyncio.StreamWriter) -> bool:
        _reset_on_close(writer)
        return False

    async def _reset_in_body(self, _: Request, writer: asyncio.StreamWriter) -> bool:
        writer.write(OK + b"\r\n" + BODY)
        await writer.drain()
        await self.go.wait()
        _reset_on_close(writer)
        return False

    async def _waits(self, _: Request, writer: asyncio.StreamWriter) -> bool:
        await self.go.wait()
        writer.write(WHOLE)
        return True

    async def _second_later(self, _: Request, writer: asyncio.StreamWriter) -> bool:
        writer.write(WHOLE)
        await self.go.wait()
        writer.write(sized(b'{"whose": "?"}'))
        return True

    async def _large(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        size = int(request.target.rpartition("?")[2])
        writer.write(OK + b"content-length: %d\r\n\r\n" % size)
        for at in range(0, size, 65536):
            part = b"a" * min(65536, size - at)
            writer.write(part)
            await writer.drain()
            self.sent += len(part)
        return True


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    parts: list[bytes] = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(parts)


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    """So that the other side sees a reset and no orderly end."""
    sock: socket.socket = writer.get_extra_info("socket")
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
