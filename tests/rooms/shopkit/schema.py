"""A shop's schema in a database of its own, from the tables as the contract gives them out."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from civicmall.kernel import migrate
from civicmall.kernel.db import open_pool
from civicmall.kernel.embedded import Server
from shopkit import ShopDb


def role_of(shop: str) -> str:
    """Who the shop is in the database."""
    return f"shop_{shop}_role"


def write(folder: Path, shop: str, tables: str, back: str) -> None:
    """A shop's first migration."""
    (folder / f"0001_{shop}.sql").write_text(
        f"-- {shop}\n-- depends:\n\n-- migrate: apply\n\n{tables}\n-- migrate: rollback\n\n{back}\n"
    )


@asynccontextmanager
async def schema(
    server: Server, shop: str, migrations: Path, *, size_max: int = 8
) -> AsyncGenerator[ShopDb]:
    """Migrated and as the platform gives it to the shop; gone when left."""
    name, role = f"{shop}_{os.getpid()}", role_of(shop)
    owner: Any = await asyncpg.connect(server.url)
    await owner.execute(f"create database {name}")
    url = server.url.replace("/civicmall?", f"/{name}?")
    await migrate.apply(url, [migrate.Room(f"shop_{shop}", migrations, role)])
    pool = await open_pool(url, role=role, search_path=f"shop_{shop}", size_max=size_max)
    yield pool
    await pool.close()
    await owner.execute(f"drop database {name} with (force)")
    await owner.close()
