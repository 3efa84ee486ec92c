"""Reconciliation of a channel's day: read the statement whole, match it, mend, open tickets."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Final

from civicmall.kernel import logs
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.payments import tickets
from civicmall.payments.channels import Channel, Channels
from civicmall.payments.errors import NoSuchChannel

from . import loading, matching, rules
from .errors import DayNotOver, NoSuchStatement, OtherStatement, StatementBad, StatementUnreadable
from .formats.reading import Tally
from .loading import Source
from .models import DayResult, Outcome, Progress, StatementRow, Tick
from .queries import q

log = logs.get("payments")
QUIET: Final[Tick] = lambda _: None  # noqa: E731 (a default that does nothing)


async def reconcile(
    house: House,
    channels: Channels,
    name: str,
    day: date,
    *,
    file: Path | None = None,
    replace: bool = False,
    skip_bad: bool = False,
    tick: Tick = QUIET,
) -> DayResult:
    """Reconcile a day: from a file, or from what the channel sends. The same again changes nothing.

    Raises NoSuchChannel, DayNotOver, ChannelAway, StatementUnreadable, StatementBad, OtherStatement,
    StatementBusy; then nothing of the day is concluded, and the next run goes on.
    """
    channel = channels.get(name)
    if channel is None:
        raise NoSuchChannel(channel=name)
    if day >= house.clock.today():
        raise DayNotOver
    async with _fetched(channel, day, file, tick) as path:
        statement = await read(
            house, name, day, path, replace=replace, skip_bad=skip_bad, tick=tick
        )
    return await conclude(house, channels, statement, tick)


async def conclude(
    house: House, channels: Channels, statement: StatementRow, tick: Tick = QUIET
) -> DayResult:
    """Match a statement that was read whole, and what waited for it on the days beside."""
    if statement.state == "matched":
        await q.again(house.db, id=statement.id)
        statement = await q.statement(house.db, id=statement.id)
    statement = await matching.match(house, channels, statement, tick)
    await tickets.settled(
        house, "statement_unreadable", statement.channel, str(statement.day_on), "matched"
    )
    for other in await q.of_day(house.db, channel=statement.channel, day_on=statement.day_on):
        if other.id != statement.id:
            await loading.drop(house, other.id)
    for beside in await _waiting_beside(house.db, statement):
        await q.again(house.db, id=beside.id)
        await matching.match(house, channels, await q.statement(house.db, id=beside.id), QUIET)
    house.hint()
    return result(statement)


async def read(
    house: House,
    name: str,
    day: date,
    path: Path,
    *,
    replace: bool = False,
    skip_bad: bool = False,
    tick: Tick = QUIET,
) -> StatementRow:
    """Read a file whole, without concluding anything; the bench calls this too.

    Raises StatementUnreadable, StatementBad, OtherStatement, StatementBusy.
    """
    source = await asyncio.to_thread(loading.measure, path)
    statement = await _mine(house, name, day, source, replace=replace)
    if statement.state != "reading":
        return statement
    try:
        statement = await loading.load(house, statement, source, tick)
        return await loading.settle_bad(house, statement, skip_bad=skip_bad)
    except (StatementBad, StatementUnreadable):
        await loading.drop(house, statement.id)  # nothing of a failure is kept
        raise


async def _mine(
    house: House, name: str, day: date, source: Source, *, replace: bool
) -> StatementRow:
    """The statement of a file, new or begun. Raises OtherStatement."""
    for known in await q.of_day(house.db, channel=name, day_on=day):
        if known.digest == source.digest:
            return known
        if known.state == "reading":
            await loading.drop(house, known.id)  # nothing was concluded from it
        elif not replace:
            raise OtherStatement(channel=name, day=str(day))
    await q.begin(
        house.db, channel=name, day_on=day, digest=source.digest, size_bytes=source.size_bytes,
        tally=list(Tally()),
    )  # fmt: skip
    rows: list[StatementRow] = await q.of_day(house.db, channel=name, day_on=day)
    return next(row for row in rows if row.digest == source.digest)


@asynccontextmanager
async def _fetched(
    channel: Channel, day: date, file: Path | None, tick: Tick
) -> AsyncGenerator[Path]:
    """The file, or a copy on disk of what the channel sends: it is read twice, once for its digest."""
    if file is not None:
        yield file
        return
    with tempfile.NamedTemporaryFile(prefix="statement-", suffix=".csv") as spool:
        size = 0
        async for part in channel.fetch_statement(day):
            await asyncio.to_thread(spool.write, part)
            size += len(part)
            tick(Progress("fetch", size, 0, 0))
        await asyncio.to_thread(spool.flush)
        yield Path(spool.name)


async def _waiting_beside(db: Db, statement: StatementRow) -> list[StatementRow]:
    rows: list[StatementRow] = await q.beside(
        db, channel=statement.channel,
        first_on=rules.day_before(statement.day_on), last_on=rules.day_after(statement.day_on),
    )  # fmt: skip
    return [
        row for row in rows
        if row.id != statement.id and row.state == "matched"
        and {"waits", "refund_waits"} & set(row.outcomes)
    ]  # fmt: skip


async def days(
    db: Db, after: tuple[date, str] | None, limit: int, channel: str | None = None
) -> list[DayResult]:
    """What came of each day, newest first, one more than `limit` where there are."""
    day, last = after or (None, None)
    rows: list[StatementRow] = await q.days(
        db, channel=channel, before_day=day, before_channel=last, most=limit + 1
    )
    return [result(row) for row in rows]


async def of_day(db: Db, channel: str, day: date) -> DayResult:
    """What came of one day. Raises NoSuchStatement."""
    rows: list[StatementRow] = await q.of_day(db, channel=channel, day_on=day)
    if not rows:
        raise NoSuchStatement
    return result(rows[0])


def result(row: StatementRow) -> DayResult:
    """As it is shown."""
    each = zip(row.outcomes, row.counts, row.there, row.here, strict=True)
    found = [Outcome(*one) for one in each]
    there, here = rules.sums(found)
    explained, ticketed = rules.difference(found)
    return DayResult(
        channel=row.channel, day=row.day_on, state=row.state, entries=row.entries, bad=row.bad,
        outcomes=found, there_minor=there, here_minor=here, explained_minor=explained,
        ticketed_minor=ticketed,
        tickets=sum(one.many for one in found if one.outcome in rules.TICKETS), fee_minor=row.fee_minor, matched_at=row.matched_at,
    )  # fmt: skip
