"""Where the code of an in-process shop runs: one thread and one event loop per shop.

What a shop does there (raise, hang, sleep without yielding, exit) costs its own callers and nobody
else. Only what the interpreter shares is shared; a shop that burns it is moved out of process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from datetime import date
from typing import Any, Final, TypeVar

from civicmall.kernel import db, logs
from civicmall.kernel.crypto import Keys
from civicmall.kernel.migrate import Room
from shopkit import Shop
from shopkit.answers import checked
from shopkit.call import Call, NoTables
from shopkit.shop import Operation

from .wire import sendable, weigh

POOL_MAX: Final = 4
"""Connections that one shop may hold to its own schema."""
T = TypeVar("T")
log = logs.get("gateway")


class ShopLeft(Exception):
    """The shop's code tried to end its thread or its task: SystemExit and its like."""


async def _theirs(code: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    """What the shop's code answers. Raises what it raises, but nothing that would end us."""
    try:
        return await code(*args)
    except Exception:
        raise
    except BaseException as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # its caller went away
            raise
        raise ShopLeft(type(error).__name__) from error


def schema(shop_id: str) -> str:
    """The PostgreSQL schema of a shop."""
    return f"shop_{shop_id}"


def role(shop_id: str) -> str:
    """The PostgreSQL role of a shop; it sees its schema and nothing else."""
    return f"civicmall_shop_{shop_id}"


def room(shop: Shop, keys: Keys) -> Room | None:
    """What must be migrated for a shop, and whom it signs in as; None where it keeps no tables."""
    if shop.migrations is None:
        return None
    name = shop.manifest.id
    return Room(schema(name), shop.migrations, role(name), keys.password(role(name)))


class Host:
    """Runs one shop. `call` is used from the platform's loop, everything else happens here."""

    def __init__(self, shop: Shop, database_url: str, password: str) -> None:
        self.shop = shop
        self._url = database_url
        self._password = password
        self._loop = asyncio.new_event_loop()
        self._pool: Any = NoTables()
        self._leaving = False
        self._thread = threading.Thread(
            target=self._run, name=f"shop-{shop.manifest.id}", daemon=True
        )

    def _run(self) -> None:
        """The thread: a shop that stops its loop or exits from a task of its own gets it back."""
        while not self._leaving:
            try:
                self._loop.run_forever()
            except BaseException as error:  # noqa: BLE001 (also SystemExit: it is somebody else's code)
                log.warning("shop.left", shop=self.shop.manifest.id, error=type(error).__name__)

    async def start(self, secret: bytes, seed_for: date | None) -> None:
        """Open the shop's own connections and let it fill its sandbox data."""
        self._thread.start()
        await asyncio.wrap_future(self._submit(self._open(secret, seed_for)))

    async def _open(self, secret: bytes, today: date | None) -> None:
        name = self.shop.manifest.id
        if self.shop.migrations is not None:
            self._pool = await db.open_pool(
                self._url,
                role=role(name),
                password=self._password,
                search_path=schema(name),
                size_max=POOL_MAX,
            )
            if today is not None and self.shop.seeder is not None:
                await _theirs(self.shop.seeder, self._pool, secret, today)

    async def call(
        self, app: str, operation: Operation, call: Callable[[Any], Call], asked: Any
    ) -> Any:
        """One operation, answer checked. Raises whatever the shop raises, TimeoutError in time."""
        handler = self.shop.handlers[app, operation]
        made = call(self._pool)
        left = threading.Event()

        async def work() -> Any:
            if left.is_set():
                return None  # the thread was blocked until now, and nobody waits any more
            answer = await _theirs(handler, made, asked)
            weigh(answer)
            copy = checked(operation, asked, answer)
            sendable(copy)
            return copy

        future = self._submit(work())
        try:
            async with asyncio.timeout(made.deadline_s):
                return await asyncio.wrap_future(future)
        finally:
            left.set()
            future.cancel()

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def stop(self) -> None:
        """Close and leave; a thread that hangs is a daemon and ends with the process."""
        if not self._thread.is_alive():
            return

        async def close() -> None:
            if not isinstance(self._pool, NoTables):
                self._pool.terminate()

        try:
            async with asyncio.timeout(2):
                await asyncio.wrap_future(self._submit(close()))
        except TimeoutError:
            log.warning("shop.hangs", shop=self.shop.manifest.id)
        self._leaving = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, 2)
        if not self._thread.is_alive():
            self._loop.close()
