"""The owner of the audit's tables."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio
from tests.rooms.identity.audit.lines import Owner, owner_of

from civicmall.kernel.config import Settings


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owner(settings: Settings) -> AsyncGenerator[Owner]:
    """A connection as the owner."""
    async with owner_of(settings) as found:
        yield found
