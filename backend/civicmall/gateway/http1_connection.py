"""One connection to a remote shop: a request goes out, and one answer comes back or a named error.

The parser is llhttp in its strict mode; what it leaves open is decided here: every limit, which
framings count, and whether the connection is clean enough to carry another request. An answer
that arrives too early, or has anything behind it, ends the connection, so that no citizen gets
what was meant for another.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final, NoReturn, Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from civicmall.kernel.together import Together

from .http1_errors import BadReply, Check, RemoteFault, Silent

HEAD_MAX: Final = 32 * 1024
"""Bytes of an answer's head with all interim ones: twice what common servers accept."""
HEADERS_MAX: Final = 100
"""Lines in a head, as common servers count them."""
INTERIMS_MAX: Final = 8
"""1xx answers before the real one: one or two is usual, a storm of them is none."""
PIECES_MAX: Final = 4096
PIECE_MIN: Final = 16
"""After so many pieces a body must come in pieces of this many bytes on average: each costs us
more time than its sender, and a million chunks of one byte would hold up everybody."""
BUFFER_MAX: Final = 64 * 1024
"""Bytes of a streamed body that wait for its receiver; then the shop is asked to pause."""
IDLE_S: Final = 4.0
"""How long a connection may rest before it is used again: less than the five seconds after which
common servers close theirs, so that a request seldom meets a closing door."""
IDLE_MAX_S: Final = 60.0
"""The same where the shop announces how long it keeps connections."""
AGE_MAX_S: Final = 300.0
"""After this a connection is replaced, so that a shop which moved is left within minutes."""
EARLY_S: Final = 0.002
"""Timers of the loop count in milliseconds and may come so much too early."""
SWITCHING: Final = 101
NO_BODY: Final = frozenset({204, 304})
"""Final answers without a body, whatever their headers say."""
LENGTH, CODING, ENCODING, KEEP = (
    b"content-length", b"transfer-encoding", b"content-encoding", b"keep-alive",
)  # fmt: skip
NOTED: Final = frozenset({LENGTH, CODING, ENCODING, KEEP})
HINT: Final = re.compile(rb"timeout=(\d{1,6})\b")
CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("chunk", "chunk"),
    ("transfer-encoding", "framing"),
    ("duplicate content-length", "framing"),
    ("content-length", "length"),
    ("status", "status"),
)
"""What the parser complains of, in lower case, to the check that it is; the first one counts."""


class Keeper(Protocol):
    """Who owns connections: the pool."""

    def put(self, connection: Connection, now: float) -> None:
        """A clean connection that may be used again."""
        ...

    def lost(self, connection: Connection) -> None:
        """A connection that is closed now."""
        ...


class Connection(asyncio.Protocol):
    """Used by one request at a time: `ask`, then `news` and `take` until `complete`, `release`."""

    __slots__ = (
        "_again", "_arrived", "_bodiless", "_body_max", "_born", "_deadline", "_drained", "_gone",
        "_headers", "_interims", "_keep", "_keeper", "_loop", "_noted", "_parser", "_paused",
        "_pending", "_pieces", "_pieces_seen", "_silent_end", "_size", "_streaming", "_timer",
        "_timer_at", "_transport", "_waiter", "_wrong",
        "busy", "complete", "ended", "error", "headed", "headers", "idle_until", "owned", "status", "uses",
    )  # fmt: skip

    def __init__(self, keeper: Keeper, loop: asyncio.AbstractEventLoop) -> None:
        self._keeper = keeper
        self._loop = loop
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._again = IDLE_S
        self._paused = False
        self._noted: dict[bytes, bytes] = {}
        self._headers: list[tuple[bytes, bytes]] = []
        self._keep = True
        self.busy = False
        self.complete = False
        self._born = 0.0
        self._gone = False
        self.ended = False
        self.owned = False
        self.error: BaseException | None = None
        self.uses = 0
        self.idle_until = 0.0

    def ask(
        self, out: bytes, *, deadline: float, body_max: int, bodiless: bool, streaming: bool
    ) -> asyncio.Future[None]:
        """Send a request. The future is done when the answer is complete; when streaming, as soon
        as its head is there. It raises RemoteFault, or TimeoutError at the deadline (loop time).
        """
        self._deadline = deadline
        self._body_max = body_max
        self._bodiless = bodiless
        self._streaming = streaming
        self._arrived = self._size = self._pending = self._pieces_seen = self._interims = 0
        self._pieces: list[bytes] = []
        self._wrong: BadReply | None = None
        self._silent_end = False
        self.busy = True
        self.headed = self.complete = False
        self.uses += 1
        self._waiter = waiter = self._loop.create_future()
        if self._transport.is_closing():
            self.error = Silent("closed before it was asked", sent=False)
            waiter.set_exception(self.error)
            return waiter
        self._transport.write(out)
        if self._timer is None or deadline < self._timer_at:
            self._arm(deadline)
        return waiter

    async def news(self) -> None:
        """Wait until there is something to take, or the answer is complete. Raises as `ask`."""
        if self.error is not None:
            raise self.error
        if not self._pending and not self.complete:
            self._waiter = self._loop.create_future()
            await self._waiter

    def take(self) -> bytes:
        """The part of the body that has come since the last time; the shop may send more."""
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        self._pending = 0
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        return data

    def write(self, data: bytes) -> None:
        """Send more of the request's body; then wait for `drained`."""
        self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the shop has taken most of what was sent, or the connection has ended."""
        if self._drained is not None:
            await asyncio.shield(self._drained)

    def release(self, *, keep: bool = True) -> None:
        """Give it back after a complete answer; it is closed unless it is clean."""
        self.busy = False
        now = self._loop.time()
        clean = keep and self._keep and self._again > 0 and now < self._born + AGE_MAX_S
        transport = self._transport
        if clean and not transport.is_closing() and not transport.get_write_buffer_size():
            self.idle_until = now + self._again
            self._keeper.put(self, now)
        else:
            transport.abort()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._keep = False
        if not self.ended:
            self._transport.abort()

    def give_up(self) -> None:
        """Nobody waits for it to open any more."""
        self._gone = True
        if self._born and not self.ended:
            self._transport.abort()

    def fail(self, error: BaseException) -> None:
        """End the request with this error."""
        if self.error is None:
            self.error = error
        self.abort()
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_exception(self.error)

    def usable(self, now: float) -> bool:
        """Whether a resting connection may be used again."""
        return now < self.idle_until and not self._transport.is_closing()

    def _arm(self, at: float) -> None:
        """One timer serves many requests: it looks at the deadline of the day when it comes."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._late)

    def _late(self) -> None:
        self._timer = None
        if not self.busy or self.complete:
            return
        if self._loop.time() < self._deadline - EARLY_S:
            self._arm(self._deadline)
        else:
            self.fail(TimeoutError("the shop did not answer in time"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        plain = cast("asyncio.Transport", transport)  # uvloop's is one but in name
        self._transport = Together(plain, self._loop)
        self._born = self._loop.time()
        if self._gone:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        parser = self._parser
        if not self.busy or self.complete or self.error is not None or parser is None:
            if not self.busy:
                self.error = BadReply("unasked", "an answer before there was a request")
            self.abort()
            return
        self._arrived += len(data)
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self.complete:
                self.fail(self._wrong or _named(error))
                return
            self._keep = False
        self._after()

    def _after(self) -> None:
        """Look at where the answer stands after one more read."""
        waiter = self._waiter
        if self.complete:
            if waiter is not None and not waiter.done():
                waiter.set_result(None)
        elif self._arrived - 2 * self._size > HEAD_MAX:
            self._too_much()
        elif self._streaming and self.headed:
            if self._pending > BUFFER_MAX and not self._paused:
                self._paused = True
                self._transport.pause_reading()
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def _too_much(self) -> None:
        """What is no body has outgrown the head's limit and the body."""
        if not self.headed:
            self.fail(BadReply("head-size", f"no end of the head in {HEAD_MAX} bytes"))
        elif self._arrived - 2 * self._size > 3 * HEAD_MAX:
            self.fail(BadReply("chunk", "more around the chunks than in them"))

    def eof_received(self) -> bool:
        if self.busy and self.headed and not self.complete and self._silent_end:
            self.complete = True
            self._keep = False
            self._after()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._parser = None
        self.ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.busy and not self.complete:
            self.fail(self._ended(exc))
        self.resume_writing()
        if self.owned:
            self._keeper.lost(self)

    def _ended(self, exc: Exception | None) -> RemoteFault:
        how = str(exc) or type(exc).__name__ if exc is not None else "closed"
        if not self._arrived:
            return Silent(f"{how} before it answered")
        where = f"in its body after {self._size} bytes" if self.headed else "in its head"
        return BadReply("truncated", f"{how} {where}")

    def pause_writing(self) -> None:
        if self._drained is None:
            self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    def on_message_begin(self) -> None:
        if self.complete:
            self._keep = False
        self._headers = []
        self._noted = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Also called for what follows a chunked body, which nobody gets."""
        name = name.lower()
        headers = self._headers
        headers.append((name, value))
        if name in NOTED:
            noted = self._noted
            noted[name] = noted[name] + b"," + value if name in noted else value
        if len(headers) > HEADERS_MAX:
            self._refuse("headers", f"more than {HEADERS_MAX}")

    def on_headers_complete(self) -> None:
        if self.complete:
            return
        assert self._parser is not None
        status = self._parser.get_status_code()
        if self._arrived > HEAD_MAX:
            self._weigh_head()
        if not 200 <= status < 600:  # noqa: PLR2004 (all classes of final answers)
            self._interim(status)
            return
        noted = self._noted
        bodiless = self._bodiless or status in NO_BODY
        if (length := noted.get(LENGTH)) is not None:
            if not bodiless and int(length) > self._body_max:
                self._refuse("body-size", f"announces {int(length)} of {self._body_max} bytes")
        elif (coding := noted.get(CODING)) is None:
            self._silent_end = True
        elif coding.strip().lower() != b"chunked":
            self._refuse("framing", f"transfer-encoding {coding[:40]!r}")
        if len(noted) > 1 or (noted and LENGTH not in noted):
            self._note(noted)
        self.status = status
        self.headers = self._headers
        self._headers = []
        self.headed = True
        if self._bodiless:
            self.complete = True
            self._keep = False

    def on_body(self, data: bytes) -> None:
        if self.complete:
            return
        length = len(data)
        self._size += length
        self._pending += length
        self._pieces_seen += 1
        if self._size > self._body_max:
            self._refuse("body-size", f"more than {self._body_max} bytes")
        if self._pieces_seen > PIECES_MAX and self._size < self._pieces_seen * PIECE_MIN:
            self._refuse("chunk", f"{self._pieces_seen} pieces of {self._size} bytes")
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        if not self.headed or self.complete:
            return
        assert self._parser is not None
        self.complete = True
        self._keep = self._parser.should_keep_alive()
        if self.status in NO_BODY and (
            CODING in self._noted or (self.status == 204 and LENGTH in self._noted)  # noqa: PLR2004 (No Content)
        ):
            self._keep = False  # it may well send what it announced

    def _interim(self, status: int) -> None:
        """An answer that only says wait; one that wants another protocol is none."""
        self._interims += 1
        if not 100 <= status < 200:  # noqa: PLR2004 (the class of interim answers)
            self._refuse("status", str(status))
        if status == SWITCHING or LENGTH in self._noted or CODING in self._noted:
            self._refuse("interim", f"{status}, unasked for or with a body")
        if self._interims > INTERIMS_MAX:
            self._refuse("interim", f"more than {INTERIMS_MAX}")

    def _weigh_head(self) -> None:
        size = sum(len(name) + len(value) + 4 for name, value in self._headers)
        if size > HEAD_MAX:
            self._refuse("head-size", f"{size} bytes, of at most {HEAD_MAX}")

    def _note(self, noted: dict[bytes, bytes]) -> None:
        """What an answer says beside its length."""
        encoding = noted.get(ENCODING, b"").strip().lower()
        if encoding not in {b"", b"identity"} and not self._streaming:
            self._refuse("encoding", f"{encoding[:40]!r}, though none was accepted")
        if KEEP in noted and (hint := HINT.search(noted[KEEP])):
            self._again = max(0.0, min(int(hint[1]) - 1.0, IDLE_MAX_S))

    def _refuse(self, check: Check, seen: str) -> NoReturn:
        self._wrong = BadReply(check, seen)
        raise self._wrong


def _named(error: Exception) -> BadReply:
    """What the parser found wrong, as one of our checks."""
    said = str(error)
    for part, check in CHECKS:
        if part in said.lower():
            return BadReply(check, said[:100])
    return BadReply("syntax", said[:100])
