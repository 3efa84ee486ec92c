"""A city's payment centre with a shop whose bills a test makes up."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from tests import workshop
from tests.rooms.payments.mandates.world import METERS, World

from civicmall.kernel.config import Settings
from civicmall.shops import Registry


@pytest.fixture(scope="session")
def meters_registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The meters, and the checkout's own shops beside them."""
    plugins = tmp_path_factory.mktemp("meters")
    claims = [{"name": "phone", "purpose": workshop.text("to find your meter")}]
    water = workshop.app("water", "bills", claims=claims, min_level=2)
    code = Path(__file__).with_name("meters.py").read_text()
    workshop.build(plugins, workshop.manifest(METERS, [water]), code)
    return workshop.beside_ours(plugins)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(settings: Settings, meters_registry: Registry) -> AsyncGenerator[World]:
    """The room at work, at noon on 2 March 2027."""
    found = World(settings, meters_registry)
    async with found.stack:
        yield await found.open()
