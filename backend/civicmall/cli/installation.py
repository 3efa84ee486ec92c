"""The installation that a command works on, beside its running servers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import date, datetime
from logging import WARNING
from typing import Any, Final, TypeVar

import typer

from civicmall.kernel import crypto, db, logs
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House

from . import err, stop

T = TypeVar("T")
LONG_S: Final = 3600.0
"""Nobody waits at a counter for what reads a day of millions; its statements may take their time."""
STATEMENT_S: Final = 10.0
PUBLISHED: Final = re.compile(r"(\d{4}-\d{2}-\d{2})=([0-9a-fA-F]{64})")


def located(say: Callable[[str], object] = err.print) -> Settings:
    """Its settings, with a database that answers; what is printed on stdout is the answer alone.

    Raises BadSetting, NoServer.
    """
    from .run import database

    return database(Settings.from_env(), say)


@asynccontextmanager
async def opened(
    settings: Settings, *, size_max: int = 1, statement_s: float = STATEMENT_S
) -> AsyncGenerator[House]:
    """Its house, in the role of the program: it can do nothing that the program can't."""
    keys = crypto.load(settings.data_dir)
    pool = await db.open_pool(
        settings.database_url,
        password=keys.password(db.APP_ROLE),
        size_max=size_max,
        command_timeout_s=statement_s,
    )
    async with pool:
        yield House(settings, Clock(), keys, pool)


@asynccontextmanager
async def long() -> AsyncGenerator[House]:
    """The same, found here, for what reads much."""
    settings: Settings = await asyncio.to_thread(located)
    logs.configure(as_json=settings.log_json, level=WARNING)
    async with opened(settings, size_max=3, statement_s=LONG_S) as house:
        yield house


def do(settings: Settings, act: Callable[[House], Awaitable[T]]) -> T:
    """One thing done in it."""

    async def there() -> T:
        async with opened(settings) as house:
            return await act(house)

    return asyncio.run(there())


def ended(work: Coroutine[Any, Any, int]) -> None:
    """Run a command's work and leave with its exit status."""
    if code := asyncio.run(work):
        raise typer.Exit(code)


def date_of(said: datetime | None) -> date | None:
    """What an option of a day means."""
    return None if said is None else said.date()


def published_roots(said: list[str]) -> dict[date, str]:
    """DAY=ROOT, read. Stops at one that isn't."""
    roots: dict[date, str] = {}
    for one in said:
        parts = PUBLISHED.fullmatch(one)
        if parts is None:
            raise stop(f"{one} is not DAY=ROOT, as 2026-11-29=<64 hex digits>", 2)
        try:
            roots[date.fromisoformat(parts[1])] = parts[2]
        except ValueError as error:
            raise stop(f"{parts[1]} is no day", 2) from error
    return roots
