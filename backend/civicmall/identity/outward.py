"""How this room asks others: within one deadline, every answer capped, no redirects followed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec
from msgspec import Struct

from civicmall.kernel.config import BadSetting

DEADLINE_S: Final = 6.0
"""From the name's look-up to the last byte: a citizen waits before a white page."""
ANSWER_MAX: Final = 128 * 1024
"""Bytes; the longest real ones (metadata, keys) have about ten thousand."""
ASKED: Final = {"accept": "application/json", "accept-encoding": "identity"}
"""Nothing is unpacked on the way: a small answer stays small."""
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
MALFORMED: Final = (ValueError, RecursionError, msgspec.MsgspecError)
"""What reading somebody else's JSON raises; the second for brackets without end."""


class Answer(Struct, frozen=True):
    """What came, not yet believed."""

    status: int
    body: bytes


class Silent(Exception):
    """No answer that could be read: refused, too slow, too long, packed; says which."""


async def ask(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Answer:
    """One question, whatever the status of its answer; a redirect is an answer. Raises Silent."""
    try:
        async with (
            asyncio.timeout(DEADLINE_S),
            client.stream(
                method, url, headers={**ASKED, **(headers or {})}, content=body,
                timeout=DEADLINE_S, follow_redirects=False,
            ) as got,
        ):  # fmt: skip
            return Answer(got.status_code, await _capped(got))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # TimeoutError is an OSError
        raise Silent(type(error).__name__) from error


async def _capped(got: httpx.Response) -> bytes:
    if got.headers.get("content-encoding", "identity") != "identity":
        raise Silent("packed")
    read = bytearray()
    async for piece in got.aiter_raw():
        read += piece
        if len(read) > ANSWER_MAX:
            raise Silent("too-long")
    return bytes(read)


def is_safe(url: str) -> bool:
    """An address over TLS without user, password or fragment; on this machine plain HTTP will do."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.fragment or parts.username is not None or "\\" in url or not url.isascii():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


def check_address(name: str, url: str) -> None:
    """Raises BadSetting."""
    if not is_safe(url):
        raise BadSetting(name, "an address that begins with https://")
