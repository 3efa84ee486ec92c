"""Requests to sign, and how the library for RFC 9421 is given them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hypothesis import strategies as st

BODIES: Final = st.none() | st.binary(max_size=64)
ASSERTIONS: Final = st.none() | st.text("abcXYZ019-_.", min_size=1, max_size=64)
METHODS: Final = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"])


@dataclass
class Message:
    """What the library signs and verifies."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict[str, str])
