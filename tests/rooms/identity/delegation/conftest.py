"""A city with two shops in it that do everything, so that each kind of door can be tried by who acts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from tests import workshop
from tests.city import City, running_city
from tests.rooms.gateway.remote_shop import EVERYTHING, said

from civicmall.kernel.config import Settings
from civicmall.shops import Registry


@pytest.fixture(scope="session")
def shops(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, Registry]:
    """The ids of the two, and the registry that they are in beside the checkout's own."""
    folder = tmp_path_factory.mktemp("shops")
    here, there = workshop.unique("here"), workshop.unique("there")
    for name in (here, there):
        workshop.build(folder, said(name), EVERYTHING)
    return here, there, workshop.beside_ours(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, shops: tuple[str, str, Registry]) -> AsyncGenerator[City]:
    async with running_city(settings, shops[2]) as found:
        yield found


@pytest.fixture
def here(shops: tuple[str, str, Registry]) -> str:
    """The one shop."""
    return shops[0]


@pytest.fixture
def there(shops: tuple[str, str, Registry]) -> str:
    """The other."""
    return shops[1]


@pytest.fixture
def calls(here: str) -> list[Any]:
    """What the one shop was called with, from now on."""
    seen: list[Any] = workshop.inside(here).seen
    seen.clear()
    return seen
