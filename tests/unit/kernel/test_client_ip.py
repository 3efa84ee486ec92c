"""Whose address a request has: the socket's, or what a proxy of ours says, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Request

from civicmall.kernel.http import client_ip

OURS = "10.0.0.0/8, fd00::/8"


def request(peer: str | None, *said: str) -> Request[Any, Any, Any]:
    scope: Any = {
        "type": "http", "method": "GET", "path": "/", "query_string": b"", "state": {},
        "client": (peer, 1234) if peer is not None else None,
        "headers": [(b"x-forwarded-for", one.encode()) for one in said],
    }  # fmt: skip
    return Request(scope)


@pytest.mark.parametrize(
    ("peer", "said", "trusted", "found"),
    [
        ("203.0.113.5", (), "", "203.0.113.5"),
        ("203.0.113.5", ("198.51.100.1",), "", "203.0.113.5"),
        ("203.0.113.5", ("198.51.100.1",), OURS, "203.0.113.5"),
        ("10.0.0.1", ("198.51.100.1",), "", "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1",), OURS, "198.51.100.1"),
        ("10.0.0.1", ("1.1.1.1, 198.51.100.1",), OURS, "198.51.100.1"),
        ("10.0.0.1", ("1.1.1.1", "198.51.100.1, 10.9.9.9"), OURS, "198.51.100.1"),
        ("10.0.0.1", ("10.1.1.1, 10.9.9.9",), OURS, "10.1.1.1"),
        ("10.0.0.1", ("198.51.100.1, unknown",), OURS, "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1:4711",), OURS, "198.51.100.1"),
        ("fd00::1", ("[2001:db8::7]:4711",), OURS, "2001:db8::7"),
        ("::ffff:10.0.0.1", ("::ffff:198.51.100.1",), OURS, "198.51.100.1"),
        ("10.0.0.1", (), OURS, "10.0.0.1"),
        ("10.0.0.1", ("",), OURS, "10.0.0.1"),
        (None, ("198.51.100.1",), OURS, ""),
        ("a socket", ("198.51.100.1",), OURS, ""),
    ],
)
def test_addresses(peer: str | None, said: tuple[str, ...], trusted: str, found: str) -> None:
    assert client_ip(request(peer, *said), trusted) == found


@given(spoofed=st.lists(st.ip_addresses().map(str) | st.text(max_size=20), max_size=6))
def test_what_a_caller_writes_changes_nothing(spoofed: list[str]) -> None:
    """A proxy adds the address that it sees on the right; everything left of it is the caller's."""
    written = ", ".join(one.encode("ascii", "ignore").decode().replace(",", " ") for one in spoofed)
    said = f"{written}, 198.51.100.1" if written else "198.51.100.1"
    assert client_ip(request("10.0.0.1", said), OURS) == "198.51.100.1"
    assert client_ip(request("203.0.113.5", said), OURS) == "203.0.113.5"
