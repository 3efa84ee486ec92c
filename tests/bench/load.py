"""A load generator: keep-alive connections that ask again as soon as they are answered.

A process of its own, `python -m tests.bench.load PLAN`; the plan is JSON (class Plan), and so is
the answer on stdout (class Seen). Requests are raw bytes, made beforehand.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import httptools
import msgspec
import uvloop
from msgspec import Struct


class Plan(Struct, frozen=True):
    """What to send: for so many seconds round and round, or (0) each request once."""

    port: int
    requests: list[bytes]
    connections: int
    seconds: float = 0.0


class Seen(Struct, frozen=True):
    """What came back. Latencies in milliseconds."""

    answered: int
    refused: int
    seconds: float
    p50_ms: float
    p99_ms: float
    bytes: int
    """Of the last body."""


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.transport: Any = None
        self.sent_at = 0.0
        self.body = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._next()

    def _next(self) -> None:
        request = self.run.take()
        if request is None:
            self.transport.close()
            return
        self.parser = httptools.HttpResponseParser(self)
        self.body = 0
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """A part of the answer's body."""
        self.body += len(body)

    def on_message_complete(self) -> None:
        """The answer is here."""
        took = time.perf_counter() - self.sent_at
        self.run.note(self.parser.get_status_code(), took, self.body)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self.run.left(exc)


class Run:
    """All connections together."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.took: list[float] = []
        self.refused = self.sent = self.bytes = self.open = 0
        self.ends_at = time.perf_counter() + plan.seconds if plan.seconds else None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self) -> bytes | None:
        """The next request, or None when it is over."""
        count = len(self.plan.requests)
        full = self.ends_at is None and self.sent >= count
        late = self.ends_at is not None and time.perf_counter() >= self.ends_at
        if full or late:
            return None
        self.sent += 1
        return self.plan.requests[(self.sent - 1) % count]

    def note(self, status: int, took: float, size: int) -> None:
        """One answer."""
        self.took.append(took)
        self.refused += status >= 300
        self.bytes = size

    def left(self, error: Exception | None) -> None:
        """A connection is closed."""
        self.open -= 1
        if self.done.done():
            return
        if error is not None:
            self.done.set_exception(error)
        elif self.open == 0:
            self.done.set_result(None)


async def generate(plan: Plan) -> Seen:
    """Send the plan's requests and see what comes back."""
    loop = asyncio.get_running_loop()
    run = Run(plan)
    run.open = plan.connections
    began = time.perf_counter()
    for _ in range(plan.connections):
        await loop.create_connection(lambda: Connection(run), "127.0.0.1", plan.port)
    await run.done
    seconds = time.perf_counter() - began
    took = sorted(run.took) or [0.0]
    return Seen(
        answered=len(run.took),
        refused=run.refused,
        seconds=seconds,
        p50_ms=took[len(took) // 2] * 1000,
        p99_ms=took[len(took) * 99 // 100] * 1000,
        bytes=run.bytes,
    )


def raw(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    head = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        head.append(f"content-length: {len(body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


if __name__ == "__main__":
    asked = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    sys.stdout.write(msgspec.json.encode(uvloop.run(generate(asked))).decode())
