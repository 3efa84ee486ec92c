"""What the tests of the closed ledger do again and again; the past is written as the tables' owner."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from civicmall.kernel import ids
from civicmall.kernel.clock import FixedClock
from civicmall.kernel.house import House
from civicmall.payments.ledger import Finding, Report, close, end_of, verify

FIRST: Final = date(2026, 3, 30)
"""A month's end lies in the days that follow, and no holiday matters."""
TABLES: Final = "payments.posting, payments.ledger_bucket, payments.ledger_day"
PUT: Final = (
    "insert into payments.posting (bucket, id, order_id, kind, accounts, amounts, posted_at)"
    " values ($1, $2, $3, 'payment', $4, $5, $6)"
)
_numbers = itertools.count(1)


def day(number: int) -> date:
    """The days of a test's ledger, from 0."""
    return FIRST + timedelta(days=number)


def at(number: int, hour: float = 12.0) -> datetime:
    """An instant of one of them, by the city's clock."""
    return end_of(day(number)) - timedelta(days=1) + timedelta(hours=hour)


def id_at(when: datetime, bucket: int) -> UUID:
    """An id as the program makes it at an instant."""
    raw = bytearray(int(when.timestamp() * 1000).to_bytes(6) + ids.new(bucket).bytes[6:])
    raw[9:15] = next(_numbers).to_bytes(6)
    return UUID(bytes=bytes(raw))


class Owner:
    """A connection of the tables' owner: what no program of ours may do."""

    def __init__(self, db: Any) -> None:
        self.db = db

    async def put(
        self, when: datetime, bucket: int = 1, amount: int = 100,
        accounts: Sequence[str] = ("channel:sandbox", "payable:a"), posting: UUID | None = None,
    ) -> UUID:  # fmt: skip
        """A posting of two entries at an instant."""
        made = posting or id_at(when, bucket)
        await self.db.execute(PUT, bucket, made, made, list(accounts), [amount, -amount], when)
        return made

    async def empty(self) -> None:
        """As at first."""
        await self.db.execute(f"truncate {TABLES}")

    async def some(self, days: int = 3) -> list[UUID]:
        """Two postings in each of two buckets on each day."""
        return [
            await self.put(at(number, hour), bucket, 100 * (number + 1) + bucket)
            for number in range(days)
            for bucket in (3, 200)
            for hour in (1, 23.99)
        ]


@asynccontextmanager
async def owner_of(house: House) -> AsyncGenerator[Owner]:
    """The owner, with a ledger that is empty."""
    db: Any = await asyncpg.connect(house.settings.database_url)
    try:
        found = Owner(db)
        await found.empty()
        yield found
    finally:
        await db.close()


def standing_at(house: House, number: int) -> House:
    """The house as if it stood an hour after the end of one of the days, so that it signs in time."""
    clock = FixedClock(end_of(day(number)) + timedelta(hours=1))
    return msgspec.structs.replace(house, clock=clock)


async def close_in_time(house: House, days: int) -> None:
    """Close the first days, each an hour after its end."""
    for number in range(days):
        assert await close(standing_at(house, number), day(number)) == [day(number)]


async def check(house: House, days: int) -> Report:
    """Look at the first days."""
    return await verify(house, None, day(days - 1))


def named(findings: list[Finding]) -> list[tuple[str, date | None, int | None, UUID | None]]:
    """What was found and where, without the words."""
    return [(one.kind, one.day, one.bucket, one.posting) for one in findings]


def now() -> datetime:
    """By the tests' own clock."""
    return datetime.now(UTC)
