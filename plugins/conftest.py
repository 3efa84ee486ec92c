"""What the shops' tests share: their code, and a schema for each, where DATABASE_URL says or on a server of the run."""  # noqa: INP001 (found by pytest, imported by nobody)

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from shopkit import ShopDb

sys.path += [str(home.parent / "src") for home in Path(__file__).parent.glob("*/shop.json")]
CONNECTIONS_MAX = 8
"""Of one shop's tests: as many as ask at once in the busiest of them."""


class OwnSchema(Protocol):
    """Opens the schema of the shop in a folder, migrated, as the platform gives it; `name` is
    another than the folder's for one that is thrown away.
    """

    def __call__(self, home: Path, name: str = "") -> AbstractAsyncContextManager[ShopDb]: ...


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A server without durability; where this process is killed, it ends too."""
    from civicmall.cli.shop_home import throwaway

    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with throwaway() as url:
        yield url


@pytest.fixture(scope="session")
def own_schema(database_url: str) -> OwnSchema:
    """Gives each shop its own."""
    from civicmall import gateway
    from civicmall.kernel import migrate
    from civicmall.kernel.db import open_pool

    @asynccontextmanager
    async def opened(home: Path, name: str = "") -> AsyncGenerator[ShopDb]:
        schema, role = gateway.schema(name or home.name), gateway.role(name or home.name)
        await migrate.apply(database_url, [migrate.Room(schema, home / "migrations", role)])
        pool = await open_pool(
            database_url, role=role, search_path=schema, size_max=CONNECTIONS_MAX
        )
        try:
            yield pool
        finally:
            await pool.close()

    return opened
