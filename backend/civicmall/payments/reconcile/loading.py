"""A statement file into the database: in pieces, each with the mark up to which it was read.

A piece is written together with its mark, so a run that was killed goes on where it was, and two at
once never write a line twice. Parsing runs in a thread beside the copying of the piece before.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Final

from msgspec import Struct

from civicmall.kernel import ids, logs
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House

from . import copying
from .errors import StatementBad, StatementBusy, StatementUnreadable
from .formats import BadRow, NotAStatement, Reader, reader_of
from .formats.reading import Tally
from .models import BadLine, Progress, StatementRow, Tick
from .queries import q

log = logs.get("payments")
PIECE_BYTES: Final = 2 * 1024 * 1024
"""What is parsed and written at once: some ten thousand lines, a few megabytes of memory."""
LINE_MAX: Final = 64 * 1024
BLOCK_BYTES: Final = 128 * 1024
"""How much of a file is digested at once."""
BAD_MAX: Final = 1000
"""More lines than these that can't be read, and it is no statement, whatever an operator says."""
SHOWN: Final = 20
"""Bad lines that a problem names."""
COPY_S: Final = 60.0
LOOK_S: Final = 300.0
"""How long a look over some buckets of ten million rows may take."""
SPAN: Final = 32
"""Buckets that one statement looks at, where each look costs one over a whole day."""


class Source(Struct, frozen=True):
    """A file that doesn't change while it is read."""

    path: Path
    size_bytes: int
    digest: bytes


class Piece(Struct):
    """Some lines of a statement, ready to be written."""

    data: bytes
    entries: int
    bad: list[BadLine]
    at_byte: int
    at_line: int
    tally: Tally


def spans() -> list[list[int]]:
    """All buckets, some at a time."""
    edges = range(0, ids.BUCKETS + 1, SPAN)
    return [list(range(first, last)) for first, last in pairwise(edges)]


def measure(path: Path) -> Source:
    """What file it is. Raises StatementUnreadable for a line that no statement has."""
    digest, size, since = hashlib.sha256(), 0, 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            last = block.rfind(b"\n")
            since = since + len(block) if last < 0 else len(block) - last - 1
            size += len(block)
            if since > LINE_MAX:
                raise StatementUnreadable(reason="line-too-long", line=None)
    return Source(path, size, digest.digest())


async def load(house: House, statement: StatementRow, source: Source, tick: Tick) -> StatementRow:
    """Read the file from where its mark is to its end; the statement as it stands then.

    Raises StatementBusy where another run does the same, StatementUnreadable.
    """
    with source.path.open("rb") as file:
        reader = await asyncio.to_thread(_stand, file, statement)
        line, entries = statement.at_line, statement.entries
        mark = statement.at_byte
        ahead = asyncio.create_task(asyncio.to_thread(_piece, file, reader, statement.id, line))
        try:
            while (piece := await ahead) is not None:
                ahead = asyncio.create_task(
                    asyncio.to_thread(_piece, file, reader, statement.id, piece.at_line)
                )
                await _write(house.db, statement.id, mark, piece)
                mark, line, entries = piece.at_byte, piece.at_line, entries + piece.entries
                tick(Progress("read", mark, source.size_bytes, entries))
        finally:
            await asyncio.gather(ahead, return_exceptions=True)  # it reads from this file
    _ended(reader, line)
    found: StatementRow = await q.statement(house.db, id=statement.id)
    return found


def _ended(reader: Reader, line: int) -> None:
    try:
        reader.end()
    except NotAStatement as error:
        raise StatementUnreadable(reason=error.reason, line=line or None) from error


def _stand(file: IO[bytes], statement: StatementRow) -> Reader:
    """A reader that stands at the statement's mark, and the file too."""
    reader = reader_of(statement.channel, statement.day_on, file.readline(LINE_MAX))
    file.seek(0)
    if statement.at_byte:
        while not reader.headed:
            reader.read(file.readline(LINE_MAX))
        reader.go_on(Tally(*statement.tally))
    file.seek(statement.at_byte)
    return reader


def _piece(file: IO[bytes], reader: Reader, statement: int, line: int) -> Piece | None:
    """The next lines, in the order of buckets; None at the end. Raises StatementUnreadable."""
    raws = file.readlines(PIECE_BYTES)
    if not raws:
        return None
    parts: list[list[bytes]] = [[] for _ in range(ids.BUCKETS)]
    bad: list[BadLine] = []
    entries = 0
    for number, raw in enumerate(raws, line + 1):
        try:
            entry = reader.read(raw)
        except NotAStatement as error:
            raise StatementUnreadable(reason=error.reason, line=number) from error
        except BadRow as error:
            if not reader.headed:
                raise StatementUnreadable(reason=error.reason, line=number) from error
            reader.bad += 1
            bad.append(BadLine(number, error.reason))
            continue
        if entry is not None:
            bucket, said = copying.row(entry, statement, number)
            parts[bucket].append(said)
            entries += 1
    if reader.bad > BAD_MAX:
        raise StatementUnreadable(reason="too-many-bad", line=bad[0].line if bad else None)
    data = b"".join((copying.HEAD, *(b"".join(part) for part in parts), copying.END))
    return Piece(data, entries, bad, file.tell(), line + len(raws), reader.tally)


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    """As asyncpg takes it; of a file it would make a class each time, which lingers."""
    yield data


async def _write(pool: Pool, statement: int, mark: int, piece: Piece) -> None:
    """A piece and its mark, or neither. Raises StatementBusy."""
    async with pool.acquire() as db, db.transaction():
        moved: int | None = await q.read_on(
            db, id=statement, from_byte=mark, at_byte=piece.at_byte, at_line=piece.at_line,
            entries=piece.entries, bad=len(piece.bad), tally=list(piece.tally),
        )  # fmt: skip
        if moved is None:
            raise StatementBusy
        if piece.bad:
            lines, reasons = zip(*((one.line, one.reason) for one in piece.bad), strict=True)
            await q.note_bad(db, id=statement, lines=list(lines), reasons=list(reasons))
        await db.copy_to_table(
            "statement_row", schema_name="payments", columns=copying.COLUMNS, format="binary",
            source=_whole(piece.data), timeout=COPY_S,
        )  # fmt: skip


class Patient:
    """A connection for what takes longer than a caller would wait: a look over a whole day."""

    def __init__(self, db: Any) -> None:
        self._db = db

    async def execute(self, text: str, *args: Any) -> Any:
        """As asyncpg's."""
        return await self._db.execute(text, *args, timeout=LOOK_S)

    async def fetch(self, text: str, *args: Any) -> Any:
        """As asyncpg's."""
        return await self._db.fetch(text, *args, timeout=LOOK_S)


async def settle_bad(house: House, statement: StatementRow, *, skip_bad: bool) -> StatementRow:
    """All lines were read: say which are bad, or leave them out. Raises StatementBad."""
    for buckets in spans():
        while repeated := await q.repeated(
            Patient(house.db), buckets=buckets, statement=statement.id
        ):
            lines = [one.line for one in repeated]
            async with house.db.acquire() as db, db.transaction():
                await q.note_bad(
                    db, id=statement.id, lines=lines, reasons=[one.reason for one in repeated]
                )
                await q.drop_lines(db, buckets=buckets, statement=statement.id, lines=lines)
    found: StatementRow = await q.statement(house.db, id=statement.id)
    if found.bad and not skip_bad:
        first: list[BadLine] = await q.bad_lines(house.db, id=found.id, most=SHOWN)
        raise StatementBad(bad=found.bad, lines=[f"{one.line}: {one.reason}" for one in first])
    await q.all_read(house.db, id=found.id, skip_bad=skip_bad)
    return await q.statement(house.db, id=found.id)


async def drop(house: House, statement: int) -> None:
    """Forget a statement: its rows, bucket by bucket, then itself."""
    for bucket in range(ids.BUCKETS):
        await q.drop_rows(house.db, bucket=bucket, statement=statement)
        await q.drop_gaps(house.db, bucket=bucket, statement=statement, round=None)
    await q.drop_statement(house.db, id=statement)
