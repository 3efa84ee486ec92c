"""How the server runs: an answer's head and body leave together, and the collector rests."""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .together import Together

YOUNG_MAX: Final = 20_000
"""New objects before the collector looks for rings among them. Python's own 700 are those of ten
requests, nearly all of which go without it; so many are a few megabytes at most."""
OLDER_MAX: Final = 20
"""Looks at the young before those that stayed are looked at too."""


class Protocol(HttpToolsProtocol):
    """Uvicorn's protocol over a transport that gathers."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A caller is there."""
        super().connection_made(transport)
        self.transport: Any = Together(transport, self.loop)


class Server(uvicorn.Server):
    """Uvicorn, with a collector that leaves alone what was made for good."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start. What is there then stays for as long as the process runs."""
        await super().startup(sockets=sockets)
        if not self.should_exit:
            settle()


def settle() -> None:
    """Take all that lives now out of the collector's sight: a tenth of a short request went into
    looking at it again. Only rings need the collector; whatever else goes is freed at once.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, OLDER_MAX, OLDER_MAX)
