"""A city with one more shop, whose charges are whatever a test asks for."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests import workshop
from tests.city import City, running_city
from tests.rooms.payments.steps import KIOSK, Kiosk

from civicmall.kernel.config import Settings
from civicmall.shops import Registry


@pytest.fixture(scope="session")
def kiosk_registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The kiosk, and the checkout's own shops beside it."""
    plugins = tmp_path_factory.mktemp("kiosk")
    said = workshop.manifest(KIOSK, [workshop.app("stall", "bills")])
    workshop.build(plugins, said, Path(__file__).with_name("kiosk.py").read_text())
    return workshop.beside_ours(plugins)


@pytest.fixture(scope="module")
def kiosk(kiosk_registry: Registry) -> Kiosk:
    """What the kiosk saw."""
    return Kiosk(sys.modules[KIOSK])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, kiosk_registry: Any) -> AsyncGenerator[City]:
    """A running city with the kiosk in it."""
    async with running_city(settings, kiosk_registry) as found:
        yield found
