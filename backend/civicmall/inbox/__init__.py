"""The inbox: what the platform has to tell one citizen, kept until read and for a while after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civicmall.kernel.jobs import Job

from .errors import NoSuchMessage
from .models import Message, ReadAll, Unread
from .personal import personal
from .routes import routers
from .service import forget, listen, messages, read, read_all, send, unread

if TYPE_CHECKING:
    from civicmall.kernel.house import House


def jobs(house: House) -> list[Job]:
    """Forget messages whose time is over."""
    return [Job("inbox.forget", 24 * 3600.0, lambda: forget(house))]


__all__ = [
    "Message", "NoSuchMessage", "ReadAll", "Unread", "forget", "jobs", "listen", "messages", "personal", "read",
    "read_all", "routers", "send", "unread",
]  # fmt: skip
