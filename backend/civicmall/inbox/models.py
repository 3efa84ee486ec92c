"""Nouns of the inbox."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class MessageRow(Struct, frozen=True):
    """A message as kept: words in every language, so that it is read in the reader's."""

    id: UUID
    kind: str
    title: dict[str, str]
    body: dict[str, str]
    link: str
    sent_at: datetime
    read_at: datetime | None


class Message(Struct, frozen=True):
    """A message in the reader's language. `link` is a path in the app; it may be followed."""

    id: UUID
    kind: str
    """Room and occasion, as in `ratings.opened`: for icons, never for deciding anything."""
    title: str
    body: str
    link: str
    sent_at: datetime
    read_at: datetime | None


class Unread(Struct, frozen=True):
    """How many messages wait to be read; counted up to `UNREAD_SHOWN_MAX`."""

    unread: int


class ReadAll(Struct, frozen=True):
    """How many messages were marked as read by this request."""

    read: int
