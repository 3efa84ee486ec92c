"""One embedded PostgreSQL for the run, one database per module from a migrated template."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import hypothesis
import pytest
import pytest_asyncio

from civicmall import app
from civicmall.kernel import embedded, logs, serving
from civicmall.kernel.config import LOOPBACK, Settings
from civicmall.kernel.house import House
from civicmall.shops import Registry
from tests.citizens import own_house
from tests.city import City, running_city

TEMPLATE = "template_city"
OWNER = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
"""The process that the whole run lives and dies with."""
RUN = Path(tempfile.gettempdir()) / f"civicmall-test-{OWNER}"


logs.configure(as_json=False, level=logging.WARNING)
# Where a change is judged, everybody's runs look at the same examples; elsewhere each looks at new ones.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_collection_finish() -> None:
    """What pytest keeps of thousands of tests is nobody's garbage: looking through it again and
    again stopped everything for half a second in the middle of tests that measure deadlines.
    """
    serving.settle()


def pytest_unconfigure() -> None:
    """Leave nothing behind; the server ends with its owner anyway."""
    if os.getpid() == OWNER and RUN.exists():
        if (RUN / "postgres" / "cluster").exists():
            embedded.start(RUN / "postgres", log=lambda _: None).stop()
        shutil.rmtree(RUN, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> embedded.Server:
    """The run's PostgreSQL."""
    RUN.mkdir(mode=0o755, exist_ok=True)
    return embedded.start(RUN / "postgres", log=lambda _: None, lives_with=OWNER, fsync=False)


@pytest.fixture(scope="session")
def found_shops() -> list[Any]:
    """The shops of the checkout, imported once."""
    return app.open_registry(Settings.from_env({}, database_url="unused")).all()


@pytest.fixture(scope="module")
def registry(found_shops: list[Any]) -> Registry:
    """A module's own registry of them: what one does to a shop, no other sees."""
    return Registry(found_shops)


@pytest.fixture(scope="session")
def template(server: embedded.Server, found_shops: list[Any]) -> str:
    """A database with every migration, all content and the sandbox's data."""
    with (RUN / "template.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (RUN / "template.done").exists():
            asyncio.run(_make_template(server, Registry(found_shops)))
            (RUN / "template.done").touch()
    return TEMPLATE


async def _make_template(server: embedded.Server, registry: Registry) -> None:
    await _sql(server.url, f"create database {TEMPLATE}")
    settings = Settings(database_url=_url(server, TEMPLATE), data_dir=RUN)
    await app.prepare(settings, registry)
    async with app.assemble(settings, registry):
        pass  # opening the gateway lets each shop fill its own tables


@pytest.fixture(scope="module")
def database_url(server: embedded.Server, template: str) -> Generator[str]:
    """A database of this module's own."""
    name = f"city_{uuid4().hex[:12]}"
    asyncio.run(_sql(server.url, f"create database {name} template {template}"))
    yield _url(server, name)
    asyncio.run(_drop(server.url, name))


@pytest.fixture(scope="module")
def settings(database_url: str) -> Settings:
    """As in a sandbox; keys are the run's."""
    return Settings(
        database_url=database_url, data_dir=RUN, log_json=False, pool_max=8,
        shop_networks=LOOPBACK,
    )  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(settings: Settings) -> AsyncGenerator[House]:
    """A house without a server: for verbs that are called directly."""
    async with own_house(settings) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, registry: Registry) -> AsyncGenerator[City]:
    """A running city over real HTTP."""
    async with running_city(settings, registry) as found:
        yield found


def _url(server: embedded.Server, name: str) -> str:
    return server.url.replace("/civicmall?", f"/{name}?")


async def _drop(url: str, name: str) -> None:
    """Drop a database; should PostgreSQL's own vacuum be at work in it, after that."""
    for _ in range(50):
        try:
            await _sql(url, f"drop database {name} with (force)")
        except asyncpg.InsufficientPrivilegeError:
            await asyncio.sleep(0.2)
        else:
            return
    raise RuntimeError(f"{name} can't be dropped")


async def _sql(url: str, statement: str) -> None:
    connection: Any = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
