"""The shop's own tests run on a PostgreSQL of their own, or on the one that DATABASE_URL names."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Protocol

import asyncpg
import pytest

from civicmall.kernel import db, embedded, migrate
from shopkit.testing import TestShop

HOME = Path(__file__).parent.parent
sys.path.append(str(HOME / "src"))

TODAY = date(2026, 11, 25)


class Opened(Protocol):
    """Opens a shop with empty tables in a schema of the given name, which goes again."""

    def __call__(self, name: str) -> AbstractAsyncContextManager[TestShop]: ...


@pytest.fixture(scope="session")
def database_url() -> Generator[str]:
    """A server without durability that ends with the tests."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="utility-bills-"))
    folder.chmod(0o755)
    server = embedded.start(folder, log=lambda _: None, lives_with=os.getpid(), fsync=False)
    yield server.url
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def opened(database_url: str) -> Opened:
    """Makes shops, each with tables of its own."""

    @asynccontextmanager
    async def open_shop(name: str) -> AsyncGenerator[TestShop]:
        import utility_bills

        from .days import noon

        schema = f"shop_utility_bills_{name}_{os.getpid()}"
        role = f"civicmall_{schema}"
        await migrate.apply(database_url, [migrate.Room(schema, HOME / "migrations", role)])
        pool = await db.open_pool(database_url, role=role, search_path=schema, size_max=4)
        try:
            yield TestShop(utility_bills.shop, pool, now=noon(TODAY))
        finally:
            await pool.close()
            owner = await asyncpg.connect(database_url)
            await owner.execute(f"drop schema {schema} cascade; drop role {role}")
            await owner.execute("delete from public._pogo_migration where schema_name = $1", schema)
            await owner.close()

    return open_shop


@pytest.fixture(scope="session")
async def shop(opened: Opened) -> AsyncGenerator[TestShop]:
    """The shop with its sandbox, on a day in November."""
    from .days import fill

    async with opened("november") as shop:
        shop.shop.check()
        await fill(shop)
        yield shop
