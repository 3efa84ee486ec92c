"""How the tests of the client call a server on this machine."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from civicmall.gateway.addresses import Networks, parse_base
from civicmall.gateway.http1 import Client, Reply

BODY_MAX = 256 * 1024
SOON_S = 5.0
"""Longer than anything here takes that isn't meant to be late."""


@asynccontextmanager
async def client(
    port: int, *, prefix: str = "", connections_max: int = 4, tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1", networks: Networks | None = None,
) -> AsyncGenerator[Client]:  # fmt: skip
    scheme = "http" if tls is None else "https"
    base = parse_base(f"{scheme}://{host}:{port}{prefix}", https_only=tls is not None)
    made = Client(
        base,
        networks or Networks.parse("127.0.0.0/8"),
        connections_max=connections_max,
        ssl_context=tls,
    )
    try:
        yield made
    finally:
        await made.close()
        assert made.connections == 0


def soon(seconds: float = SOON_S) -> float:
    return asyncio.get_running_loop().time() + seconds


async def get(c: Client, target: str, **more: Any) -> Reply:
    said: dict[str, Any] = {"deadline": soon(), "body_max": BODY_MAX, **more}
    return await c.request(said.pop("method", "GET"), target, [], said.pop("body", b""), **said)


class Receiver:
    """What a stream passes on; `gate` closed means it takes nothing more."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.parts: list[bytes] = []
        self.ended = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)

    async def head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        assert not self.status
        self.status, self.headers = status, headers

    async def chunk(self, data: bytes, more: bool) -> None:  # noqa: FBT001 (as ASGI has it)
        assert self.status
        assert not self.ended
        assert data or not more
        self.parts.append(data)
        self.ended = not more
        self.begun.set()
        await self.gate.wait()


async def stream(c: Client, target: str, receiver: Receiver, **more: Any) -> Receiver:
    said: dict[str, Any] = {"deadline": soon(), "body_max": BODY_MAX, **more}
    await c.stream(
        said.pop("method", "GET"), target, said.pop("headers", []), said.pop("body", b""),
        on_head=receiver.head, on_chunk=receiver.chunk, **said,
    )  # fmt: skip
    return receiver
