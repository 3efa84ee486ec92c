"""A ledger of a test's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio
from tests.rooms.payments.ledger.books import Owner, owner_of

from civicmall.kernel.house import House


@pytest_asyncio.fixture(loop_scope="session")
async def owner(house: House) -> AsyncGenerator[Owner]:
    """The tables' owner; the ledger is empty."""
    async with owner_of(house) as found:
        yield found
