"""Reads the audit again and names everything that isn't as it was written.

It trusts no row: each hash is made anew, each line is held against the one before it, each chain's end
against its head, and each closed day against its anchor. What an anchor doesn't vouch for yet (today,
and the quarter of an hour after midnight) can be cut off together with its head unseen.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from datetime import date, datetime, timedelta
from typing import Any, Final

from civicmall.kernel import ids
from civicmall.kernel.days import NOTHING, OVERDUE_S, Standing, day_of, end_of, start_of
from civicmall.kernel.house import House

from .closing import CHUNK, READ_S, heads
from .models import Anchor, AuditDay, Fault, Finding, LineAfter, Report, WrongHead
from .queries import q
from .rules import Heads, Seal, digest, forgettable, hash_of, root, unpack

FINDINGS_MAX: Final = 1000
"""The first of them; whoever has more than that needs a backup, not a list."""
Tell = Callable[[int], None]


async def lines(db: Any, start: datetime, end: datetime) -> AsyncGenerator[list[LineAfter]]:
    """Lines from an instant until before another, by bucket, citizen and number, as a stream.

    `db` is a connection in a transaction, for as long as this is read.
    """
    cursor = await db.cursor(q.text("lines_between"), start, end, timeout=READ_S)
    while rows := await cursor.fetch(CHUNK, timeout=READ_S):
        yield [LineAfter(*row) for row in rows]


class Check:
    """One run over days in order."""

    def __init__(self, house: House, now: datetime, tell: Tell) -> None:
        self.house = house
        self.now = now
        self.tell = tell
        self.seal = Seal(house.keys)
        self.findings: list[Finding] = []
        self.lines = 0
        self.before: dict[int, bytes] = {}
        """Bucket → the digest that its next day follows."""
        self.root = NOTHING

    def find(self, kind: Fault, detail: str, **where: Any) -> None:
        """Note it."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(kind, detail, **where))

    async def begin(self, eve: AuditDay | None) -> None:
        """Take up the chain of days after a closed one."""
        if eve is not None:
            rows: list[Anchor] = await q.anchors(self.house.db, day_on=eve.day_on)
            self.before = {row.bucket: row.digest for row in rows}
            self.root = eve.root
            self.signature(eve)

    async def chains(self, start: datetime, end: datetime, anchored: Mapping[int, Heads]) -> None:
        """Each line of that time: its hash, and the line before it."""
        async with (
            self.house.db.acquire() as reader,
            reader.transaction(readonly=True),
            aclosing(lines(reader, start, end)) as stream,
        ):
            async for chunk in stream:
                for line in chunk:
                    self._line(line, anchored.get(line.bucket, {}))
                self.lines += len(chunk)
                self.tell(len(chunk))

    def _line(self, line: LineAfter, anchored: Heads) -> None:
        day = day_of(line.at)
        where = {"day": day, "bucket": line.bucket, "citizen": line.citizen_id, "seq": line.seq}
        if hash_of(line) != line.hash:
            self.find("changed", "it says something else than when it was written", **where)
        if line.seq == 1:
            if line.prev != NOTHING:
                self.find("changed", "the first line follows another", **where)
        elif line.before is None:
            last = anchored.get(line.citizen_id) == (line.seq, line.hash)
            if not (last and forgettable(day, self.now)):
                self.find("missing", "the line before it isn't there", **where)
        elif line.before != line.prev:
            self.find("changed", "it doesn't follow from the line before it", **where)

    async def day(self, day: date, closed: AuditDay | None) -> None:
        """Check one closed day, and make the next one's beginning."""
        rows: list[Anchor] = await q.anchors(self.house.db, day_on=day)
        stored = {row.bucket: row for row in rows}
        anchored = {bucket: unpack(row.heads) for bucket, row in stored.items()}
        for bucket in range(ids.BUCKETS):
            self._anchor(day, bucket, stored.get(bucket), anchored.get(bucket, {}))
        await self.chains(start_of(day), end_of(day), anchored)
        await self._heads(day, stored, anchored)
        if closed is None:
            self.find("missing", "the day's closing row is gone", day=day)
            self.root = root(day, self.root, self.before)
            return
        if closed.root != root(day, self.root, self.before):
            self.find("anchor", "the root doesn't follow from the buckets' digests", day=day)
        self.root = closed.root
        self.signature(closed)

    def _anchor(self, day: date, bucket: int, row: Anchor | None, held: Heads) -> None:
        if row is None:
            self.find("missing", "the bucket's anchor is gone", day=day, bucket=bucket)
        elif row.digest != digest(day, bucket, self.before.get(bucket, NOTHING), held):
            detail = "the digest doesn't follow from its heads and the day before"
            self.find("anchor", detail, day=day, bucket=bucket)
        if row is not None:
            self.before[bucket] = row.digest

    async def _heads(
        self, day: date, stored: Mapping[int, Anchor], anchored: Mapping[int, Heads]
    ) -> None:
        old = forgettable(day, self.now)
        async with (
            self.house.db.acquire() as reader,
            reader.transaction(readonly=True),
            aclosing(heads(reader, day)) as stream,
        ):
            async for bucket, found, count in stream:
                if bucket not in stored:
                    continue
                then = anchored[bucket]
                self._compare(day, bucket, then, found, old=old)
                if not old and found == then and count != stored[bucket].lines:
                    detail = f"{count} lines where {stored[bucket].lines} were closed"
                    self.find("changed", detail, day=day, bucket=bucket)

    def _compare(self, day: date, bucket: int, then: Heads, now: Heads, *, old: bool) -> None:
        for citizen in sorted(then.keys() | now.keys()):
            was, is_ = then.get(citizen), now.get(citizen)
            where = {
                "day": day,
                "bucket": bucket,
                "citizen": citizen,
                "seq": (was or is_ or (0,))[0],
            }
            if was == is_ or (is_ is None and old):
                continue
            if was is None:
                self.find("extra", "it wasn't there when the day was closed", **where)
            elif is_ is None or is_[0] < was[0]:
                self.find("cut_off", "the end of the day's lines isn't there any more", **where)
            elif is_[0] > was[0]:
                detail = f"lines up to {is_[0]} that weren't there when the day was closed"
                self.find("extra", detail, **where)
            else:
                self.find("changed", "another line than when the day was closed", **where)

    def signature(self, closed: AuditDay) -> None:
        """That this installation signed the root."""
        if not self.seal.holds(closed.day_on, closed.root, closed.sealed_at, closed.signature):
            detail = "this installation's key didn't sign the root"
            self.find("signature", detail, day=closed.day_on)

    async def ends(self) -> None:
        """Each chain's end, against its head."""
        rows: list[WrongHead] = await q.wrong_heads(self.house.db, most=FINDINGS_MAX)
        for row in rows:
            where = {"bucket": row.bucket, "citizen": row.citizen_id}
            if row.seq is None or row.seq < (row.last or 0):
                detail = f"the head says {row.seq or 'nothing'}"
                self.find("forged_head", detail, seq=row.last, **where)
            elif row.last is None or row.last < row.seq:
                detail = f"the chain ended with line {row.seq}"
                self.find("cut_off", detail, seq=row.last or 0, **where)
            else:
                self.find("forged_head", "the head has another hash", seq=row.last, **where)


async def verify(
    house: House,
    first: date | None = None,
    last: date | None = None,
    *,
    published: Mapping[date, str] | None = None,
    tell: Tell = lambda _: None,
) -> Report:
    """Check days from `first` to `last` (all, and what isn't closed yet, where not named); `tell`
    hears of progress in lines.

    `published` are roots in hex that were made public: a day whose root is another is found.
    Nothing is written.
    """
    standing: Standing = await q.standing(house.db)
    check = Check(house, standing.now_at, tell)
    rows: list[AuditDay] = await q.days(house.db, first_on=None, last_on=last)
    days = {row.day_on: row for row in rows}
    looked = 0
    if days:
        day = max(first, min(days)) if first else min(days)
        if first is None:
            await check.chains(BEGINNING, start_of(day), {})
        elif day > min(days) and day - timedelta(days=1) not in days:
            check.find("missing", "the day's closing row is gone", day=day - timedelta(days=1))
        await check.begin(days.get(day - timedelta(days=1)))
        while day <= max(days):
            await check.day(day, days.get(day))
            looked += day in days
            day += timedelta(days=1)
    if last is None:
        await _open(check, standing, max(days) if days else None)
    for day, said in sorted((published or {}).items()):
        stands = days[day].root.hex() if day in days else "nothing"
        if stands != said.lower():
            check.find("published", f"here the root is {stands}", day=day)
    return Report(looked, check.lines, days[max(days)] if days else None, check.findings)


BEGINNING: Final = start_of(date(2000, 1, 1))


async def _open(check: Check, standing: Standing, newest: date | None) -> None:
    """What isn't closed yet: its chains, their ends, and that closing isn't overdue."""
    start = end_of(newest) if newest else BEGINNING
    await check.chains(start, standing.now_at + timedelta(days=36_500), {})
    await check.ends()
    if newest is not None:
        following = newest + timedelta(days=1)
    elif standing.first_at is not None:
        following = day_of(standing.first_at)
    else:
        return
    if (standing.now_at - end_of(following)).total_seconds() > OVERDUE_S:
        check.find("missing", "the day isn't closed: `civicmall audit close`", day=following)
