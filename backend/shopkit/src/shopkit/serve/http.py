"""Requests and answers of a served shop as ASGI has them: bodies with a cap, problems, JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import msgspec
from msgspec import Struct

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_MAX: Final = 1024 * 1024
"""Bytes of a question. A form of sixty full fields has 500 kB; more is no question."""
JSON: Final = b"application/json"
TITLES: Final = {
    "not-found": "There is no such thing here.",
    "refused": "The department declines.",
    "bad-form": "Some values don't fit.",
    "bad-request": "This is no question of the contract.",
    "unavailable": "The department's system does not answer now.",
    "signature": "This request is not signed as it must be.",
    "assertion": "This request does not say for whom it is.",
    "deadline": "It took too long.",
    "failed": "The shop has a fault.",
}
"""By type: the closed set of what a served shop answers instead of what was asked."""


class Fault(Exception):
    """A problem+json to come: a type of TITLES, a status, and members beside the detail."""

    def __init__(
        self, status: int, kind: str, detail: str = "", *, headers: tuple[tuple[bytes, bytes], ...] = (),
        **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(f"{status} {kind}: {detail}")
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = headers
        self.more = more


class Gone(Exception):
    """Whoever asked has left; nobody is there to be answered."""


class Answer(Struct, frozen=True):
    """What goes back."""

    status: int
    body: bytes = b""
    media: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


def problem(fault: Fault) -> Answer:
    """A fault as problem+json (RFC 9457)."""
    said = {
        "type": fault.kind, "title": TITLES[fault.kind], "status": fault.status,
        **({"detail": fault.detail} if fault.detail else {}), **fault.more,
    }  # fmt: skip
    return Answer(
        fault.status, msgspec.json.encode(said), b"application/problem+json", fault.headers
    )


async def read(scope: Scope, receive: Receive, most: int) -> bytes:
    """The body. Raises Fault 413 above `most` bytes, Gone."""
    said = header(scope, b"content-length")
    if said.isdigit() and int(said) > most:
        raise _too_large(most)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            raise _too_large(most)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def _too_large(most: int) -> Fault:
    # What is left of the body is not read: the connection can't be used again.
    return Fault(
        413, "bad-request", f"a body of more than {most} bytes", headers=((b"connection", b"close"),)
    )  # fmt: skip


def header(scope: Scope, name: bytes) -> bytes:
    """A header's value, the first where it stands twice; empty where there is none."""
    return next((value for key, value in scope["headers"] if key == name), b"")


async def reply(send: Send, answer: Answer, *, bodiless: bool = False) -> None:
    """Send it; `bodiless` is for HEAD."""
    headers = [
        (b"content-length", b"%d" % len(answer.body)), (b"cache-control", b"no-store"), *answer.headers,
    ]  # fmt: skip
    if answer.media:
        headers.append((b"content-type", answer.media))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bodiless else answer.body})
