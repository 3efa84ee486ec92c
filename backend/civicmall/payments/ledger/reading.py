"""Reads a day's postings as a stream: what closes, checks and exports reads the same way."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import aclosing
from datetime import date
from typing import Any, Final

from civicmall.kernel.days import NOTHING, end_of, start_of

from .models import Posting
from .queries import q
from .rules import Part

CHUNK: Final = 200
"""Postings at a time: two milliseconds of the loop, and no more of a day in memory."""
FIRST_S: Final = 600.0
"""PostgreSQL sorts the whole day before its first row."""
BUCKETS: Final = range(256)


async def postings(db: Any, day: date, done: Collection[int] = ()) -> AsyncGenerator[list[Posting]]:
    """A day's postings by bucket and id, but for those of buckets that are `done`.

    `db` is a connection in a transaction, for as long as this is read.
    """
    text = q.text("postings")
    cursor = await db.cursor(text, start_of(day), end_of(day), list(done), timeout=FIRST_S)
    while rows := await cursor.fetch(CHUNK, timeout=FIRST_S):
        yield [Posting(*row) for row in rows]


async def parts(
    db: Any, day: date, previous: Mapping[int, Iterable[bytes]], done: Collection[int] = ()
) -> AsyncGenerator[Part]:
    """Each bucket's day in order, also where nothing was posted; each as soon as it is complete."""

    def part(bucket: int) -> Part:
        return Part(day, bucket, previous.get(bucket, (NOTHING,)))

    todo = iter([bucket for bucket in BUCKETS if bucket not in done])
    now = next(todo, None)
    if now is None:
        return
    open_ = part(now)
    async with aclosing(postings(db, day, done)) as stream:
        async for chunk in stream:
            for posting in chunk:
                while posting.bucket != open_.bucket:
                    yield open_
                    open_ = part(next(todo))
                open_.add(posting)
    yield open_
    for bucket in todo:
        yield part(bucket)
