"""The shop on its sandbox, at noon of a day in November."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from housing_fund.rates import Rules
    from plugins.conftest import OwnSchema

    from shopkit import ShopDb
    from shopkit.testing import TestShop

HOME = Path(__file__).parent.parent
TODAY = date(2026, 11, 25)


@pytest.fixture(scope="session")
def rules() -> Rules:
    """The published rules."""
    from housing_fund import rates

    return rates.read(HOME / "data" / "rules.json")


@pytest.fixture(scope="session")
async def db(own_schema: OwnSchema) -> AsyncIterator[ShopDb]:
    """The shop's own schema, migrated."""
    async with own_schema(HOME) as db:
        yield db


@pytest.fixture(scope="session")
async def fund(db: ShopDb) -> AsyncIterator[TestShop]:
    """The shop with its sandbox, at noon of a day in November."""
    from housing_fund import shop

    from shopkit.testing import TestShop

    now = datetime(TODAY.year, TODAY.month, TODAY.day, 4, tzinfo=UTC)
    async with TestShop(shop, db, now=now) as t:
        yield t
