"""Closes business days of the audit: each bucket by a statement of its own, then the day over all.

It may be cut off anywhere and go on later, and several processes may try at once: a bucket's row is
written once and never again, and the next day's is only written after it (as in the ledger, ADR 0023).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date, datetime, timedelta
from typing import Any, Final

from civicmall.kernel import days as business
from civicmall.kernel import ids, logs
from civicmall.kernel.days import GRACE_S, NOTHING, Standing, day_of, end_of, start_of
from civicmall.kernel.house import House

from .models import Anchor, AuditDay, Head
from .queries import q
from .rules import Heads, Seal, digest, forgettable, pack, root, unpack

log = logs.get("audit")
ALONE: Final = 0x6175646974
"""The advisory lock of whoever closes; without it each process would read the whole day."""
CHUNK: Final = 500
READ_S: Final = 600.0
"""PostgreSQL sorts a whole day before its first row."""
FORGET_DAYS: Final = 40
"""Days that the job looks back for lines to forget; it runs several times a day."""


class AuditTorn(Exception):
    """A closed day lacks buckets, so that no day can follow it: `verify` names them."""


def due(standing: Standing) -> date | None:
    """The next day to close, if it can be."""
    return business.due(standing, _waits)


def _waits(day: date, since: datetime) -> None:
    log.warning("audit.waits", day=str(day), runs_since=since.isoformat())


async def heads(db: Any, day: date) -> AsyncGenerator[tuple[int, Heads, int]]:
    """Each bucket's last lines of a day and how many lines it has, also where there are none.

    `db` is a connection in a transaction, for as long as this is read.
    """
    cursor = await db.cursor(q.text("heads"), start_of(day), end_of(day), timeout=READ_S)
    bucket, found, lines = 0, Heads(), 0
    while rows := await cursor.fetch(CHUNK, timeout=READ_S):
        for row in rows:
            head = Head(*row)
            while bucket != head.bucket:
                yield bucket, found, lines
                bucket, found, lines = bucket + 1, {}, 0
            found[head.citizen_id] = head.seq, head.hash
            lines = head.lines
    while bucket < ids.BUCKETS:
        yield bucket, found, lines
        bucket, found, lines = bucket + 1, {}, 0


async def close(house: House, until: date | None = None) -> list[date]:
    """Close each day that is due, oldest first, up to `until`. Answers those it closed.

    Raises AuditTorn.
    """
    closed: list[date] = []
    while True:
        standing: Standing = await q.standing(house.db)
        day = due(standing)
        if day is None or (until is not None and day > until) or not await close_day(house, day):
            return closed
        closed.append(day)


async def close_day(house: House, day: date) -> bool:
    """Close one day that is due; false where another process is at it. Raises AuditTorn."""
    eve = day - timedelta(days=1)
    before = await days(house, eve, eve)
    async with house.db.acquire() as reader, reader.transaction():
        if not await q.alone(reader, key=ALONE):
            return False
        rows: list[Anchor] = await q.anchors(house.db, day_on=eve)
        previous = {row.bucket: row.digest for row in rows}
        if before and len(previous) < ids.BUCKETS:
            raise AuditTorn(f"the audit of {eve} lacks buckets: run `civicmall audit verify`")
        known: list[Anchor] = await q.anchors(house.db, day_on=day)
        done = {row.bucket for row in known}
        async with aclosing(heads(reader, day)) as stream:
            async for bucket, found, lines in stream:
                if bucket in done:
                    continue
                follows = previous.get(bucket)
                await q.close_bucket(
                    house.db,
                    bucket=bucket,
                    day_on=day,
                    lines=lines,
                    heads=pack(found),
                    digest=digest(day, bucket, follows or NOTHING, found),
                    previous=follows,
                    end_at=end_of(day),
                    grace_s=GRACE_S,
                )
        return await _seal(house, day, before[0] if before else None)


async def _seal(house: House, day: date, before: AuditDay | None) -> bool:
    """The row over all buckets, from what is stored: another process may have closed some."""
    rows: list[Anchor] = await q.anchors(house.db, day_on=day)
    if len(rows) < ids.BUCKETS:
        return False
    whole = root(day, before.root if before else NOTHING, {row.bucket: row.digest for row in rows})
    sealed_at = house.clock.now()
    await q.close_day(
        house.db,
        day_on=day,
        lines=sum(row.lines for row in rows),
        root=whole,
        sealed_at=sealed_at,
        signature=Seal(house.keys).sign(day, whole, sealed_at),
        previous=before.root if before else None,
    )
    # The log is kept elsewhere than the tables: what it says, no owner of tables can change.
    log.info("audit.closed", day=str(day), root=whole.hex())
    return True


async def days(house: House, first: date | None = None, last: date | None = None) -> list[AuditDay]:
    """Closed days, oldest first."""
    found: list[AuditDay] = await q.days(house.db, first_on=first, last_on=last)
    return found


async def forget(house: House) -> int:
    """Remove what is older than three years and anchored; the last line of each chain up to then
    stays, for the next one follows it. Answers how many lines went.
    """
    gone = 0
    now = house.clock.now()
    limit = day_of(now)
    while not forgettable(limit, now):
        limit -= timedelta(days=1)
    for closed in await days(house, limit - timedelta(days=FORGET_DAYS), limit):
        rows: list[Anchor] = await q.anchors(house.db, day_on=closed.day_on)
        for row in rows:
            if found := unpack(row.heads):
                gone += await q.forget_lines(
                    house.db,
                    bucket=row.bucket,
                    citizens=list(found),
                    seqs=[seq - 1 for seq, _ in found.values()],
                )
    return gone
