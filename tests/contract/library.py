"""The shop of docs/shop-author.md, taken out of the page."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from civicmall.gateway import role, schema
from civicmall.kernel import migrate
from civicmall.kernel.db import open_pool
from civicmall.shops import discover, load
from shopkit.testing import TestShop

PAGE: Final = Path(__file__).parents[2] / "docs" / "shop-author.md"
NAME: Final = "city_library"
BLOCK: Final = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write(plugins: Path) -> None:
    """Put the shop's folder into `plugins`; blocks of one file follow each other."""
    for name, text in BLOCK.findall(PAGE.read_text()):
        path = plugins / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(text)


@asynccontextmanager
async def opened(plugins: Path, url: str) -> AsyncGenerator[TestShop]:
    """The shop in `plugins`, found and loaded as the platform does, on its own schema."""
    (entry,) = load(found for found in discover(plugins) if found.key == NAME).all()
    assert (entry.id, entry.state, entry.reason) == (NAME, "live", "")
    assert entry.shop is not None
    assert entry.shop.migrations is not None
    room = migrate.Room(schema(NAME), entry.shop.migrations, role(NAME))
    await migrate.apply(url, [room])
    pool = await open_pool(url, role=room.role, search_path=room.schema, size_max=4)
    try:
        async with TestShop(entry.shop, pool) as t:
            yield t
    finally:
        await pool.close()
