"""The shop of docs/shop-author.md, taken out of the page, and the page's commands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from civicmall.cli.shop_new import make
from civicmall.gateway import role, schema
from civicmall.kernel import migrate
from civicmall.kernel.db import open_pool
from civicmall.shops import discover, load
from shopkit.testing import TestShop

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "shop-author.md"
NAME: Final = "city_library"
BLOCK: Final = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BIN: Final = str(Path(sys.executable).parent)


class Block(Struct, frozen=True):
    """A block of the page. `said` is what stands behind its language: `file=…`, `as=…`, flags."""

    language: str
    said: dict[str, str]
    text: str

    @property
    def file(self) -> str:
        return self.said.get("file", "")


def blocks() -> list[Block]:
    """All of the page, in order."""
    found: list[Block] = []
    for language, info, text in BLOCK.findall(PAGE.read_text()):
        pairs = (word.partition("=") for word in shlex.split(info))
        found.append(Block(language, {key: value for key, _, value in pairs}, text))
    return found


class Desk:
    """Where an author works: files of the page are written below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._written: set[str] = set()

    def put(self, block: Block) -> None:
        """Write a file's block: the first one is the file, others go on where it ends."""
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if block.file in self._written else "w") as file:
            file.write(block.text)
        self._written.add(block.file)

    def change(self, block: Block) -> None:
        """Apply a diff's block: what it takes away must stand there, once."""
        lines = block.text.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] != "+")
        after = "".join(line[1:] for line in lines if line[0] != "-")
        path = self.folder / block.file
        text = path.read_text()
        assert text.count(before) == 1, (
            f"{block.file}: {before!r} stands {text.count(before)} times"
        )
        path.write_text(text.replace(before, after))


def write(plugins: Path) -> None:
    """Put the shop's folder into `plugins`, as it is at the end of the page."""
    desk = Desk(plugins)
    make(plugins, NAME, "orders")
    for block in blocks():
        if block.file.startswith(f"{NAME}/"):
            (desk.change if block.language == "diff" else desk.put)(block)
        elif "files" in block.said:
            subprocess.run(
                ["bash", "-euc", block.text],
                cwd=plugins / NAME,
                env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
                check=True,
                timeout=60,
            )


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
