"""The client that calls one remote shop over HTTP/1.1: a request out, an answer or a named error in.

Ours because nothing else is fast enough for the gateway: protocol callbacks and one future for
each request instead of streams. What arrives is judged in `http1_connection`, what leaves is
written in `http1_head`. Redirects are answers like others; nothing is followed or decoded.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeAlias

from msgspec import Struct

from .addresses import Base, Networks
from .http1_connection import Connection
from .http1_errors import (
    BadCertificate,
    BadReply,
    Forbidden,
    RemoteFault,
    Silent,
    Unreachable,
    Unsendable,
)
from .http1_head import BODIED, REPEATABLE, Headers, lines, path, verb
from .http1_pool import Pool

Head: TypeAlias = list[tuple[bytes, bytes]]
OnHead: TypeAlias = Callable[[int, Head], Awaitable[None]]
OnChunk: TypeAlias = Callable[[bytes, bool], Awaitable[None]]

PLAIN: Final = b"accept-encoding: identity\r\n"
"""Typed calls take no compressed answer at all: a bomb can't be packed small then."""


class Reply(Struct, frozen=True):
    """A whole answer; the headers' names are in lower case."""

    status: int
    headers: Head
    body: bytes


class Client:
    """Calls one shop. For one event loop; every time is of its clock (`loop.time()`)."""

    def __init__(
        self,
        base: Base,
        networks: Networks,
        *,
        connections_max: int,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.base = base
        self._pool = Pool(base, networks, connections_max=connections_max, ssl_context=ssl_context)
        self._prefix = b" " + base.prefix.encode()
        self._host = b" HTTP/1.1\r\nhost: " + base.authority.encode() + b"\r\n"

    @property
    def connections(self) -> int:
        """How many are open or about to be."""
        return self._pool.open

    async def close(self) -> None:
        """End every connection at once; requests under way fail with Unreachable."""
        await self._pool.close()

    async def request(
        self,
        method: str,
        target: str,
        headers: Headers,
        body: bytes,
        *,
        deadline: float,
        body_max: int,
        repeatable: bool = False,
    ) -> Reply:
        """A whole answer of at most `body_max` bytes, whatever its status.

        Raises RemoteFault (Unreachable, Forbidden, BadCertificate, BadReply), TimeoutError when
        `deadline` (loop time) passes, Unsendable for what may not be sent. `target` follows the
        base's own path. `repeatable`: a POST that does no harm twice. Whoever is cancelled leaves
        no connection behind that somebody else could get.
        """
        name = verb(method)
        out = self._head(name, target, headers, len(body), PLAIN) + body
        connection = await self._asked(name, out, deadline, body_max, repeatable, streaming=False)
        reply = Reply(connection.status, connection.headers, connection.take())
        connection.release()
        return reply

    async def stream(  # noqa: PLR0913 (both directions of a call, by name)
        self,
        method: str,
        target: str,
        headers: Headers,
        body: AsyncIterator[bytes] | bytes,
        *,
        deadline: float,
        body_max: int,
        on_head: OnHead,
        on_chunk: OnChunk,
        length: int | None = None,
        repeatable: bool = False,
    ) -> None:
        """Pass an answer on as it comes: `on_head(status, headers)` once, then `on_chunk(data,
        more)` until `more` is False. While `on_chunk` waits, the shop is not read from; while the
        shop doesn't read, `body` is not asked for more.

        Raises as `request`, also after `on_head`: then the answer passed on is not whole and its
        receiver must be cut off. `length`: of a `body` that comes in parts; chunked without.
        """
        name = verb(method)
        if isinstance(body, bytes):
            out = self._head(name, target, headers, len(body)) + body
            connection = await self._asked(
                name, out, deadline, body_max, repeatable, streaming=True
            )
            if connection.complete:  # as most are; the shop's connection is free from here on
                status, head, data = connection.status, connection.headers, connection.take()
                connection.release()
                await on_head(status, head)
                await on_chunk(data, False)  # noqa: FBT003 (as ASGI has it: more)
                return
            async with asyncio.timeout_at(deadline):
                await _pour(connection, on_head, on_chunk)
        else:
            out = self._head(name, target, headers, -1 if length is None else length)
            async with asyncio.timeout_at(deadline):
                await self._both_ways(
                    name, out, _Upload(body, length), deadline, body_max, on_head, on_chunk
                )

    def _head(
        self, name: bytes, target: str, headers: Headers, length: int, also: bytes = b""
    ) -> bytes:
        """The request's head; `length` is of its body, -1 if nobody knows."""
        said = name + self._prefix + path(target) + self._host + lines(headers) + also
        if length > 0 or (not length and name in BODIED):
            return said + b"content-length: %d\r\n\r\n" % length
        return said + (b"\r\n" if not length else b"transfer-encoding: chunked\r\n\r\n")

    async def _asked(
        self,
        name: bytes,
        out: bytes,
        deadline: float,
        body_max: int,
        repeatable: bool,  # noqa: FBT001 (private, and called once for each request)
        *,
        streaming: bool,
    ) -> Connection:
        """A connection with an answer; when streaming, at least with its head. A connection that
        had rested and turns out to be dead is replaced once, if the request can be repeated.
        """
        bodiless = name == b"HEAD"
        pool = self._pool
        now = asyncio.get_running_loop().time()
        connection = (pool.pop(now) if now < deadline else None) or await pool.get(deadline)
        try:
            await connection.ask(
                out, deadline=deadline, body_max=body_max, bodiless=bodiless, streaming=streaming
            )
        except Silent as silent:
            safe = repeatable or name in REPEATABLE
            if silent.sent and not (connection.uses > 1 and safe):
                raise
        except BaseException:
            connection.abort()
            raise
        else:
            return connection
        connection = await pool.get(deadline, fresh=True)
        waiter = connection.ask(
            out, deadline=deadline, body_max=body_max, bodiless=bodiless, streaming=streaming
        )
        await _whole(connection, waiter)
        return connection

    async def _both_ways(
        self,
        name: bytes,
        head: bytes,
        upload: _Upload,
        deadline: float,
        body_max: int,
        on_head: OnHead,
        on_chunk: OnChunk,
    ) -> None:
        """Send a body while it comes, and pass on an answer that may begin before its end."""
        first = await upload.next()  # before a connection waits for somebody slow
        connection = await self._pool.get(deadline)
        waiter = connection.ask(
            head + first,
            deadline=deadline,
            body_max=body_max,
            bodiless=name == b"HEAD",
            streaming=True,
        )
        sending = asyncio.create_task(upload.run(connection))
        try:
            await _whole(connection, waiter)
            await _pour(connection, on_head, on_chunk, upload)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _whole(connection: Connection, waiter: asyncio.Future[None]) -> None:
    """Wait for an answer; whoever stops waiting closes the connection."""
    try:
        await waiter
    except BaseException:
        connection.abort()
        raise


class _Upload:
    """A request's body that comes in parts, framed as its head has announced."""

    def __init__(self, body: AsyncIterator[bytes], length: int | None) -> None:
        self._body = body
        self._left = length
        self.done = False

    async def next(self) -> bytes:
        """The next part as it is sent; empty after the last. Raises what its source raises, and
        Unsendable where that is not as long as announced.
        """
        while not self.done:
            try:
                part = await anext(self._body)
            except StopAsyncIteration:
                self.done = True
                if self._left:
                    raise Unsendable("a body shorter than its length") from None
                return b"" if self._left is not None else b"0\r\n\r\n"
            if not part:
                continue  # an empty chunk would be the last one
            if self._left is None:
                return b"%x\r\n%b\r\n" % (len(part), part)
            self._left -= len(part)
            if self._left < 0:
                raise Unsendable("a body longer than its length")
            return part
        return b""

    async def run(self, connection: Connection) -> None:
        """Send the rest. What goes wrong is the answer's error too."""
        try:
            while not self.done and connection.error is None:
                await connection.drained()
                if part := await self.next():
                    connection.write(part)
        except Exception as error:  # noqa: BLE001 (whatever the caller's source raises is its answer)
            connection.fail(error)


async def _pour(
    connection: Connection, on_head: OnHead, on_chunk: OnChunk, upload: _Upload | None = None
) -> None:
    """Pass on an answer whose head is there. A connection whose request was not taken whole
    before its answer ended is not used again.
    """
    try:
        await on_head(connection.status, connection.headers)
        while not connection.complete:
            if data := connection.take():
                await on_chunk(data, True)  # noqa: FBT003 (as ASGI has it: more)
            await connection.news()
        data = connection.take()
    except BaseException:
        connection.abort()
        raise
    connection.release(keep=upload is None or upload.done)
    await on_chunk(data, False)  # noqa: FBT003 (as ASGI has it: more)


__all__ = [
    "BadCertificate", "BadReply", "Client", "Forbidden", "Head", "RemoteFault", "Reply",
    "Unreachable", "Unsendable",
]  # fmt: skip
