"""Named statements out of a .sql file: `-- name: it`, then SQL with :named or $1 parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from .call import ShopDb

PARAMETER: Final = re.compile(r"(?<![:\w]):([a-z_]+)")
T = TypeVar("T")


class Statement:
    """One statement. Rows become `record`s by position: the select list is the record's fields."""

    def __init__(self, text: str) -> None:
        self.names = list(dict.fromkeys(PARAMETER.findall(text)))
        self.text = PARAMETER.sub(lambda m: f"${self.names.index(m[1]) + 1}", text)

    def _args(self, given: dict[str, Any]) -> list[Any]:
        return [given[name] for name in self.names]

    async def rows(self, db: ShopDb, record: type[T], **given: Any) -> list[T]:
        """All rows."""
        return [record(*row) for row in await db.fetch(self.text, *self._args(given))]

    async def row(self, db: ShopDb, record: type[T], **given: Any) -> T | None:
        """The first row, if there is one."""
        row = await db.fetchrow(self.text, *self._args(given))
        return None if row is None else record(*row)

    async def run(self, db: ShopDb, **given: Any) -> None:
        """For its effect."""
        await db.execute(self.text, *self._args(given))

    async def run_many(
        self, db: ShopDb, names: Sequence[str], rows: Sequence[Sequence[Any]], **given: Any
    ) -> None:
        """The same for many rows at once, as one array per column; without rows nothing is asked."""
        if rows:
            await self.run(db, **given, **columns(names, rows))


def columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    """Rows as one array per column, as `unnest` takes them. Raises ValueError where they differ."""
    turned = zip(*rows, strict=True) if rows else [()] * len(names)
    return dict(zip(names, map(list, turned), strict=True))


def load(path: Path) -> dict[str, Statement]:
    """The statements of a file, by name."""
    named = re.split(r"^-- name: (\w+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    plain = (re.sub(r"^\s*--.*$", "", text, flags=re.MULTILINE) for text in named[1::2])
    return {name: Statement(text) for name, text in zip(named[::2], plain, strict=True)}
