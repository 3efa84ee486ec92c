"""ASGI applications on free ports of the loopback interface, over real HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Literal

import uvicorn


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listener() -> socket.socket:
    """A socket bound to a free port, for who must know the port before anything serves on it."""
    found = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio sets NODELAY only then
    found.bind(("127.0.0.1", 0))
    return found


async def begin(server: uvicorn.Server, *sockets: socket.socket) -> asyncio.Task[None]:
    """Returns once it serves; the task ends after `should_exit` is set."""
    serving = asyncio.create_task(server.serve(list(sockets) or None))
    while not server.started:
        if serving.done():
            await serving
            raise RuntimeError("the server did not start")
        await asyncio.sleep(0.005)
    return serving


@asynccontextmanager
async def served(
    application: Any,
    on: socket.socket | None = None,
    *,
    http: Any = "httptools",
    lifespan: Literal["on", "off"] = "on",
) -> AsyncGenerator[str]:
    """Its address, until left."""
    with on or listener() as found:
        config = uvicorn.Config(
            application, http=http, lifespan=lifespan, log_config=None, access_log=False,
            proxy_headers=False,
        )  # fmt: skip
        server = uvicorn.Server(config)
        serving = await begin(server, found)
        try:
            yield f"http://127.0.0.1:{found.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
