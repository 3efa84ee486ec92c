"""What can go wrong on the way to a remote shop: a closed set, and whose fault each is.

A deadline that passes is the builtin TimeoutError. All but `Unsendable` are the shop's or the
network's doing and count on the shop's breaker.
"""

from __future__ import annotations

from typing import Literal

Check = Literal[
    "body-size", "chunk", "encoding", "framing", "head-size", "headers", "interim", "length",
    "status", "syntax", "truncated", "unasked",
]  # fmt: skip
"""What was wrong with an answer:
`body-size` larger than we take · `chunk` not as chunks are written, or dust of them ·
`encoding` compressed though we asked for none · `framing` two ways to say where it ends, or one
that we don't know · `head-size` and `headers` too large a head, too many lines in it ·
`interim` too many 1xx answers, or one that we never asked for · `length` no number ·
`status` none of 200 to 599 · `syntax` no HTTP/1.1 at all · `truncated` ended too early ·
`unasked` came before there was a request."""


class RemoteFault(Exception):
    """The shop's or the network's fault; the base of the set."""


class Unreachable(RemoteFault):
    """No name, no connection, or it closed before it answered; the text says which."""


class Silent(Unreachable):
    """It closed before any byte of the answer: maybe only an old connection that had ended."""

    def __init__(self, why: str, *, sent: bool = True) -> None:
        super().__init__(why)
        self.sent = sent


class Forbidden(RemoteFault):
    """The name leads to an address where no shop may be; see `addresses`."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host}: {why}")


class BadCertificate(RemoteFault):
    """Whoever answers can't prove to be the shop: self-signed, expired, another host's."""


class BadReply(RemoteFault):
    """An answer against HTTP or our limits: which check it failed, and what was seen."""

    def __init__(self, check: Check, seen: str) -> None:
        super().__init__(f"{check}: {seen}")
        self.check: Check = check
        self.seen = seen


class Unsendable(ValueError):
    """A request that no honest caller makes: it would smuggle a header or leave the shop's path."""
