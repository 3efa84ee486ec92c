"""The audit's tables from the inside: as their owner, who may do what the program may not."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from msgspec.structs import replace

from civicmall.identity import audit
from civicmall.identity.audit import rules
from civicmall.identity.audit.models import Line
from civicmall.kernel import days as business
from civicmall.kernel import ids
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House

COLUMNS = (
    "bucket, citizen_id, seq, at, kind, reader, claims, purpose, reason, by, again, prev, hash"
)


class Owner:
    """Whoever owns the tables."""

    def __init__(self, db: Any) -> None:
        self.db = db

    async def do(self, statement: str, *args: Any) -> None:
        """Any statement."""
        await self.db.execute(statement, *args)

    async def lines(self, citizen: UUID) -> list[Line]:
        """A citizen's chain as it is stored, oldest first."""
        rows = await self.db.fetch(
            f"select {COLUMNS} from identity.audit where bucket = $1 and citizen_id = $2 order by seq",  # noqa: S608
            ids.bucket_of(citizen),
            citizen,
        )
        return [Line(*row) for row in rows]

    async def put(self, line: Line) -> None:
        """A row as it is given."""
        await self.db.execute(
            f"insert into identity.audit ({COLUMNS})"  # noqa: S608
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            *(getattr(line, name.strip()) for name in COLUMNS.split(",")),
        )

    async def head(self, citizen: UUID, seq: int, last: bytes) -> None:
        """Where the chain is said to end."""
        await self.db.execute(
            "insert into identity.audit_head (bucket, citizen_id, seq, hash) values ($1, $2, $3, $4)"
            " on conflict (bucket, citizen_id) do update set seq = $3, hash = $4",
            ids.bucket_of(citizen), citizen, seq, last,
        )  # fmt: skip

    async def past(
        self, citizen: UUID, instants: list[datetime], reader: str = "a/b"
    ) -> list[Line]:
        """A chain that was made at these instants, with its head; it goes on from what there is."""
        before = await self.lines(citizen)
        seq, prev = (before[-1].seq, before[-1].hash) if before else (0, business.NOTHING)
        made: list[Line] = []
        for at in instants:
            seq += 1
            bare = Line(
                ids.bucket_of(citizen), citizen, seq, at, "read", reader, ["phone"], "bills.list", "",
                None, 0, prev, b"",
            )  # fmt: skip
            prev = rules.hash_of(bare)
            line = replace(bare, hash=prev)
            await self.put(line)
            made.append(line)
        await self.head(citizen, seq, prev)
        return made

    async def empty(self) -> None:
        """No audit at all."""
        await self.db.execute(
            "truncate identity.audit, identity.audit_head, identity.audit_reading,"
            " identity.audit_anchor, identity.audit_day"
        )


@asynccontextmanager
async def owner_of(settings: Settings) -> AsyncGenerator[Owner]:
    """A connection as the owner, until left."""
    connection: Any = await asyncpg.connect(settings.database_url)
    try:
        yield Owner(connection)
    finally:
        await connection.close()


def ago(days: int) -> datetime:
    """Noon of a business day that is over: so many before the newest that can't be closed yet."""
    open_ = business.day_of(datetime.now(UTC) - timedelta(seconds=business.GRACE_S))
    return business.start_of(open_ - timedelta(days=days)) + timedelta(hours=12)


async def findings(house: House, *about: UUID) -> list[tuple[str, int | None]]:
    """What `verify` says of these citizens: kind and line."""
    report = await audit.verify(house)
    return [(f.kind, f.seq) for f in report.findings if not about or f.citizen in about]


def day_ago(days: int) -> date:
    """The business day of `ago`."""
    return business.day_of(ago(days))
