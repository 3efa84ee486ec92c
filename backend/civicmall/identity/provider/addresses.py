"""Clients' addresses: which may be registered, and whether one that came is one of them.

Compared letter by letter (RFC 9700 section 2.1); the one exception is the port of a native app's
loopback address (RFC 8252 section 7.3). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::([1-9][0-9]{0,4}))?(/[^?#]*)?")
PORT_MAX: Final = 65_535
HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"
)
OWN_SCHEME: Final = re.compile(r"[a-z][a-z0-9]*(\.[a-z0-9-]+)+:/[A-Za-z0-9/._~-]*")
"""A name that its owner can prove, backwards, as in `com.example.app:/back` (RFC 8252 section 7.1)."""
TEXT: Final = re.compile(r"[\x21\x23-\x26\x28-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+")
"""What an address is made of: no spaces, no quotes, no backslash, nothing beyond ASCII."""


def matches(registered: Iterable[str], came: str, *, native: bool) -> bool:
    """Whether an address is a registered one."""
    registered = list(registered)
    if came in registered:
        return True
    return native and (bare := _without_port(came)) is not None and bare in {
        _without_port(one) for one in registered
    }  # fmt: skip


def _without_port(address: str) -> tuple[str, str] | None:
    """Host and path of a loopback address; None for any other."""
    found = LOOPBACK.fullmatch(address)
    if found is None or int(found[2] or 80) > PORT_MAX:
        return None
    return found[1], found[3] or ""


def unfit(address: str, *, native: bool, sandbox: bool) -> str:
    """Why an address can't be registered; empty where it can. In a sandbox a program on this machine
    may be a client.
    """
    if not TEXT.fullmatch(address) or len(address) > 400:  # noqa: PLR2004 (as the column's readers do)
        return "an address in ASCII without spaces"
    if "#" in address or "*" in address:
        return "no fragment and no wildcard"
    if (native or sandbox) and LOOPBACK.fullmatch(address) and _without_port(address):
        return "" if "/.." not in address else "no .. in the path"
    if native and OWN_SCHEME.fullmatch(address):
        return ""
    return _unfit_web(address)


def _unfit_web(address: str) -> str:
    """The same for an address on the web."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return "an https:// address"
    if parts.scheme != "https" or not address.startswith("https://"):
        return "an https:// address"
    if parts.username is not None or parts.password is not None or not HOST.fullmatch(
        parts.netloc.rpartition(":")[0] if port is not None else parts.netloc
    ):  # fmt: skip
        return "a host's name in small letters, without a user"
    path = parts.path.lower().replace("%2e", ".").replace("%2f", "/")
    if any(one in {".", ".."} for one in path.split("/")):
        return "no . or .. in the path"
    return ""


def host(address: str) -> str:
    """The host of a web address; empty for a native app's own."""
    parts = urlsplit(address)
    return "" if parts.scheme not in {"https", "http"} else parts.hostname or ""
