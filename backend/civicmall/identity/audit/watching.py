"""Looks every hour whether the newest closed day is still as it was, bucket by bucket: `verify` reads
everything anew and is for people; this is a little of it that nobody must think of.

It reads some buckets' anchors and, of each, some citizens' last lines and heads, by their keys; and
counts the buckets' lines of that day.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from civicmall.kernel import ids, logs
from civicmall.kernel.clock import CITY
from civicmall.kernel.crypto import Keys
from civicmall.kernel.days import NOTHING, OVERDUE_S, Standing, day_of, end_of, start_of
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House

from .closing import READ_S
from .models import Anchor, AuditDay, BucketDigest, EndNow, Finding
from .queries import q
from .rules import Heads, Seal, digest, hash_of, root, unpack

log = logs.get("audit")
AN_HOUR: Final = 11
"""Buckets of each hour: 24 hours of them are all 256, so a closed day was seen whole before the next."""
CITIZENS: Final = 200
"""Of each bucket, drawn by lot."""
FINDINGS_MAX: Final = 100


def turn(now: datetime) -> list[int]:
    """The buckets whose turn it is in this hour."""
    first = now.astimezone(CITY).hour * AN_HOUR
    return [(first + no) % ids.BUCKETS for no in range(AN_HOUR)]


async def watch(house: House) -> list[Finding]:
    """The job: each finding is logged as an error."""
    found = await look(house.db, house.keys, turn(house.clock.now()))
    for one in found:
        log.error("audit.finding", finding=str(one))
    return found


async def look(
    db: Pool, keys: Keys, buckets: Collection[int] = range(ids.BUCKETS)
) -> list[Finding]:
    """What isn't as it was of the newest closed day in these buckets; and whether closing is overdue.
    Nothing is written.
    """
    standing: Standing = await q.standing(db)
    found = _overdue(standing)
    if standing.last_on is None:
        return found
    day, eve = standing.last_on, standing.last_on - timedelta(days=1)
    found += await _root(db, keys, day, eve)
    rows: list[Anchor] = await q.anchors_of(db, day_on=day, buckets=[*buckets])
    before: list[BucketDigest] = await q.digests(db, day_on=eve)
    previous = {row.bucket: row.digest for row in before}
    stored = {row.bucket: row for row in rows}
    counts = await _counts(db, day, buckets)
    for bucket in buckets:
        if (row := stored.get(bucket)) is None:
            found.append(Finding("missing", "the bucket's anchor is gone", day=day, bucket=bucket))
            continue
        held = unpack(row.heads)
        if row.digest != digest(day, bucket, previous.get(bucket, NOTHING), held):
            detail = "the digest doesn't follow from its heads and the day before"
            found.append(Finding("anchor", detail, day=day, bucket=bucket))
        if (count := counts.get(bucket, 0)) != row.lines:
            detail = f"{count} lines where {row.lines} were closed"
            found.append(Finding("changed", detail, day=day, bucket=bucket))
        found += await _ends(db, day, bucket, held)
        if len(found) >= FINDINGS_MAX:
            break
    return found[:FINDINGS_MAX]


def _overdue(standing: Standing) -> list[Finding]:
    if standing.last_on is not None:
        following = standing.last_on + timedelta(days=1)
    elif standing.first_at is not None:
        following = day_of(standing.first_at)
    else:
        return []
    if (standing.now_at - end_of(following)).total_seconds() <= OVERDUE_S:
        return []
    return [Finding("missing", "the day isn't closed: `civicmall audit close`", day=following)]


async def _root(db: Pool, keys: Keys, day: date, eve: date) -> list[Finding]:
    """The day's row: that it follows from all buckets' digests and the day before, and its signature."""
    rows: list[AuditDay] = await q.days(db, first_on=eve, last_on=day)
    days = {row.day_on: row for row in rows}
    closed = days[day]
    digests: list[BucketDigest] = await q.digests(db, day_on=day)
    every = {row.bucket: row.digest for row in digests}
    found: list[Finding] = []
    if every.keys() == set(range(ids.BUCKETS)):  # else the missing one is named by its bucket
        before = days[eve].root if eve in days else NOTHING
        if closed.root != root(day, before, every):
            detail = "the root doesn't follow from the buckets' digests"
            found.append(Finding("anchor", detail, day=day))
    if not Seal(keys).holds(day, closed.root, closed.sealed_at, closed.signature):
        detail = "this installation's key didn't sign the root"
        found.append(Finding("signature", detail, day=day))
    return found


async def _counts(db: Pool, day: date, buckets: Collection[int]) -> Mapping[int, int]:
    """How many lines these buckets have of that day; the day's pages are read once."""
    asked = (start_of(day), end_of(day), [*buckets])
    rows: list[Any] = await db.fetch(q.text("count_buckets"), *asked, timeout=READ_S)
    return {row["bucket"]: row["lines"] for row in rows}


async def _ends(db: Pool, day: date, bucket: int, held: Heads) -> list[Finding]:
    """Some of the lines that a bucket's anchor names, and where those chains end now."""
    drawn = secrets.SystemRandom().sample(sorted(held), min(CITIZENS, len(held)))
    if not drawn:
        return []
    rows: list[EndNow] = await q.ends_now(
        db, bucket=bucket, citizens=drawn, seqs=[held[one][0] for one in drawn]
    )
    there = {row.citizen_id: row for row in rows}
    found: list[Finding] = []
    for citizen in drawn:
        seq, anchored = held[citizen]
        line = there.get(citizen)
        where: dict[str, Any] = {"day": day, "bucket": bucket, "citizen": citizen, "seq": seq}
        if line is None:
            found.append(Finding("cut_off", "the last line of the day is gone", **where))
        elif line.hash != anchored or hash_of(line) != line.hash:
            detail = "another line than when the day was closed"
            found.append(Finding("changed", detail, **where))
        elif (line.head or 0) < seq:
            found.append(Finding("forged_head", f"the head says {line.head or 'nothing'}", **where))
        elif line.head == seq and line.head_hash != anchored:
            found.append(Finding("forged_head", "the head has another hash", **where))
    return found
