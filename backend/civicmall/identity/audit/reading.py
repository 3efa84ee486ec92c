"""Handing the audit out, for auditors: the very lines that the hashes are made of."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date

from civicmall.kernel.days import end_of, start_of
from civicmall.kernel.db import Db, Pool

from .checking import lines
from .queries import q
from .rules import text


async def count(db: Db, first: date | None = None, last: date | None = None) -> int:
    """Lines from one day to another."""
    found: int = await q.count_lines(
        db,
        start_at=start_of(first) if first else None,
        end_at=end_of(last) if last else None,
    )
    return found


async def export(db: Pool, first: date, last: date) -> AsyncGenerator[str]:
    """Lines of these days as JSON, one each, some hundred at a time: by bucket, citizen and number.
    Ids only; nobody's name.
    """
    async with (
        db.acquire() as reader,
        reader.transaction(readonly=True),
        aclosing(lines(reader, start_of(first), end_of(last))) as stream,
    ):
        async for chunk in stream:
            yield "".join(f"{text(line)}\n" for line in chunk)
