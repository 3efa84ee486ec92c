"""The shop's schema."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from plugins.conftest import OwnSchema

    from shopkit import ShopDb

HOME = Path(__file__).parent.parent


@pytest.fixture(scope="session")
async def db(own_schema: OwnSchema) -> AsyncIterator[ShopDb]:
    """The shop's own schema, migrated."""
    async with own_schema(HOME) as db:
        yield db
