"""The connections to one shop: never more than agreed, the last used first, dirty ones never."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import Final

from .addresses import Base, Networks
from .http1_connection import Connection
from .http1_errors import BadCertificate, Unreachable

CONNECT_S: Final = 3.0
"""How long one address of several is tried: a dead one must not use up the time of the others."""


class Pool:
    """Connections to one base address. Everything happens on one loop."""

    def __init__(
        self,
        base: Base,
        networks: Networks,
        *,
        connections_max: int,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._base = base
        self._networks = networks
        self._max = connections_max
        self._tls = _context(base, ssl_context)
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._open = 0
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._closed = False
        self._empty: asyncio.Future[None] | None = None

    @property
    def open(self) -> int:
        """Connections that are open or about to be."""
        return self._open

    def pop(self, now: float) -> Connection | None:
        """A resting connection that can be used at once. Stale ones are closed on the way."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.usable(now):
                return connection
            connection.abort()
        return None

    async def get(self, deadline: float, *, fresh: bool = False) -> Connection:
        """A connection, resting or new, or the next that is given back.

        Raises TimeoutError at the deadline, Unreachable, Forbidden, BadCertificate. With `fresh`
        the resting ones are given up: one of them turned out to be dead, so the others may be.
        """
        loop = asyncio.get_running_loop()
        if self._closed:
            raise Unreachable("the client is closed")
        if deadline <= loop.time():
            raise TimeoutError("no time left to call the shop")
        if fresh:
            while self._idle:
                self._idle.pop().abort()
        elif (resting := self.pop(loop.time())) is not None:
            return resting
        if self._open >= self._max:
            given = await self._turn(loop, deadline)
            if given is not None:
                return given
        else:
            self._open += 1
        return await self._connect(loop, deadline)

    def put(self, connection: Connection, now: float) -> None:
        """A clean connection that may be used again: to whoever waits first, or to rest."""
        if self._closed:
            connection.abort()
        elif (waiter := self._next()) is not None:
            waiter.set_result(connection)
        else:
            idle = self._idle
            if idle and not idle[0].usable(now):
                idle.pop(0).abort()
            idle.append(connection)

    def lost(self, connection: Connection) -> None:
        """A connection that is closed now."""
        if connection in self._idle:
            self._idle.remove(connection)
        self._all.discard(connection)
        self._vacate()
        if not self._all and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    async def close(self) -> None:
        """End everything at once; requests under way fail with Unreachable."""
        self._closed = True
        while (waiter := self._next()) is not None:
            waiter.set_exception(Unreachable("the client is closed"))
        for connection in tuple(self._all):
            connection.fail(Unreachable("the client is closed"))
        if self._all:
            self._empty = asyncio.get_running_loop().create_future()
            await self._empty

    def _vacate(self) -> None:
        """Give the place of a connection that is no more to the next who waits."""
        waiter = self._next()
        if waiter is not None:
            waiter.set_result(None)
        else:
            self._open -= 1

    def _next(self) -> asyncio.Future[Connection | None] | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None

    async def _turn(self, loop: asyncio.AbstractEventLoop, deadline: float) -> Connection | None:
        """Wait for a connection that is given back, or (None) for the place of one that ended."""
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        self._waiting.append(waiter)

        def late() -> None:
            if not waiter.done():
                waiter.set_exception(TimeoutError("no connection became free in time"))

        timer = loop.call_at(deadline, late)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                given = waiter.result()  # it came just as its user went
                if given is None:
                    self._vacate()
                else:
                    self.put(given, loop.time())
            raise
        finally:
            timer.cancel()

    async def _connect(self, loop: asyncio.AbstractEventLoop, deadline: float) -> Connection:
        """Open a connection in a place that is already counted."""
        connection: Connection | None = None
        try:
            async with asyncio.timeout_at(deadline):
                address = await self._networks.resolve(self._base.host, self._base.port)
                connection = await self._first(loop, address.ips, deadline)
            self._own(connection)
        except BaseException:
            if connection is None or not connection.owned:
                self._vacate()
            raise
        return connection

    def _own(self, connection: Connection) -> None:
        """From here on its end is what gives its place away. Raises if it has ended already."""
        if self._closed:
            connection.give_up()
            raise Unreachable("the client is closed")
        if connection.ended:
            raise connection.error or Unreachable("closed as soon as it was open")
        connection.owned = True
        self._all.add(connection)
        if connection.error is not None:
            raise connection.error

    async def _first(
        self, loop: asyncio.AbstractEventLoop, ips: tuple[str, ...], deadline: float
    ) -> Connection:
        """A connection to the first address that takes one."""
        for ip in ips[:-1]:
            try:
                async with asyncio.timeout_at(min(deadline, loop.time() + CONNECT_S)):
                    return await self._dial(loop, ip)
            except (TimeoutError, Unreachable):
                continue
        return await self._dial(loop, ips[-1])

    async def _dial(self, loop: asyncio.AbstractEventLoop, ip: str) -> Connection:
        connection = Connection(self, loop)
        try:
            await loop.create_connection(
                lambda: connection,
                ip,
                self._base.port,
                ssl=self._tls,
                server_hostname=None if self._tls is None else self._base.host,
            )
        except ssl.SSLCertVerificationError as error:
            raise BadCertificate(error.verify_message or str(error)) from None
        except OSError as error:
            raise Unreachable(f"no connection to {ip}: {error or type(error).__name__}") from None
        except BaseException:
            connection.give_up()
            raise
        return connection


def _context(base: Base, given: ssl.SSLContext | None) -> ssl.SSLContext | None:
    """TLS that checks the chain and the host's name, whatever was given."""
    if base.scheme != "https":
        return None
    context = given or ssl.create_default_context()
    if not context.check_hostname or context.verify_mode != ssl.CERT_REQUIRED:
        raise ValueError("a TLS context that does not check who answers")
    context.hostname_checks_common_name = False  # a certificate names its hosts in one place
    return context
