"""Nouns of the kernel's own tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct


class Delivery(Struct, frozen=True):
    """One event on its way to its handlers. `id` is the same at every attempt."""

    bucket: int
    id: UUID
    type: str
    body: dict[str, Any]
    created_at: datetime
    attempts: int


class OutboxCounts(Struct, frozen=True):
    """Events waiting and events given up on."""

    waiting: int
    dead: int


class KeyRow(Struct, frozen=True):
    """What an Idempotency-Key was used for; `answer` is None while the first request runs."""

    request_hash: bytes
    answer: dict[str, Any] | None
