"""The shop that every proxy and client of the bench calls: one small JSON answer, as fast as can be.

`python -m tests.bench.upstream PORT`. It checks no signature: only what is before it is measured.
An address with `slow` in it is never answered.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

import httptools
import msgspec
import uvloop

from shopkit import Enquiry, Figure
from shopkit.texts import both

ANSWER: Final = msgspec.json.encode(
    Enquiry(figures=[Figure("balance", both("余额", "Balance"), "money", 1_234_56)])
)
HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
REPLY: Final = HEAD % (len(ANSWER), ANSWER)


def discovery(url: bytes) -> bytes:
    """What the shop below that address says of itself; it is called as its first segment is."""
    about = {"id": url.split(b"/")[1].decode(), "version": "1.0.0", "contracts": [1, 2]}
    said = msgspec.json.encode(about)
    return HEAD % (len(said), said)


class Answering(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)
        self.url = b""

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """A part of the request's address."""
        self.url += url

    def on_message_complete(self) -> None:
        """The request is here."""
        url, self.url = self.url, b""
        if b"slow" not in url:
            self.transport.write(discovery(url) if b"/.well-known/" in url else REPLY)


async def serve(port: int) -> None:
    """Until ended."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
