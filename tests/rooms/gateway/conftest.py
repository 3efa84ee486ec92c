"""A city whose shops are an odd one, a fine one, and some that can't even be read or imported."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from tests import workshop
from tests.city import City, running_city
from tests.rooms.gateway.remote_shop import Remote, remote_city
from tests.rooms.gateway.steps import Later

from civicmall import gateway
from civicmall.gateway.breaker import Breaker
from civicmall.kernel import crypto, migrate
from civicmall.kernel.config import Settings
from civicmall.shops import Registry

TIMEOUT_MS = 1000
"""Long enough that a machine which stands still for a moment makes no other problem of an answer."""
CLAIMS = [{"name": "id_number", "purpose": workshop.text("to find you")}]
MIGRATION = """\
-- a table of notes
-- depends:
-- migrate: apply
create table note (n int);
-- migrate: rollback
drop table note;
"""
FINE = Path(__file__).with_name("odd.py").read_text()


class Names:
    """The shops' ids, other in each run of a module."""

    def __init__(self) -> None:
        self.odd = workshop.unique("odd")
        self.fine = workshop.unique("fine")
        self.key = workshop.unique("key")
        self.gone = workshop.unique("gone")
        self.exits = workshop.unique("exits")
        self.roofless = workshop.unique("roofless")


@pytest.fixture(scope="module")
def names() -> Names:
    return Names()


@pytest.fixture(scope="module")
def odd_registry(names: Names, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    plugins = tmp_path_factory.mktemp("odd")
    apps = [
        workshop.app("plain", "bills", "progress"),
        workshop.app("guarded", "bills", claims=CLAIMS, min_level=2),
    ]
    apps[1]["fees"] = apps[0]["fees"]
    often = {"per_second": 10_000, "per_citizen_per_minute": 6_000}
    limits = {"timeout_ms": TIMEOUT_MS, "concurrency": 4, "queue": 4, **often}
    for name in (names.odd, names.fine, names.roofless):
        said = workshop.manifest(name, apps, limits=limits)
        workshop.build(plugins, said, FINE, **{f"0001_{name}": MIGRATION})
    apps = [workshop.app("plain", "bills")]
    workshop.build(plugins, workshop.manifest(names.key, apps, colour="red"), FINE)
    workshop.build(plugins, workshop.manifest(names.gone, apps), "import nothing_of_this_name")
    workshop.build(plugins, workshop.manifest(names.exits, apps), "sys.exit(3)")
    return workshop.opened(plugins)


@pytest.fixture(scope="module")
def later() -> Later:
    return Later()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(
    settings: Settings, odd_registry: Registry, names: Names, later: Later
) -> AsyncGenerator[City]:
    keys = crypto.load(settings.data_dir)
    rooms = [
        room
        for name in (names.odd, names.fine)  # the roofless one's tables are never made
        if (shop := odd_registry.get(name).shop) and (room := gateway.room(shop, keys))
    ]
    assert len(rooms) == 2
    await migrate.apply(settings.database_url, rooms)
    async with running_city(settings, odd_registry, later) as found:
        yield found


@pytest.fixture
def odd(names: Names, city: City) -> Generator[Any]:
    """The odd shop from inside, as well as new before and after each test."""
    module: Any = sys.modules[names.odd]
    gate = next(
        way.gate for way in city.parts.gateway.gates.all() if way.deployed.shop == names.odd
    )

    def mend() -> None:
        module.mode = "ok"
        module.release.clear()
        module.seen.clear()
        gate._breaker = Breaker()

    mend()
    yield SimpleNamespace(module=module, gate=gate, id=names.odd)
    module.release.set()
    mend()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def remote_town(
    settings: Settings, later: Later, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Remote]:
    """A city that calls a shop at an address of its own."""
    async with remote_city(settings, tmp_path_factory.mktemp("remote"), later) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def remote(remote_town: Remote, later: Later) -> Remote:
    """The same, with its shop as good as new."""
    later.forward_s += 120  # whatever breaker had opened lets a call try now
    await remote_town.back()
    return remote_town
