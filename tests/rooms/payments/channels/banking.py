"""What both counterparts have: a small HTTP server on loopback, keys, and ways to be out of order."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from msgspec import Struct

Answer = tuple[int, dict[str, str], bytes]


class Pair(Struct, frozen=True):
    """One side's keys, as PEM."""

    private: str
    public: str
    key: RSAPrivateKey


def pair() -> Pair:
    """New keys."""
    key = generate_private_key(65537, 2048)
    return Pair(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        key,
    )


class Request(Struct, frozen=True):
    """What came."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, str]:
        """Query and form together."""
        form = self.body.decode() if self.method == "POST" else ""
        return dict(parse_qsl(self.query) + parse_qsl(form))


def application(answer: Callable[[Request], Awaitable[Answer]]) -> Any:
    """An ASGI application of one function."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        raw = scope["raw_path"].decode()
        status, head, content = await answer(
            Request(scope["method"], raw, scope["query_string"].decode(), headers, body)
        )
        length = (b"content-length", str(len(content)).encode())
        sent = [*((k.encode(), v.encode()) for k, v in head.items()), length]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": content})

    return serve


def now() -> int:
    """Seconds, as the banks' stamps have them."""
    return int(time.time())
