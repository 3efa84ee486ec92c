"""The shop on its sandbox, on a day in the collection period."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from plugins.conftest import OwnSchema

    from shopkit import ShopDb
    from shopkit.testing import TestShop

HOME = Path(__file__).parent.parent
NOW = datetime(2026, 11, 18, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
async def db(own_schema: OwnSchema) -> AsyncIterator[ShopDb]:
    """The shop's own schema, migrated."""
    async with own_schema(HOME) as db:
        yield db


@pytest.fixture
async def office(db: ShopDb) -> AsyncIterator[TestShop]:
    """The shop with its sandbox, on a day in the collection period; each test moves its own clock."""
    from medical_insurance import shop

    from shopkit.testing import TestShop

    async with TestShop(shop, db, now=NOW) as t:
        yield t
