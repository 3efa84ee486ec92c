"""Where the code of an in-process shop runs: one thread and one event loop per shop.

What a shop does there (raise, hang, sleep without yielding, exit) costs its own callers and nobody
else. Only what the interpreter shares is shared; a shop that burns it is moved out of process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from datetime import date
from typing import Any, Final, TypeVar

import uvloop

from civicmall.kernel import db, logs
from civicmall.kernel.crypto import Keys
from civicmall.kernel.migrate import Room
from shopkit import RawAnswer, Shop, egress
from shopkit.answers import checked
from shopkit.call import Call, NoTables
from shopkit.egress import NoEgress
from shopkit.running import ShopLeft, theirs

from .facts import Facts
from .wire import sendable, weigh

POOL_MAX: Final = 4
"""Connections that one shop may hold to its own schema."""
T = TypeVar("T")
log = logs.get("gateway")


def schema(shop_id: str) -> str:
    """The PostgreSQL schema of a shop."""
    return f"shop_{shop_id}"


def role(shop_id: str) -> str:
    """The PostgreSQL role of a shop; it sees its schema and nothing else."""
    return f"civicmall_shop_{shop_id}"


def secret_for(shop_id: str, keys: Keys) -> bytes:
    """What a shop makes its keyed hashes with, wherever it runs."""
    return keys.derive(f"shop:{shop_id}")


def room(shop: Shop, keys: Keys) -> Room | None:
    """What must be migrated for a shop, and whom it signs in as; None where it keeps no tables."""
    if shop.migrations is None:
        return None
    name = shop.manifest.id
    return Room(schema(name), shop.migrations, role(name), keys.password(role(name)))


class _Crossing:
    """One call on its way to the shop's loop and back. `_begin` and `_end` run over there."""

    def __init__(
        self, shop: Shop, theirs: asyncio.AbstractEventLoop, operation: str, call: Call, asked: Any
    ) -> None:
        self._shop = shop
        self._theirs = theirs
        self._ours = asyncio.get_running_loop()
        self._waiter: asyncio.Future[Any] = self._ours.create_future()
        self._operation = operation
        self._call = call
        self._asked = asked
        self._left = False
        self._task: asyncio.Task[Any] | None = None

    async def go(self) -> Any:
        """The answer. Who is cancelled meanwhile takes the shop's task with them."""
        self._theirs.call_soon_threadsafe(self._begin)
        try:
            return await self._waiter
        except asyncio.CancelledError:
            self._left = True
            self._theirs.call_soon_threadsafe(self._leave)
            raise

    def _begin(self) -> None:
        self._task = self._theirs.create_task(self._work())
        self._task.add_done_callback(self._end)

    async def _work(self) -> Any:
        if self._left:
            return None  # the thread was blocked until now, and nobody waits any more
        answer = await theirs(self._shop.answer, self._operation, self._call, self._asked)
        if not isinstance(answer, RawAnswer):  # whose body has a limit of its own
            weigh(answer)
        copy = checked(self._operation, self._asked, answer)
        if self._operation != "raw":  # its body is bytes, and goes on as they are
            sendable(copy)
        return copy

    def _leave(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _end(self, task: asyncio.Task[Any]) -> None:
        with suppress(RuntimeError):  # our loop is closed: nobody is there to be told
            self._ours.call_soon_threadsafe(self._settle, task)

    def _settle(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if self._waiter.done():
            return
        if task.cancelled():
            self._waiter.set_exception(ShopLeft("cancelled itself"))
        elif error is not None:
            self._waiter.set_exception(error)
        else:
            self._waiter.set_result(task.result())


class InProcess:
    """Runs one shop. `call` is used from the platform's loop, everything else happens here."""

    keeps_time = False

    def __init__(self, shop: Shop, database_url: str, password: str) -> None:
        self.shop = shop
        self._url = database_url
        self._password = password
        self._loop = uvloop.new_event_loop()
        self._pool: Any = NoTables()
        self._http: Any = NoEgress()
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
        self._http = egress.client(self.shop.manifest.egress)
        if self.shop.migrations is not None:
            self._pool = await db.open_pool(
                self._url,
                role=role(name),
                password=self._password,
                search_path=schema(name),
                size_max=POOL_MAX,
            )
            if today is not None and self.shop.seeder is not None:
                await theirs(self.shop.seeder, self._pool, secret, today)

    def serves(self, app: str, operation: str) -> bool:
        """Whether there is code for it."""
        return self.shop.serves(app, operation)

    async def call(self, operation: str, facts: Facts, asked: Any) -> Any:
        """One operation, answer checked. Raises whatever the shop raises.

        The way over to the shop's thread and back is made by hand: `run_coroutine_threadsafe`
        takes half as long again, and this is every call's overhead.
        """
        crossing = _Crossing(
            self.shop, self._loop, operation, facts.call(self._pool, self._http), asked
        )
        return await crossing.go()

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def stop(self) -> None:
        """Close and leave; a thread that hangs is a daemon and ends with the process."""
        if not self._thread.is_alive():
            return

        async def close() -> None:
            if not isinstance(self._pool, NoTables):
                self._pool.terminate()
            await self._http.aclose()

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
