"""One shop on its own: found in its folder, with a schema as the platform would give it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from civicmall import gateway, shops
from civicmall.kernel import db, embedded, migrate
from civicmall.kernel.clock import Clock
from civicmall.kernel.crypto import Keys
from shopkit import BadManifest, Shop, ShopDb, read_manifest
from shopkit.call import NoTables
from shopkit.manifest import FILE

POOL_MAX = 8
"""Connections of a served shop: it has the process to itself."""


class NoShop(Exception):
    """There is no shop in the folder, or one that can't be used; says why."""


def find(folder: Path) -> Shop:
    """Read the manifest, import the code, compare both. Raises NoShop."""
    if not (folder / FILE).exists():
        raise NoShop(f"there is no {FILE} in {folder.absolute()}")
    try:
        manifest = read_manifest(folder / FILE)
    except BadManifest as error:
        raise NoShop(str(error)) from error
    home = folder.absolute()
    found = [one for one in shops.discover(home.parent) if one.key == home.name]
    entry = next(iter(shops.load(found).all()), None)
    if entry is None or entry.shop is None:
        why = entry.reason if entry and entry.reason else "a manifest of a shop at an address"
        raise NoShop(f"{manifest.id}: {why}")
    return entry.shop


@contextmanager
def throwaway() -> Generator[str]:
    """The address of a PostgreSQL that is gone afterwards."""
    with TemporaryDirectory(prefix="civicmall-shop-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL doesn't run as root: its own user must get in
        server = embedded.start(folder, log=lambda _: None, lives_with=os.getpid(), fsync=False)
        try:
            yield server.url
        finally:
            server.stop()


async def prepare(shop: Shop, url: str, keys: Keys) -> list[str]:
    """Migrate its schema and let its role in. Raises MigrationRefused."""
    room = gateway.room(shop, keys)
    return await migrate.apply(url, [room]) if room else []


@asynccontextmanager
async def opened(shop: Shop, url: str, keys: Keys, *, seed: bool) -> AsyncGenerator[ShopDb]:
    """Its schema, seeded where asked; for one that keeps no tables, what says so."""
    room = gateway.room(shop, keys)
    if room is None:
        yield cast("ShopDb", NoTables())
        return
    pool: Any = await db.open_pool(
        url, role=room.role, password=room.password, search_path=room.schema, size_max=POOL_MAX
    )
    async with pool:
        if seed and shop.seeder is not None:
            await shop.seeder(pool, gateway.secret_for(shop.manifest.id, keys), Clock().today())
        yield pool
