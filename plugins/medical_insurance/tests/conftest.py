"""The shop's own tests run on a PostgreSQL of their own, or on the one that DATABASE_URL names."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

HOME = Path(__file__).parent.parent
sys.path.append(str(HOME / "src"))

if TYPE_CHECKING:
    from shopkit import ShopDb
    from shopkit.testing import TestShop

NOW = datetime(2026, 11, 18, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A server without durability; where this process is killed, it ends too."""
    from civicmall.kernel import embedded

    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with TemporaryDirectory(prefix="medical-insurance-") as name:
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

    schema, role = "shop_medical_insurance", "civicmall_shop_medical_insurance"
    await migrate.apply(database_url, [migrate.Room(schema, HOME / "migrations", role)])
    pool = await open_pool(database_url, role=role, search_path=schema, size_max=8)
    yield pool
    await pool.close()


@pytest.fixture
async def office(db: ShopDb) -> AsyncIterator[TestShop]:
    """The shop with its sandbox, on a day in the collection period; each test moves its own clock."""
    from medical_insurance import shop

    from shopkit.testing import TestShop

    async with TestShop(shop, db, now=NOW) as t:
        yield t
