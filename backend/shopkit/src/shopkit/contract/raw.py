"""Raw calls (since contract 2), for what no capability covers: declared methods and paths only."""

from __future__ import annotations

from msgspec import Struct


class RawAsk(Struct, frozen=True):
    """One raw call as an in-process shop sees it; a remote one gets it as HTTP, streamed."""

    method: str
    path: str
    """Begins with `/`; below the app's raw address."""
    params: dict[str, str]
    """What stands at the `{…}` of the declared path."""
    query: str
    media: str
    body: bytes


class RawAnswer(Struct, frozen=True):
    """Its answer."""

    body: bytes
    media: str = "application/json"
    status: int = 200
