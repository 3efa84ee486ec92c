"""A city with two more shops: a kiosk, and a booth of another department."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests import workshop
from tests.city import City, running_city
from tests.rooms.payments.documents.steps import BOOTH, COPYCAT
from tests.rooms.payments.steps import KIOSK

from civicmall.identity import sandbox
from civicmall.kernel.config import Settings
from civicmall.shops import Registry


@pytest.fixture(scope="session")
def two_registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Kiosk and booth and who takes the kiosk's account, and the checkout's own shops beside them."""
    plugins = tmp_path_factory.mktemp("two")
    code = Path(__file__).parents[1].joinpath("kiosk.py").read_text()
    for name in (KIOSK, BOOTH, COPYCAT):
        account = f"{KIOSK if name == COPYCAT else name}.account"
        apps = [workshop.app("stall", "bills")]
        said = workshop.manifest(name, apps, settlement_account=account)
        workshop.build(plugins, said, code)
    return workshop.beside_ours(plugins)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, two_registry: Any) -> AsyncGenerator[City]:
    """A running city with both in it, and somebody of each department."""
    async with running_city(settings, two_registry) as found:
        await sandbox.add_staff(
            found.house, [(KIOSK, "售票员"), (BOOTH, "看守"), (COPYCAT, "来客")]
        )
        yield found
