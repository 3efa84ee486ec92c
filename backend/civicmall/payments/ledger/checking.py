"""Reads the whole ledger again and names everything that isn't as it was when its day was closed.

It trusts no row: digests are made anew from the postings, and what is stored must follow from them.
Where something doesn't, it is named once, and the days after it are checked both upon what is
stored and upon what was reckoned, so that one changed row isn't blamed on all that follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from civicmall.kernel.days import NOTHING, OVERDUE_S, Standing, day_of, end_of, start_of
from civicmall.kernel.house import House

from .models import ClosedBucket, ClosedDay, Finding, Kind, Report, Stray, Unled
from .queries import q
from .reading import BUCKETS, parts
from .rules import SEALED_LATE_S, Part, Seal, Sums, looks_own, plus, root, strange, sums_of

FINDINGS_MAX: Final = 1000
"""The first of them; whoever has more than that needs a backup, not a list."""
Tell = Callable[[int], None]


class Check:
    """One run over closed days in order."""

    def __init__(self, house: House, tell: Tell) -> None:
        self.house = house
        self.tell = tell
        self.seal = Seal(house.keys)
        self.findings: list[Finding] = []
        self.postings = 0
        self.chains: dict[int, list[bytes]] = {}
        """Bucket → the digests that its next day may follow."""
        self.roots: list[bytes] = [NOTHING]
        self.books: list[Sums] = [{}]

    def find(self, kind: Kind, detail: str, day: date | None = None, bucket: int | None = None,
             posting: UUID | None = None) -> None:  # fmt: skip
        """Note it."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(kind, day, bucket, posting, detail))

    async def begin(self, before: ClosedDay | None) -> None:
        """Take up the chain after a closed day."""
        if before is None:
            return
        self.chains = {row.bucket: [row.digest] for row in await self._rows(before.day_on)}
        self.roots = [before.root]
        self.books = [sums_of(before.accounts, before.balances, before.entries)]
        self.signature(before)

    async def _rows(self, day: date) -> list[ClosedBucket]:
        rows: list[ClosedBucket] = await q.closed_buckets(self.house.db, day_on=day)
        return rows

    async def day(self, day: date, closed: ClosedDay | None) -> None:
        """Check one day, and make the next one's beginning."""
        stored = {row.bucket: row for row in await self._rows(day)}
        reckoned: dict[int, bytes] = {}
        brought: list[Sums] = []
        async with (
            self.house.db.acquire() as reader,
            reader.transaction(readonly=True),
            aclosing(parts(reader, day, self.chains)) as stream,
        ):
            async for part in stream:
                row = stored.get(part.bucket)
                await self._bucket(part, row)
                follows = row is not None and row.digest in part.digests
                reckoned[part.bucket] = row.digest if row and follows else part.digests[0]
                after = [reckoned[part.bucket], *([row.digest] if row else [])]
                self.chains[part.bucket] = list(dict.fromkeys(after))
                brought.append(part.sums)
                self.postings += len(part.ids)
                self.tell(len(part.ids))
        known = {bucket: row.digest for bucket, row in stored.items() if bucket in BUCKETS}
        self._day(day, closed, [reckoned, reckoned | known], brought)

    async def _bucket(self, part: Part, row: ClosedBucket | None) -> None:
        day, bucket = part.day, part.bucket
        for posting in part.unbalanced:
            self.find("sum", "its amounts don't sum to zero", day, bucket, posting)
        if row is None:
            self.find("missing", "the bucket's closing row is gone", day, bucket)
            return
        marks: bytes = b""
        if part.ids or row.postings:
            marks = await q.marks(self.house.db, bucket=bucket, day_on=day) or b""
        same = bytes(part.marks) == marks
        if row.digest not in part.digests and same:
            detail = "the digest doesn't follow from the postings and the day before"
            self.find("chain", detail, day, bucket)
        elif row.digest not in part.digests:
            self._name(part, marks)
        elif not same or row.postings != len(part.ids):
            self.find("changed", "the closing row's marks or number of postings", day, bucket)
        if same and sums_of(row.accounts, row.totals, row.entries) != part.sums:
            self.find("changed", "the closing row's totals", day, bucket)

    def _name(self, part: Part, marks: bytes) -> None:
        new, gone = strange(part, marks)
        for at, posting in enumerate(new):
            kind: Kind = "late" if looks_own(posting, part.day) else "extra"
            detail = "it wasn't there when the day was closed"
            if at < gone:
                kind, detail = "changed", "it says something else than when the day was closed"
            self.find(kind, detail, part.day, part.bucket, posting)
        if gone > len(new):
            detail = f"{gone - len(new)} postings that were closed aren't there any more"
            self.find("missing", detail, part.day, part.bucket)

    def _day(
        self,
        day: date,
        closed: ClosedDay | None,
        digests: list[dict[int, bytes]],
        brought: list[Sums],
    ) -> None:
        roots = [root(day, before, each) for before in self.roots for each in digests]
        books = [plus(before, brought) for before in self.books]
        if closed is None:
            self.find("missing", "the day's closing row is gone", day)
            self.roots, self.books = list(dict.fromkeys(roots))[:2], books[:1]
            return
        if closed.root not in roots:
            detail = "the root doesn't follow from the buckets' digests and the day before"
            self.find("chain", detail, day)
        stored = sums_of(closed.accounts, closed.balances, closed.entries)
        if stored not in books and not any(one.day == day for one in self.findings):
            self.find("changed", "the closing row's balances", day)
        self.roots = [closed.root] if closed.root in roots else [closed.root, roots[0]]
        self.books = [stored] if stored in books else [stored, books[0]]
        self.signature(closed)

    def signature(self, closed: ClosedDay) -> None:
        """That this installation signed the root."""
        if not self.seal.holds(closed.day_on, closed.root, closed.sealed_at, closed.signature):
            self.find("signature", "this installation's key didn't sign the root", closed.day_on)


async def verify(
    house: House,
    first: date | None = None,
    last: date | None = None,
    *,
    published: Mapping[date, str] | None = None,
    tell: Tell = lambda _: None,
) -> Report:
    """Check the closed days from `first` to `last` (all, where not named); `tell` hears of progress.

    `published` are roots in hex that were made public: a day whose root is another is found, and
    what was signed late up to one that holds is vouched for. A day is read with eight bytes of
    memory for each posting of one bucket, and nothing is written.
    """
    check = Check(house, tell)
    days: dict[date, ClosedDay] = {
        day.day_on: day for day in await q.days(house.db, first_on=None, last_on=last)
    }
    standing: Standing = await q.standing(house.db)
    looked: list[ClosedDay] = []
    if days:
        begin = max(first, min(days)) if first else min(days)
        before = begin - timedelta(days=1)
        await check.begin(days.get(before))
        if before not in days and min(days) < begin <= max(days):
            check.find("missing", "the day's closing row is gone", before)
        day = begin
        while day <= max(days):
            await check.day(day, days.get(day))
            looked.extend([days[day]] if day in days else [])
            day += timedelta(days=1)
        if first is None:
            await _before(check, min(days))
    if last is None:
        await _open(check, standing)
    _vouch(check, days, looked, published or {})
    newest = days[max(days)] if days else None
    return Report(len(looked), check.postings, newest, check.findings)


async def _before(check: Check, first: date) -> None:
    strays: list[Stray] = await q.strays(
        check.house.db, first_at=start_of(first), most=FINDINGS_MAX
    )
    for stray in strays:
        detail = "it claims to be older than the first closed day"
        check.find("extra", detail, day_of(stray.posted_at), stray.bucket, stray.id)


async def _open(check: Check, standing: Standing) -> None:
    """What isn't closed yet: nothing of it is overdue, out of place, or unbalanced."""
    unled: list[Unled] = await q.unled(check.house.db, most=FINDINGS_MAX)
    for row in unled:
        check.find("extra", "a closing row of a day that isn't closed", row.day_on, row.bucket)
    begin = standing.first_at and day_of(standing.first_at)
    due = standing.last_on + timedelta(days=1) if standing.last_on else begin
    if due is None:
        return
    if (standing.now_at - end_of(due)).total_seconds() > OVERDUE_S:
        check.find("missing", "the day isn't closed: `civicmall ledger close`", due)
    bad: list[Stray] = await q.unbalanced(check.house.db, start_at=start_of(due), most=FINDINGS_MAX)
    for stray in bad:
        day = day_of(stray.posted_at)
        check.find("sum", "its amounts don't sum to zero", day, stray.bucket, stray.id)


def _vouch(
    check: Check,
    days: Mapping[date, ClosedDay],
    looked: list[ClosedDay],
    published: Mapping[date, str],
) -> None:
    held: date | None = None
    for day, said in sorted(published.items()):
        if day in days and days[day].root.hex() == said.lower():
            held = day
        else:
            stands = days[day].root.hex() if day in days else "nothing"
            check.find("published", f"here the root is {stands}", day)
    for closed in looked:
        late_s = (closed.sealed_at - end_of(closed.day_on)).total_seconds()
        if late_s > SEALED_LATE_S and (held is None or closed.day_on > held):
            detail = (
                f"signed {late_s / 86_400:.0f} days after its end: nothing closed days then, or"
                " somebody took it away and it was closed anew; a published root would tell"
            )
            check.find("sealed_late", detail, closed.day_on)
