"""What operators ask of the ledger: balances at any instant, the entries of an account, an export."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from civicmall.kernel.days import Standing, day_of, end_of, start_of
from civicmall.kernel.db import Db, Pool
from civicmall.kernel.house import House

from .errors import NoSuchAccount, NotYet
from .models import Balance, ClosedDay, Differs, Entry, Ledger
from .queries import q
from .reading import postings
from .rules import HEADER, lines

DAYS_AT_ONCE: Final = 31
"""Closed days that one page of entries looks into; a rare account's page may be shorter for it."""
LOOK_BACK_DAYS: Final = 2
"""Closed days that are counted again and again: what comes late comes within hours."""
LAST_ID: Final = UUID(int=2**128 - 1)
LAST_NO: Final = 2**31
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
END: Final = datetime(9000, 1, 1, tzinfo=UTC)
Cursor = tuple[datetime, UUID, int]


async def balances(db: Db, at: datetime | None = None) -> list[Balance]:
    """Every account as it stood at an instant (now, if none is named); together they are zero."""
    found: list[Balance] = await q.balances(db, at=at)
    return found


async def ledger(house: House, at: datetime | None) -> Ledger:
    """The same with their sum and the newest closed day. Raises NotYet."""
    if at is not None and at > house.clock.now():
        raise NotYet(field="at")
    found = await balances(house.db, at)
    last: ClosedDay | None = await q.last_day(house.db)
    return Ledger(
        found,
        sum(account.balance_minor for account in found),
        at,
        last.day_on if last else None,
        last.root.hex() if last else None,
    )


async def entries(
    db: Db, account: str, before: Cursor | None, limit: int
) -> tuple[list[Entry], Cursor | None]:
    """An account's entries, newest first, and where the next page begins.

    First the days that are not closed, then closed ones in which the account has entries, a day at
    a time, at most DAYS_AT_ONCE. Raises NoSuchAccount.
    """
    at, posting_id, no = before or (None, None, None)
    last: ClosedDay | None = await q.last_day(db)
    found: list[Entry] = []

    async def take(start_at: datetime, end_at: datetime) -> None:
        found.extend(
            await q.entries(
                db,
                account=account,
                start_at=start_at,
                end_at=end_at,
                before_at=at,
                before_id=posting_id,
                before_no=no,
                most=limit + 1 - len(found),
            )
        )

    if last is None or at is None or at >= end_of(last.day_on):
        await take(end_of(last.day_on) if last else BEGINNING, END)
    if last is None:
        return _page(account, found, limit, None, before)
    days: list[date] = [
        row["day_on"]
        for row in await q.account_days(
            db, account=account, before_on=day_of(at) if at else None, most=DAYS_AT_ONCE + 1
        )
    ]
    for day in days[:DAYS_AT_ONCE]:
        if len(found) > limit:
            break
        await take(start_of(day), end_of(day))
    rest = None
    if len(days) > DAYS_AT_ONCE:
        rest = start_of(days[DAYS_AT_ONCE - 1]) - timedelta(microseconds=1), LAST_ID, LAST_NO
    return _page(account, found, limit, rest, before)


def _page(
    account: str, found: list[Entry], limit: int, rest: Cursor | None, before: Cursor | None
) -> tuple[list[Entry], Cursor | None]:
    if not found and rest is None and before is None:
        raise NoSuchAccount(account=account)
    shown = found[:limit]
    if len(found) > limit:
        return shown, (shown[-1].posted_at, shown[-1].posting_id, shown[-1].no)
    return shown, rest


async def export(db: Pool, day: date) -> AsyncGenerator[str]:
    """A day as CSV, a few hundred lines at a time; the digests are made over just these lines."""
    yield HEADER
    async with (
        db.acquire() as reader,
        reader.transaction(readonly=True),
        aclosing(postings(reader, day)) as stream,
    ):
        async for chunk in stream:
            yield "".join(lines(day, posting) for posting in chunk)


async def differing(db: Db) -> list[Differs]:
    """Of the newest closed days those buckets that have another number of postings than then.

    It counts in the database, and sees what came late or went; `verify` sees everything.
    """
    standing: Standing = await q.standing(db)
    if standing.last_on is None:
        return []
    first = standing.last_on - timedelta(days=LOOK_BACK_DAYS - 1)
    found: list[Differs] = await q.differing(
        db, first_on=first, start_at=start_of(first), end_at=end_of(standing.last_on)
    )
    return found


async def days(db: Db, first: date | None = None, last: date | None = None) -> list[ClosedDay]:
    """Closed days, oldest first."""
    found: list[ClosedDay] = await q.days(db, first_on=first, last_on=last)
    return found
