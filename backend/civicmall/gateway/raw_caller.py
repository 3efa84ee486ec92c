"""The caller's side of a raw call: their body as it comes, and the answer as it goes back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec

from civicmall.kernel import http, i18n, logs
from civicmall.kernel.errors import BadRequest, Problem, TooLarge
from shopkit import RawAnswer
from shopkit.answers import WrongAnswer

log = logs.get("gateway")
WATCH_S: Final = 0.1
"""Most calls have ended by then; of the others we look whether somebody still waits for them."""
ANSWERED: Final = frozenset(
    {
        b"content-type", b"content-length", b"content-encoding", b"content-language", b"content-range",
        b"content-disposition", b"etag", b"last-modified", b"retry-after", b"vary", b"accept-ranges",
    }
)  # fmt: skip
"""What of the shop's headers comes back: it sets no cookie here and allows nobody else in."""
ALONE: Final = (b"content-security-policy", b"sandbox; default-src 'none'")
"""Should a browser ever show such an answer, it is nobody's page."""
VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
MEDIA: Final = re.compile(r"[\x21-\x7e]+/[\x20-\x7e]+")
MEDIA_MAX: Final = 200
"""Characters of a media type with its parameters; real ones have fewer than a hundred."""
BODILESS: Final = frozenset({204, 304})
"""Their length, if any, is of what they don't have."""


class Hearing:
    """What comes from the caller. `done`: the body has come whole."""

    def __init__(self, receive: Any, most: int) -> None:
        self._receive = receive
        self._most = most
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None
        self.done = False
        self.holds_up = False
        """Whether the caller is who is waited for; also when they have left."""

    async def parts(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises TooLarge; BadRequest when they go away."""
        seen = 0
        while not self.done:
            self.holds_up = True  # and stays so where this wait is broken off
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("the body ended early", field="body")
            self.holds_up = False
            part: bytes = message.get("body", b"")
            seen += len(part)
            if seen > self._most:
                raise TooLarge(limit_bytes=self._most)
            self.done = not message.get("more_body")
            if part:
                yield part

    async def whole(self) -> bytes:
        """The body in one piece. Raises as `parts`."""
        return b"".join([part async for part in self.parts()])

    def watch(self, until: asyncio.Timeout, answering: Answering, timeout_s: float) -> None:
        """From here on `until` ends what is inside it after `timeout_s`, or at once should the
        caller leave. One timer for both: hardly a call is still there when it goes off.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timer = loop.call_at(
            now + min(WATCH_S, timeout_s), self._look, until, answering, now + timeout_s
        )

    def unwatch(self) -> None:
        """The call has ended."""
        if self._timer is not None:
            self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _look(self, until: asyncio.Timeout, answering: Answering, ends_at: float) -> None:
        loop = asyncio.get_running_loop()
        if until.when() is None:
            until.reschedule(ends_at)
        if self.done:
            self._watching = loop.create_task(self._until_left(until, answering))
        else:  # whoever reads the body learns of it
            self._timer = loop.call_later(WATCH_S, self._look, until, answering, ends_at)

    async def _until_left(self, until: asyncio.Timeout, answering: Answering) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not (answering.ended or until.expired()):
            self.holds_up = True
            until.reschedule(asyncio.get_running_loop().time())


class Answering:
    """What goes to the caller: once it has begun it can only be cut off."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self.begun = False
        self.ended = False
        self.holds_up = False
        """Whether the caller is who is waited for: they don't read."""

    async def head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """A shop's status and those of its headers that may pass. Raises WrongAnswer."""
        if not 200 <= status < 600 or (300 <= status < 400 and status != 304):  # noqa: PLR2004 (RFC 9110)
            raise WrongAnswer("redirect", f"status {status}; redirects are not followed")
        kept = [(name, value) for name, value in headers if name in ANSWERED]
        if status in BODILESS:
            kept = [(name, value) for name, value in kept if name != b"content-length"]
        if not VALUE.fullmatch(b"".join([value for _, value in kept])):
            raise WrongAnswer("headers", "a control character in a value")
        self.begun = True
        await self._say(
            {"type": "http.response.start", "status": status, "headers": [*kept, ALONE]}
        )

    async def chunk(self, data: bytes, more: bool) -> None:  # noqa: FBT001 (as ASGI has it)
        """A part of the body."""
        self.ended = not more
        await self._say({"type": "http.response.body", "body": data, "more_body": more})

    async def _say(self, message: dict[str, Any]) -> None:
        self.holds_up = True  # and stays so where this wait is broken off
        await self._send(message)
        self.holds_up = False

    async def whole(self, answer: RawAnswer, most: int) -> None:
        """An answer in one piece. Raises WrongAnswer."""
        if len(answer.body) > most:
            raise WrongAnswer("body-size", f"{len(answer.body)} bytes, {most} declared")
        if len(answer.media) > MEDIA_MAX or not MEDIA.fullmatch(answer.media):
            raise WrongAnswer("content-type", repr(answer.media[:60]))
        body = b"" if answer.status in BODILESS else answer.body
        length = (b"content-length", b"%d" % len(body))
        await self.head(answer.status, [(b"content-type", answer.media.encode()), length])
        await self.chunk(body, False)  # noqa: FBT003 (as ASGI has it)

    async def refuse(self, problem: Problem, lang: i18n.Lang) -> None:
        """A problem, unless the answer has begun: then it stays unfinished, and the server closes
        the connection, so that nobody takes it for whole.
        """
        if self.begun:
            log.warning("raw.cut_off", problem=problem.type)
            return
        body = msgspec.json.encode(http.body_of(problem, lang))
        headers = [
            (b"content-type", http.PROBLEM_JSON.encode()),
            (b"content-length", b"%d" % len(body)),
            *((k.lower().encode(), v.encode()) for k, v in http.headers_of(problem).items()),
        ]
        await self._send(
            {"type": "http.response.start", "status": problem.status, "headers": headers}
        )
        await self._send({"type": "http.response.body", "body": body})
