"""Seals everything anew with the current key, while the city works.

Each room names its sealed columns. Rows are read bucket by bucket through a cursor and changed
only where they still are what was read, so nobody's writing is lost and nobody waits; what was cut
off goes on where it was, for a value says by itself which key it was sealed with.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg
from msgspec import Struct

from .crypto import Keys, SealBroken
from .ids import BUCKETS

AT_ONCE: Final = 20
"""Rows held at a time: a material has up to some megabytes."""
TEMPLATES: Final = dict(
    re.findall(
        r"-- name: (\w+)\n(.*?;)$",
        (Path(__file__).parent / "resealing.sql").read_text(),
        re.DOTALL | re.MULTILINE,
    )
)


class Sealed(Struct, frozen=True):
    """A column of sealed values, and the contexts that they were sealed in."""

    table: str
    """With its schema."""
    column: str
    context: str = ""
    """Empty: `schema.table.column`."""

    @property
    def sealed_in(self) -> str:
        """The context."""
        return self.context or f"{self.table}.{self.column}"


class Table(Struct, frozen=True):
    """A table with its primary key and its sealed columns."""

    name: str
    key: list[str]
    columns: list[Sealed]

    def fill(self, template: str, **more: str) -> str:
        """A statement; where `more` doesn't say other rows, those that `$1` hasn't sealed."""
        stale = " or ".join(f"{_key_id(c)} <> $1" for c in self.columns)
        filled = {
            "table": self.name,
            "key": ", ".join(self.key),
            "columns": ", ".join(c.column for c in self.columns),
            "where": stale,
        }
        return TEMPLATES[template].format(**{**filled, **more})


def _key_id(column: Sealed) -> str:
    """The first byte, without fetching the rest of a long value."""
    return f"substring({column.column} from 1 for 1)"


async def tables(db: Any, sealed: Sequence[Sealed]) -> list[Table]:
    """Every table that has sealed columns, by name."""
    found: list[Table] = []
    for name in sorted({one.table for one in sealed}):
        key = [row[0] for row in await db.fetch(TEMPLATES["key_of"], name)]
        found.append(Table(name, key, [one for one in sealed if one.table == name]))
    return found


async def waiting(db: Any, wanted: Sequence[Table], keys: Keys) -> dict[str, int]:
    """Rows by table that have a value sealed with another key than the current one."""
    current = keys.current.encode()
    return {one.name: await db.fetchval(one.fill("waiting"), current) for one in wanted}


class Done(Struct):
    """Rows of a table that were sealed anew, and those with a value that no key opens."""

    changed: int = 0
    broken: int = 0


async def reseal(
    url: str, keys: Keys, table: Table, tell: Callable[[], object] = lambda: None
) -> Done:
    """Seal a table's old values anew as its owner; `tell` hears of each row."""
    done = Done()
    reader = await asyncpg.connect(url)
    try:
        writer = await asyncpg.connect(url)
        try:
            async for row in _stale(reader, keys, table):
                try:
                    done.changed += await _change(writer, keys, table, row)
                except SealBroken:
                    done.broken += 1
                tell()
        finally:
            await writer.close()
    finally:
        await reader.close()
    return done


async def _stale(db: Any, keys: Keys, table: Table) -> AsyncIterator[Any]:
    """Rows with old seals, bucket by bucket: no snapshot is held for longer than one takes."""
    buckets = range(BUCKETS) if "bucket" in table.key else [None]
    for bucket in buckets:
        current = keys.current.encode()
        asked = (current,) if bucket is None else (current, bucket)
        statement = table.fill("batch" if bucket is None else "batch_of_bucket")
        async with db.transaction(readonly=True):
            async for row in db.cursor(statement, *asked, prefetch=AT_ONCE):
                yield row


async def _change(db: Any, keys: Keys, table: Table, row: Any) -> int:
    """One row, where it is still what was read."""
    current = ord(keys.current)
    old = [(c, row[c.column]) for c in table.columns if row[c.column] is not None]
    stale = [(c, value) for c, value in old if value[0] != current]
    values: list[Any] = [row[name] for name in table.key]
    conditions = [f"{name} = ${n}" for n, name in enumerate(table.key, 1)]
    sets: list[str] = []
    for column, value in stale:
        opened = keys.open_bytes(value, column.sealed_in)
        values += [value, keys.seal_bytes(opened, column.sealed_in)]
        conditions.append(f"{column.column} = ${len(values) - 1}")
        sets.append(f"{column.column} = ${len(values)}")
    statement = table.fill("change", set=", ".join(sets), where=" and ".join(conditions))
    done: str = await db.execute(statement, *values)
    return int(done.rpartition(" ")[2])
