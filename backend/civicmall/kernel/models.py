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


class DeadLetter(Struct, frozen=True):
    """An event that was given up on; what it says is left out, for it may be about a citizen.
    `error` names the last fault without data, `shop` the shop that it is for, if any.
    """

    bucket: int
    id: UUID
    type: str
    shop: str | None
    created_at: datetime
    attempts: int
    error: str


class OutboxCounts(Struct, frozen=True):
    """Events waiting and events given up on."""

    waiting: int
    dead: int


class KeyRow(Struct, frozen=True):
    """What an Idempotency-Key was used for; `answer` is None while the first request runs."""

    request_hash: bytes
    answer: dict[str, Any] | None
