"""Every folder of plugins/ against every check of the contract, in-process, on its own data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from tests.contract.checks import CHECKS, Bench

from civicmall.gateway import role, schema
from civicmall.kernel.db import open_pool
from civicmall.kernel.house import House
from civicmall.shops import discover, load
from shopkit import BadManifest, Manifest, read_manifest
from shopkit.sandbox import people
from shopkit.testing import CITY, TestShop

PLUGINS: Final = Path(__file__).parents[2] / "plugins"
FOLDERS: Final = sorted(
    path.name for path in PLUGINS.iterdir() if path.is_dir() and path.name[0] not in "._"
)


def manifest(folder: str) -> Manifest | None:
    """A shop's manifest, or None where `test_is_a_shop` will say what is wrong."""
    try:
        return read_manifest(PLUGINS / folder / "shop.json")
    except BadManifest:
        return None


def runs() -> list[Any]:
    """Folder, app and check: all that apply."""
    return [
        pytest.param(folder, app.id, name, id=f"{folder}/{app.id}/{name}")
        for folder in FOLDERS
        if (found := manifest(folder)) is not None
        for app in found.apps
        for name, (capability, _) in CHECKS.items()
        if capability is None or capability in app.capabilities
    ]


def test_there_are_shops() -> None:
    assert FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_is_a_shop(folder: str) -> None:
    """Its manifest is valid, and its code imports and serves what the manifest declares."""
    found = [one for one in discover(PLUGINS) if one.key == folder]
    (entry,) = load(found).all()
    assert entry.reason == ""
    assert entry.id == folder


@pytest.fixture(scope="module")
async def shops(house: House) -> AsyncIterator[dict[str, TestShop]]:
    """Every live shop on its own schema, as the template's gateway seeded it."""
    opened: dict[str, TestShop] = {}
    async with AsyncExitStack() as stack:
        for entry in load(one for one in discover(PLUGINS) if one.key in FOLDERS).all():
            if entry.shop is None:
                continue
            pool = await open_pool(
                house.settings.database_url, role=role(entry.id), search_path=schema(entry.id)
            )
            stack.push_async_callback(pool.close)
            secret = house.keys.derive(f"shop:{entry.id}")
            t = TestShop(entry.shop, pool, secret=secret)
            opened[entry.id] = await stack.enter_async_context(t)
        yield opened


@pytest.mark.parametrize(("folder", "app", "check"), runs())
async def test_check(shops: dict[str, TestShop], folder: str, app: str, check: str) -> None:
    assert folder in shops, "the shop can't be loaded; see test_is_a_shop"
    t = shops[folder]
    declared = t.shop.manifest.app(app)
    assert declared is not None
    sandbox = people(t.now.astimezone(CITY).date())
    await CHECKS[check][1](Bench(t, declared, sandbox))
