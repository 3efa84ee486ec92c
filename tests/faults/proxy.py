"""A TCP proxy before PostgreSQL that does to the bytes what bad networks do."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final, Literal, Self

Mode = Literal["pass", "delay", "drop", "reset", "half-close", "throttle", "garble"]
DELAY_S: Final = 0.02
THROTTLE: Final = 64_000
"""Bytes a second."""
CHUNK: Final = 16_384


class Proxy:
    """Forwards from a free port of the loopback interface to a Unix socket; `mode` is for all."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._writers: set[asyncio.StreamWriter] = set()
        self.mode: Mode = "pass"
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def become(self, mode: Mode) -> None:
        """From now on. What can only happen once happens to all that are connected."""
        self.mode = mode
        if mode == "reset":
            self.cut()
        elif mode == "half-close":
            for writer in self._writers:
                with suppress(OSError):
                    writer.write_eof()

    def cut(self) -> None:
        """Reset every connection, without a word of goodbye."""
        for writer in self._writers:
            raw = writer.get_extra_info("socket")
            if raw.family != socket.AF_UNIX:
                with suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs, ours = await asyncio.open_unix_connection(self._path)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, ours}
        self._writers |= both
        if self.mode == "reset":
            self.cut()
        pumps = [
            asyncio.create_task(self._pump(reader, ours)),
            asyncio.create_task(self._pump(theirs, writer)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        self._writers -= both
        for one in both:
            one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                match self.mode:
                    case "drop":
                        continue
                    case "delay":
                        await asyncio.sleep(DELAY_S)
                    case "throttle":
                        await asyncio.sleep(len(chunk) / THROTTLE)
                    case "garble":
                        chunk = bytes(byte ^ 0x55 for byte in chunk)
                    case _:
                        pass
                writer.write(chunk)
                await writer.drain()
