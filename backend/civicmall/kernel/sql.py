"""SQL lives in `queries.sql` files, one named statement each; this reads them.

aiosql parses; the adapter is ours because the stock one inspects the connection on every call.
`db` is anything with asyncpg's fetch, fetchrow, fetchval and execute: a pool takes a connection
for the one statement, a connection stays in its transaction.

This is the one module that touches untyped aiosql; callers annotate what a query returns.
"""
# pyright: basic

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiosql
from aiosql.utils import VAR_REF

Query = Callable[..., Awaitable[Any]]


class _Adapter:
    """Named parameters become $1…; rows become Structs by position."""

    is_aio_driver = True

    def __init__(self) -> None:
        self.order: dict[str, list[str]] = {}

    def process_sql(self, name: str, _op: object, text: str) -> str:
        order = self.order.setdefault(name, [])

        def number(match: Any) -> str:
            if match["dquote"] is not None or match["squote"] is not None:
                return match[0]
            if match["var_name"] not in order:
                order.append(match["var_name"])
            return f"{match['lead']}${order.index(match['var_name']) + 1}"

        return VAR_REF.sub(number, text)

    def _args(self, name: str, given: dict[str, Any]) -> list[Any]:
        return [given[key] for key in self.order[name]]

    async def select(self, db: Any, name: str, text: str, given: Any, record: Any = None) -> Any:
        for row in await db.fetch(text, *self._args(name, given)):
            yield row if record is None else record(*row)

    async def select_one(
        self, db: Any, name: str, text: str, given: Any, record: Any = None
    ) -> Any:
        row = await db.fetchrow(text, *self._args(name, given))
        return row if row is None or record is None else record(*row)

    async def select_value(self, db: Any, name: str, text: str, given: Any) -> Any:
        return await db.fetchval(text, *self._args(name, given))

    async def insert_update_delete(self, db: Any, name: str, text: str, given: Any) -> Any:
        return await db.execute(text, *self._args(name, given))


class Queries:
    """The statements of one file. `q.name(db, a=1)`; lists are awaited like the rest."""

    def __init__(self, path: Path, records: dict[str, type]) -> None:
        self.path = path
        self.records = records
        self._queries = aiosql.from_path(path, _Adapter, record_classes=records)  # type: ignore[arg-type]
        self.names: list[str] = [
            n for n in self._queries.available_queries if not n.endswith("_cursor")
        ]
        for name in self.names:
            setattr(self, name, self._awaitable(getattr(self._queries, name)))

    @staticmethod
    def _awaitable(query: Any) -> Query:
        if query.operation.name != "SELECT":
            return query

        async def rows(db: Any, **given: Any) -> list[Any]:
            return [row async for row in query(db, **given)]

        rows.sql = query.sql  # type: ignore[attr-defined]
        return rows

    def text(self, name: str) -> str:
        """The statement as PostgreSQL gets it, for the two or three hottest and for benches."""
        return getattr(self._queries, name).sql

    def __getattr__(self, name: str) -> Query:
        raise AttributeError(f"{self.path.parent.name}/{self.path.name} has no query {name}")


ALL: list[Queries] = []
"""Every loaded file, so that one house test can prepare each statement."""


def load(module_file: str, *records: type, name: str = "queries.sql") -> Queries:
    """Read the `queries.sql` beside a module; `records` are the Structs its rows become."""
    queries = Queries(Path(module_file).with_name(name), {r.__name__: r for r in records})
    ALL.append(queries)
    return queries
