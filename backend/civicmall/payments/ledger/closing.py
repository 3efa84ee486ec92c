"""Closes business days: each bucket by a statement of its own, then the day over all of them.

It may be cut off anywhere and go on later, and several processes may try at once: a bucket's row is
written once and never again, and the next day's is only written after it.
"""

from __future__ import annotations

from contextlib import aclosing
from datetime import date, datetime, timedelta
from typing import Final

from civicmall.kernel import days as business
from civicmall.kernel import logs
from civicmall.kernel.days import GRACE_S, NOTHING, Standing, end_of
from civicmall.kernel.house import House

from .models import ClosedBucket, ClosedDay
from .queries import q
from .reading import BUCKETS, parts
from .rules import Seal, books_of, columns, plus, root, sums_of

log = logs.get("ledger")
ALONE: Final = 0x6C6564676572
"""The advisory lock of whoever closes; without it each process would read the whole day."""


class Torn(Exception):
    """A closed day lacks buckets, so that no day can follow it: `verify` names them."""


def due(standing: Standing) -> date | None:
    """The next day to close, if it can be."""
    return business.due(standing, _waits)


def _waits(day: date, since: datetime) -> None:
    log.warning("ledger.waits", day=str(day), runs_since=since.isoformat())


async def close(house: House, until: date | None = None) -> list[date]:
    """Close each day that is due, oldest first, up to `until`. Answers those it closed.

    Raises Torn.
    """
    closed: list[date] = []
    while True:
        standing: Standing = await q.standing(house.db)
        day = due(standing)
        if day is None or (until is not None and day > until) or not await close_day(house, day):
            return closed
        closed.append(day)


async def close_day(house: House, day: date) -> bool:
    """Close one day that is due; false where another process is at it. Raises Torn."""
    before: ClosedDay | None = await q.day(house.db, day_on=day - timedelta(days=1))
    async with house.db.acquire() as reader, reader.transaction():
        if not await q.alone(reader, key=ALONE):
            return False
        rows: list[ClosedBucket] = await q.closed_buckets(house.db, day_on=day - timedelta(days=1))
        previous = {row.bucket: row.digest for row in rows}
        if before is not None and len(previous) < len(BUCKETS):
            raise Torn(
                f"the ledger of {before.day_on} lacks buckets: run `civicmall ledger verify`"
            )
        known: list[ClosedBucket] = await q.closed_buckets(house.db, day_on=day)
        follows = {bucket: (digest,) for bucket, digest in previous.items()}
        async with aclosing(parts(reader, day, follows, {row.bucket for row in known})) as stream:
            async for part in stream:
                accounts, totals, entries = columns(part.sums)
                await q.close_bucket(
                    house.db,
                    bucket=part.bucket,
                    day_on=day,
                    postings=len(part.ids),
                    accounts=accounts,
                    totals=totals,
                    entries=entries,
                    marks=bytes(part.marks),
                    digest=part.digests[0],
                    previous=previous.get(part.bucket),
                    end_at=end_of(day),
                    grace_s=GRACE_S,
                )
        return await _seal(house, day, before)


async def _seal(house: House, day: date, before: ClosedDay | None) -> bool:
    """The row over all buckets, from what is stored: another process may have closed some."""
    rows: list[ClosedBucket] = await q.closed_buckets(house.db, day_on=day)
    if len(rows) < len(BUCKETS):
        return False
    whole = root(day, before.root if before else NOTHING, {row.bucket: row.digest for row in rows})
    books = sums_of(before.accounts, before.balances, before.entries) if before else {}
    accounts, balances, entries = columns(plus(books, books_of(rows)))
    sealed_at = house.clock.now()
    await q.close_day(
        house.db,
        day_on=day,
        postings=sum(row.postings for row in rows),
        accounts=accounts,
        balances=balances,
        entries=entries,
        root=whole,
        sealed_at=sealed_at,
        signature=Seal(house.keys).sign(day, whole, sealed_at),
        previous=before.root if before else None,
    )
    # The log is kept elsewhere than the tables: what it says, no owner of tables can change.
    log.info("ledger.closed", day=str(day), root=whole.hex())
    return True
