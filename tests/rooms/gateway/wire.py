"""HTTP/1.1 by hand, for what no well-behaved client sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
from msgspec import Struct
from tests.city import City

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Answer(Struct, frozen=True):
    """What came back. `whole`: it ended where it said that it would."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    whole: bool = True

    def header(self, name: str) -> str:
        """One header's value; empty where there is none."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def problem(self) -> dict[str, Any]:
        """The body of a problem."""
        assert self.header("content-type") == "application/problem+json"
        found: dict[str, Any] = json.loads(self.body)
        return found


def token_of(client: httpx.AsyncClient) -> str:
    """The bearer token that a client carries."""
    return client.headers["authorization"].removeprefix("Bearer ")


def head(method: str, target: str | bytes, token: str, *lines: str) -> bytes:
    """The head of a request."""
    where = target if isinstance(target, bytes) else target.encode()
    said = ("host: city", f"authorization: Bearer {token}", *lines)
    return (
        method.encode() + b" " + where + b" HTTP/1.1\r\n" + "\r\n".join(said).encode() + b"\r\n\r\n"
    )


@asynccontextmanager
async def line(city: City) -> AsyncGenerator[Streams]:
    """A connection to the city."""
    at = urlsplit(city.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def ask(city: City, request: bytes, *, method: str = "GET") -> Answer:
    """One request as these bytes, and its answer."""
    async with asyncio.timeout(10), line(city) as (reader, writer):
        writer.write(request)
        return await read(reader, method)


async def read(reader: asyncio.StreamReader, method: str = "GET") -> Answer:
    """An answer, as far as it came."""
    first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
    status = int(first.split(" ")[1])
    headers = [(k.lower(), v.strip()) for k, _, v in (one.partition(":") for one in rest)]
    known = dict(headers)
    if method == "HEAD" or status in {204, 304}:
        return Answer(status, headers, b"")
    try:
        if known.get("transfer-encoding") == "chunked":
            return Answer(status, headers, *await _chunks(reader))
        return Answer(status, headers, await reader.readexactly(int(known["content-length"])))
    except asyncio.IncompleteReadError as error:
        return Answer(status, headers, error.partial, whole=False)


async def _chunks(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    while True:
        size = await reader.readline()
        if not size:
            return b"".join(parts), False
        try:
            part = await reader.readexactly(int(size, 16) + 2)
        except asyncio.IncompleteReadError as error:
            return b"".join([*parts, error.partial]), False
        if part == b"\r\n":
            return b"".join(parts), True
        parts.append(part[:-2])
