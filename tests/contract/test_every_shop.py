"""Every folder of plugins/ against every check of the kit: in-process, and served over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from tests.serving import served

from civicmall.gateway import role, schema
from civicmall.kernel.db import open_pool
from civicmall.kernel.house import House
from civicmall.shops import discover, load
from shopkit import BadManifest, Manifest, Shop, read_manifest
from shopkit.kit import Finding, InProcess, connect, plan, run
from shopkit.kit.letters import WEBHOOK_SECRET
from shopkit.serve import ShopService, sandbox_trust
from shopkit.testing import TestShop

Where = Literal["inside", "wire"]
WAYS: Final[tuple[Where, ...]] = ("inside", "wire")
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
    """Folder, way, app and check: all that apply."""
    return [
        pytest.param(
            folder, way, one.about, one.check.name,
            id=f"{folder}/{way}/{one.about or 'shop'}/{one.check.name}",
        )
        for folder in FOLDERS
        if (found := manifest(folder)) is not None
        for way in WAYS
        for one in plan(found, way)
        if not one.excuse
    ]  # fmt: skip


def test_there_are_shops() -> None:
    assert FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_is_a_shop(folder: str) -> None:
    """Its manifest is valid, and its code imports and serves what the manifest declares."""
    found = [one for one in discover(PLUGINS) if one.key == folder]
    (entry,) = load(found).all()
    assert entry.reason == ""
    assert entry.id == folder


class Reports:
    """What the kit found of each shop, both ways; each is asked once."""

    def __init__(self, house: House, stack: AsyncExitStack) -> None:
        self._house = house
        self._stack = stack
        self._found: dict[tuple[str, Where], dict[tuple[str, str], Finding]] = {}
        self.shops = {
            entry.id: entry.shop
            for entry in load(one for one in discover(PLUGINS) if one.key in FOLDERS).all()
            if entry.shop is not None
        }

    async def of(self, folder: str, way: Where) -> dict[tuple[str, str], Finding]:
        if (folder, way) not in self._found:
            shop = self.shops[folder]
            findings = await (self._inside(shop) if way == "inside" else self._wire(shop))
            self._found[folder, way] = {(one.check, one.app): one for one in findings}
        return self._found[folder, way]

    def _secret(self, shop: Shop) -> bytes:
        return self._house.keys.derive(f"shop:{shop.manifest.id}")

    async def _pool(self, shop: Shop) -> Any:
        name = shop.manifest.id
        pool = await open_pool(
            self._house.settings.database_url, role=role(name), search_path=schema(name)
        )
        self._stack.push_async_callback(pool.close)
        return pool

    async def _inside(self, shop: Shop) -> list[Finding]:
        async with TestShop(shop, await self._pool(shop), secret=self._secret(shop)) as t:
            return await run(InProcess(t))

    async def _wire(self, shop: Shop) -> list[Finding]:
        """On a server of its own, over real HTTP; the kit stands for the platform's materials."""
        kept: dict[tuple[str, str], bytes] = {}

        async def material(case_id: str, name: str) -> bytes:
            return kept[case_id, name]

        @asynccontextmanager
        async def opened() -> AsyncGenerator[Any]:
            yield await self._pool(shop)

        service = ShopService(
            shop, trust=sandbox_trust(), secret=self._secret(shop), opened=opened,
            webhook_secret=WEBHOOK_SECRET, materials=material,
        )  # fmt: skip
        async with served(service) as url, connect(url) as remote:
            remote.kept = kept
            return await run(remote)


@pytest.fixture(scope="module")
async def reports(house: House) -> AsyncIterator[Reports]:
    """Every live shop on its own schema, as the template's gateway seeded it."""
    async with AsyncExitStack() as stack:
        yield Reports(house, stack)


@pytest.mark.parametrize(("folder", "way", "app", "check"), runs())
async def test_check(reports: Reports, folder: str, way: Where, app: str, check: str) -> None:
    assert folder in reports.shops, "the shop can't be loaded; see test_is_a_shop"
    finding = (await reports.of(folder, way))[check, app]
    if finding.result == "skipped":
        pytest.skip(finding.seen)  # said by the kit: nobody of the sandbox can show it
    assert finding.result == "passed", f"{finding.asks}\nseen: {finding.seen}"
