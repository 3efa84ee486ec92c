"""Reading a channel's statement, against COPY of the same file into plain columns."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import uvloop
from tests.bench.place import Place
from tests.citizens import own_house

from civicmall import app, payments
from civicmall.kernel.config import Settings
from civicmall.payments.channels.statements import HEAD, Row, line
from civicmall.shops import Registry

DAY: Final = date(2026, 10, 1)
NOON: Final = datetime(2026, 10, 1, 4, tzinfo=UTC)
PLAIN: Final = """
create unlogged table plain (kind text, txn text, merchant_no text, original_no text,
                             amount_minor bigint, fee_minor bigint, at timestamptz)
"""


class Statements:
    """Files of `rows` payments, each read once."""

    def __init__(self, place: Place, rows: int) -> None:
        self.rows = rows
        self.folder = place.folder
        self.nth = 0
        self.url = place.database("reckon")
        self.settings = Settings(
            database_url=self.url, data_dir=place.folder, workers=False, pool_max=8
        )

    async def prepare(self) -> None:
        """The schema."""
        await app.prepare(self.settings, Registry([]))
        connection: Any = await asyncpg.connect(self.url)
        await connection.execute(PLAIN)
        await connection.close()

    def _file(self) -> Path:
        """Another statement, as the sandbox's bank writes it."""
        self.nth += 1
        path = self.folder / f"statement-{self.nth}.csv"
        with path.open("wb") as out:
            out.write(HEAD)
            for n in range(self.rows):
                number = f"01900000{self.nth:04x}70008000{n:010x}{n % 256:02x}"
                at = NOON + timedelta(days=self.nth, milliseconds=n)
                out.write(line(Row("payment", f"B{self.nth}-{n}", number, "", 100 + n, 0, at)))
        return path

    def both(self) -> tuple[float, float]:
        """Rows a second: read by us, copied by PostgreSQL."""
        path = self._file()
        found = uvloop.run(self._both(path))
        path.unlink()
        return found

    async def _both(self, path: Path) -> tuple[float, float]:
        connection: Any = await asyncpg.connect(self.url)
        began = time.perf_counter()
        await connection.copy_to_table("plain", source=path, format="csv", header=True)
        copied = time.perf_counter() - began
        await connection.close()
        async with own_house(self.settings) as house:
            began = time.perf_counter()
            day = DAY + timedelta(days=self.nth)
            statement = await payments.reconcile.read(house, "sandbox", day, path)
            took = time.perf_counter() - began
        if statement.entries != self.rows:
            raise RuntimeError(f"{statement.entries} rows of {self.rows}")
        return self.rows / took, self.rows / copied
