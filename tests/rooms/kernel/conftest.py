"""Databases for the kernel's own tests: empty, or with the kernel's schema and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from civicmall.kernel import db, migrate
from civicmall.kernel.db import Pool
from civicmall.kernel.embedded import Server

KERNEL = migrate.Room("kernel", Path(migrate.__file__).with_name("migrations"))


async def execute(url: str, *statements: str) -> None:
    """Run statements as whoever the URL says."""
    connection: Any = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _empty(server: Server) -> Iterator[str]:
    name = f"kernel_{uuid4().hex[:12]}"
    asyncio.run(execute(server.url, f"create database {name}"))
    yield server.url.replace("/civicmall?", f"/{name}?")
    asyncio.run(execute(server.url, f"drop database {name} with (force)"))


@pytest.fixture
def empty_url(server: Server) -> Iterator[str]:
    """A database of one test's own, with nothing in it."""
    yield from _empty(server)


@pytest.fixture(scope="module")
def kernel_url(server: Server) -> Iterator[str]:
    """A database of one module's own, with the kernel's tables."""
    for url in _empty(server):
        asyncio.run(migrate.apply(url, [KERNEL]))
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owner(kernel_url: str) -> AsyncIterator[Any]:
    """The owner's connection, for looking at what the program may not and for moving time."""
    connection: Any = await asyncpg.connect(kernel_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pool(kernel_url: str) -> AsyncIterator[Pool]:
    """A pool as the program has it."""
    opened = await db.open_pool(kernel_url, size_max=8)
    yield opened
    await opened.close()
