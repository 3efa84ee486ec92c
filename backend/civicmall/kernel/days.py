"""Business days that are closed after they end, chained and signed: what the ledger and the audit share.

A room says what a bucket's digest is made of; how days are reckoned, when one may be closed, what its
root is and who signed it is the same for all (ADR 0023, 0038).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from msgspec import Struct

from shopkit.keys import Key

from .clock import CITY
from .crypto import Keys

NOTHING: Final = bytes(32)
"""What the first of a chain follows: a day, a root, a line."""
GRACE_S: Final = 900.0
"""How long after midnight a day may be closed. The program's statements end within ten seconds
(kernel.db) and its idle transactions within thirty; the rest is for clocks that are put right."""
OVERDUE_S: Final = 6 * 3_600.0
"""A day that is still not closed so long after its end is missing."""


def day_of(at: datetime) -> date:
    """The business day of an instant."""
    return at.astimezone(CITY).date()


def start_of(day: date) -> datetime:
    """The first instant of a business day."""
    return datetime.combine(day, time.min, CITY).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The first instant that is no more of this day."""
    return start_of(day + timedelta(days=1))


def instant(at: datetime) -> str:
    """UTC, always with six decimals."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Standing(Struct, frozen=True):
    """Where closing stands, by the database's clock."""

    now_at: datetime
    last_on: date | None
    """The newest closed day."""
    first_at: datetime | None
    """The oldest entry, while no day is closed."""
    oldest_at: datetime | None
    """When the oldest of the program's statements that still run began."""


def due(standing: Standing, waits: Callable[[date, datetime], object]) -> date | None:
    """The next day to close, if it can be: the grace is over and nothing of it still runs; `waits`
    hears of a day for which something does, and since when.
    """
    if standing.last_on is not None:
        day = standing.last_on + timedelta(days=1)
    elif standing.first_at is not None:
        day = day_of(standing.first_at)
    else:
        return None
    if (standing.now_at - end_of(day)).total_seconds() < GRACE_S:
        return None
    if standing.oldest_at is not None and standing.oldest_at < end_of(day):
        waits(day, standing.oldest_at)
        return None
    return day


def root(name: str, day: date, previous: bytes, digests: Mapping[int, bytes]) -> bytes:
    """The one string for a day and all before it; `digests` has every bucket, `name` is the format's."""
    found = hashlib.sha256(f"{name} {day} {previous.hex()}\n".encode())
    for bucket in sorted(digests):
        found.update(f"{digests[bucket].hex()}\n".encode())
    return found.digest()


class Seal:
    """Signs roots of one format with a key that lies in no database."""

    def __init__(self, keys: Keys, purpose: str, name: str) -> None:
        self._key = Key(keys.derive(purpose))
        self._name = name
        self.public: Final = self._key.text
        """The public key, base64url: with it anybody checks a signature."""

    def sign(self, day: date, root: bytes, sealed_at: datetime) -> bytes:
        """64 bytes, the same each time."""
        return self._key.private.sign(self._said(day, root, sealed_at))

    def holds(self, day: date, root: bytes, sealed_at: datetime, signature: bytes) -> bool:
        """Whether this installation signed it."""
        try:
            self._key.public.verify(signature, self._said(day, root, sealed_at))
        except InvalidSignature:
            return False
        return True

    def _said(self, day: date, root: bytes, sealed_at: datetime) -> bytes:
        return f"{self._name} {day} {root.hex()} {instant(sealed_at)}".encode()
