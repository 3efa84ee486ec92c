"""Text messages, as rooms hand them over; who sends them is chosen in app.py."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class Text(Struct, frozen=True):
    """One message to one phone. It is nobody else's business, so it doesn't show in logs."""

    phone: str
    body: str
    code: str = ""
    """The one-time code in it, for a gateway that sends by templates."""

    def __repr__(self) -> str:
        return "Text(…)"


class Sender(Protocol):
    """Hands messages over."""

    async def send(self, text: Text) -> None:
        """Until somebody has taken the message over. Raises Unavailable."""
        ...
