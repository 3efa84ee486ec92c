"""How channels are asked: within one deadline, with every answer capped; what fails is `ChannelAway`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec
from msgspec import Struct

from civicmall.kernel import logs
from civicmall.kernel.config import BadSetting
from civicmall.payments.errors import ChannelAway

log = logs.get("payments")
DEADLINE_S: Final = 10.0
"""From the name's lookup to the last byte; a citizen waits for some of these answers."""
ANSWER_MAX: Final = 256 * 1024
"""Bytes; the longest real ones have a few thousand."""
FILE_S: Final = 300.0
FILE_MAX: Final = 256 * 1024 * 1024
"""Bytes of a statement as it comes, packed: millions of payments."""
UNPACKED_MAX: Final = 2 * 1024 * 1024 * 1024
IN_MEMORY_MAX: Final = 4 * 1024 * 1024
"""Of a statement; what is beyond goes to a temporary file."""
PLAIN: Final = {"accept-encoding": "identity"}
"""Nothing is unpacked on the way: a small answer stays small."""
LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}


MALFORMED: Final = (ValueError, RecursionError, msgspec.MsgspecError)
"""What reading somebody else's JSON raises; the second for brackets without end."""


class Answer(Struct, frozen=True):
    """What came, unpacked and not yet believed."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes


class _TooMuch(Exception):
    """More than the cap."""


class _Packed(Exception):
    """Packed, though we asked for it plain."""


WRONG: Final = (httpx.HTTPError, httpx.InvalidURL, OSError, _TooMuch, _Packed)
"""TimeoutError is an OSError."""


class Outward:
    """The way to one channel."""

    def __init__(self, channel: str, client: httpx.AsyncClient) -> None:
        self._channel = channel
        self._client = client

    def away(self, reason: str) -> ChannelAway:
        """The problem, with the reason in our log alone."""
        log.warning("channel.away", channel=self._channel, reason=reason)
        return ChannelAway(channel=self._channel)

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """One question, whatever the status of its answer. Raises ChannelAway."""
        try:
            async with (
                asyncio.timeout(DEADLINE_S),
                self._client.stream(
                    method, url, headers={**PLAIN, **(headers or {})}, content=body,
                    timeout=DEADLINE_S,
                ) as got,
            ):  # fmt: skip
                read = [piece async for piece in _capped(got, ANSWER_MAX)]
                return Answer(got.status_code, got.headers, b"".join(read))
        except WRONG as error:
            raise self.away(type(error).__name__) from error

    async def fetch(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> SpooledTemporaryFile[bytes]:
        """A whole file, at its beginning; close it. Raises ChannelAway."""
        file = SpooledTemporaryFile[bytes](max_size=IN_MEMORY_MAX)
        try:
            async with (
                asyncio.timeout(FILE_S),
                self._client.stream(
                    "GET", url, headers={**PLAIN, **(headers or {})}, timeout=DEADLINE_S
                ) as got,
            ):
                if got.status_code != HTTPStatus.OK:
                    raise self.away(f"file: {got.status_code}")
                async for piece in _capped(got, FILE_MAX):
                    file.write(piece)
        except WRONG as error:
            file.close()
            raise self.away(f"file: {type(error).__name__}") from error
        except ChannelAway:
            file.close()
            raise
        file.seek(0)
        return file


async def _capped(got: httpx.Response, most: int) -> AsyncIterator[bytes]:
    if got.headers.get("content-encoding", "identity") != "identity":
        raise _Packed
    size = 0
    async for piece in got.aiter_raw():
        size += len(piece)
        if size > most:
            raise _TooMuch
        yield piece


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Where an address leads: only there go signed requests. Raises ValueError."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def is_at(url: str, gateway: str) -> bool:
    """Whether an address that we were told is the gateway's own host."""
    try:
        return origin(url) == origin(gateway)
    except ValueError:
        return False


def check_gateway(name: str, url: str) -> None:
    """TLS, but on this machine. Raises BadSetting."""
    try:
        scheme, host, _ = origin(url)
    except ValueError:
        scheme, host = "", None
    if not host or not (scheme == "https" or (scheme == "http" and host in LOOPBACK)):
        raise BadSetting(name, "an address that begins with https://")
