"""The shop's own tests run on a PostgreSQL of their own, or on the one that DATABASE_URL names."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

HOME = Path(__file__).parent.parent
sys.path.append(str(HOME / "src"))

if TYPE_CHECKING:
    from housing_fund.rates import Rules

    from shopkit import ShopDb
    from shopkit.testing import TestShop

TODAY = date(2026, 11, 25)


@pytest.fixture(scope="session")
def rules() -> Rules:
    """The published rules."""
    from housing_fund import rates

    return rates.read(HOME / "data" / "rules.json")


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A server without durability; where this process is killed, it ends too."""
    from civicmall.kernel import embedded

    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with TemporaryDirectory(prefix="housing-fund-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL doesn't run as root: its own user must get in
        server = embedded.start(folder, log=lambda _: None, lives_with=os.getpid(), fsync=False)
        yield server.url
        server.stop()


@pytest.fixture(scope="session")
async def db(database_url: str) -> AsyncIterator[ShopDb]:
    """The shop's own schema, migrated, as the platform gives it."""
    from civicmall.kernel import migrate
    from civicmall.kernel.db import open_pool

    schema, role = "shop_housing_fund", "civicmall_shop_housing_fund"
    await migrate.apply(database_url, [migrate.Room(schema, HOME / "migrations", role)])
    pool = await open_pool(database_url, role=role, search_path=schema, size_max=4)
    yield pool
    await pool.close()


@pytest.fixture(scope="session")
async def fund(db: ShopDb) -> AsyncIterator[TestShop]:
    """The shop with its sandbox, at noon of a day in November."""
    from housing_fund import shop

    from shopkit.testing import TestShop

    now = datetime(TODAY.year, TODAY.month, TODAY.day, 4, tzinfo=UTC)
    async with TestShop(shop, db, now=now) as t:
        yield t
