"""Shops with tables of their own, each in a schema that goes again."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import asyncpg
import pytest

from civicmall import gateway
from shopkit.testing import TestShop

if TYPE_CHECKING:
    from plugins.conftest import OwnSchema

HOME = Path(__file__).parent.parent
TODAY = date(2026, 11, 25)


class Opened(Protocol):
    """Opens a shop with empty tables in a schema of the given name, which goes again."""

    def __call__(self, name: str) -> AbstractAsyncContextManager[TestShop]: ...


@pytest.fixture(scope="session")
def opened(database_url: str, own_schema: OwnSchema) -> Opened:
    """Makes shops, each with tables of its own."""

    @asynccontextmanager
    async def open_shop(name: str) -> AsyncGenerator[TestShop]:
        import utility_bills

        from .days import noon

        of = f"utility_bills_{name}_{os.getpid()}"
        try:
            async with own_schema(HOME, of) as db:
                yield TestShop(utility_bills.shop, db, now=noon(TODAY))
        finally:
            schema, role = gateway.schema(of), gateway.role(of)
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
