"""The head of a request as bytes, with no way to put a second header or request into it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from .http1_errors import Unsendable

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
CLIMBING: Final = re.compile(
    r"(?:[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:[/\\;]|%2f|%5c|%3b|$)", re.IGNORECASE
)
"""A segment of dots however it is written: servers resolve it after the shop's prefix was added."""
OURS: Final = frozenset(
    b"connection content-length expect host keep-alive proxy-connection te trailer "
    b"transfer-encoding upgrade".split()
)
"""Headers that say where a request ends or how its connection is used. Only the client sets them:
given twice, two servers on the way could see two different requests."""
METHODS: Final = {
    name: name.encode() for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
}
BODIED: Final = frozenset({b"POST", b"PUT", b"PATCH"})
"""Methods that say `content-length: 0` where there is no body."""
REPEATABLE: Final = frozenset({b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS"})
"""Idempotent by RFC 9110 §9.2.2: may be sent again where it is unknown whether it arrived."""
NAMES_MAX: Final = 1024
"""Checked names that we remember: more than the world uses, and too few to fill the memory."""
_sound: set[bytes] = set()


def verb(method: str) -> bytes:
    """The method as it is sent. Raises Unsendable; CONNECT and TRACE are nothing for a shop."""
    found = METHODS.get(method)
    if found is None:
        raise Unsendable(f"the method {method[:20]!r} is none that a shop gets")
    return found


def path(target: str) -> bytes:
    """The target as it is sent. Raises Unsendable."""
    visible = target.isascii() and target.isprintable() and " " not in target
    if not visible or not target.startswith("/") or "#" in target:
        raise Unsendable("the target is no path that starts with / and has visible ASCII only")
    if ("." in target or "%" in target) and CLIMBING.search(target.partition("?")[0]):
        raise Unsendable("the target has a segment of dots")
    return target.encode()


def lines(headers: Headers) -> bytes:
    """The headers, a line each. Raises Unsendable for a bad name or a value that would break out."""
    parts: list[bytes] = []
    for name, value in headers:
        if name not in _sound:
            _check(name)
        parts += (name, b": ", value, b"\r\n")
    said = b"".join(parts)
    ends = len(headers)
    if said.count(b"\n") != ends or said.count(b"\r") != ends or 0 in said:
        raise Unsendable("a header's value has a line break or a NUL")
    return said


def _check(name: bytes) -> None:
    if TOKEN.fullmatch(name) is None:
        raise Unsendable(f"{name[:40]!r} is no name of a header")
    if name.lower() in OURS:
        raise Unsendable(f"{name.decode()} is the client's own to say")
    if len(_sound) < NAMES_MAX:
        _sound.add(name)
