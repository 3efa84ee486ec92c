"""A city with an office in it, that takes applications and does with them what a test asks for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest
import pytest_asyncio
from tests import workshop
from tests.city import City, running_city
from tests.rooms.cases.steps import Later, office_registry

from civicmall.kernel.config import Settings
from civicmall.shops import Registry


@pytest.fixture(scope="session")
def offices(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Registry]:
    """The office's id, and the registry that it is in."""
    return office_registry(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def later() -> Later:
    return Later()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(
    settings: Settings, offices: tuple[str, Registry], later: Later
) -> AsyncGenerator[City]:
    async with running_city(settings, offices[1], later) as found:
        yield found


@pytest.fixture
def office(offices: tuple[str, Registry], later: Later) -> Generator[Any]:
    """The office from inside, with its doors open before and after each test."""
    module = workshop.inside(offices[0])
    module.doors.set()
    yield module
    module.doors.set()
