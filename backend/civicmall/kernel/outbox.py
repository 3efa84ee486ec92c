"""Events: written in the same statement as the change they tell of, handed out afterwards.

At least once and in no promised order, so each handler is idempotent by `delivery.id`. A handler
that fails is tried again, later each time; after the last try the event is `dead` and waits for
an operator.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import msgspec
from msgspec import Struct

from . import ids, logs, metrics, sql
from .db import Db, Pool
from .models import DeadLetter, Delivery, OutboxCounts

BATCH: Final = 100
"""Rows per lease: small enough to finish well inside it."""
LEASE_S: Final = 45.0
"""How long an event is in one worker's hands. A shop may take 30 seconds, and must be able to fail by
its own deadline, or its breaker never learns of it."""
HANDLING: Final = 0.8
"""The part of a lease that handling may take; the rest is for noting what came of it."""
ATTEMPTS_MAX: Final = 20
"""With the waits below, a little over a day."""
WAIT_MAX_S: Final = 4 * 3600.0
IDLE_S: Final = 0.5
"""How long an event waits at most when nobody hinted (another process wrote it)."""
CROWD_S: Final = 0.005
"""Hints come in crowds: one look serves all that come within so long."""
AT_ONCE: Final = 32
"""Buckets in hand at the same time; a handler that waits for a shop holds no connection."""
PATIENCE_S: Final = 0.5
"""How long a bucket's place waits for its slowest event; whatever takes longer goes on beside, or
thirty-two events for a department that hangs would hold up the news of all others."""
BESIDE_MAX: Final = 512
"""Events that go on beside; each is a task and no connection. With more, places wait for theirs."""

q = sql.load(__file__, DeadLetter, Delivery, OutboxCounts)
log = logs.get("outbox")
E = TypeVar("E", bound=Struct)
T = TypeVar("T")
Handler = Callable[[Pool, Any, Delivery], Awaitable[None]]


def row(event: Struct) -> tuple[str, dict[str, Any]]:
    """Type and body of an event for the outbox; its Struct's tag is the type."""
    body = msgspec.to_builtins(event)
    return body.pop("type"), body


async def publish(db: Db, bucket: int, event: Struct) -> None:
    """Put an event out by itself; a verb that writes should do it in its own statement."""
    kind, body = row(event)
    await q.publish(db, bucket=bucket, id=ids.new(bucket), type=kind, body=body)


async def counts(db: Db) -> OutboxCounts:
    """How many events wait, and how many were given up on."""
    found: OutboxCounts = await q.outbox_counts(db)
    return found


async def dead(
    db: Db, limit: int, after: UUID | None = None, *, shop: str | None = None
) -> list[DeadLetter]:
    """Events that were given up on, newest first, `limit` after the one of that id; with `shop`
    those that are for that shop.
    """
    found: list[DeadLetter] = await q.dead(db, shop=shop, before=after, most=limit)
    return found


async def replay(db: Db, bucket: int, event_id: UUID) -> bool:
    """Try an event again that was given up on; False where it isn't there any more."""
    done: bool | None = await q.replay(db, bucket=bucket, id=event_id)
    return done is not None


def _named(error: Exception) -> str:
    """An error without the data that it speaks of; msgspec's name fields, never values."""
    if isinstance(error, msgspec.ValidationError):
        return f"ValidationError: {error}"[:500]
    state = getattr(error, "sqlstate", None)
    return type(error).__name__ + (f" ({state})" if state else "")


class Handlers:
    """Who listens to what. Filled once, in app.py."""

    def __init__(self) -> None:
        self._by_type: dict[str, tuple[type[Struct], list[Handler]]] = {}

    def on(self, event: type[E], handler: Callable[[Pool, E, Delivery], Awaitable[None]]) -> None:
        """Call `handler(db, event, delivery)` for each such event."""
        kind = str(event.__struct_config__.tag)
        self._by_type.setdefault(kind, (event, []))[1].append(handler)

    def types(self) -> set[str]:
        """The event types that somebody listens to."""
        return set(self._by_type)

    async def handle(self, db: Pool, delivery: Delivery) -> None:
        """Call every handler of this event; raises what the first failing one raised.

        A type that nobody here knows is another version's: it waits for a process that does.
        """
        if delivery.type not in self._by_type:
            raise LookupError(delivery.type)
        kind, handlers = self._by_type[delivery.type]
        event = msgspec.convert({"type": delivery.type, **delivery.body}, kind)
        results = await asyncio.gather(
            *(handler(db, event, delivery) for handler in handlers), return_exceptions=True
        )
        _unless_raised(results)


class Drain:
    """The worker that empties the outbox; several may run, on one machine or many."""

    def __init__(self, db: Pool, handlers: Handlers) -> None:
        self._db = db
        self._handlers = handlers
        self._hint = asyncio.Event()
        self._beside: set[asyncio.Task[None]] = set()
        self._from = 0
        """Where to begin next time, so that no bucket is always the last."""

    def hint(self) -> None:
        """There may be something to do; only saves the wait."""
        self._hint.set()

    async def run(self) -> None:
        """Until cancelled. A bucket whose handlers take their time keeps no other waiting."""
        at_work: dict[int, asyncio.Task[int]] = {}
        try:
            while True:
                self._hint.clear()
                await self._start(at_work)
                try:
                    async with asyncio.timeout(IDLE_S):
                        await self._hint.wait()
                        await asyncio.sleep(CROWD_S)
                except TimeoutError:
                    pass
        finally:
            await _end([*at_work.values(), *self._beside])

    async def _start(self, at_work: dict[int, asyncio.Task[int]]) -> None:
        """Set to work on what is due, bucket by bucket, as far as there is room."""

        def ended(bucket: int, task: asyncio.Task[int]) -> None:
            del at_work[bucket]
            if not task.cancelled() and (error := task.exception()):
                log.warning("outbox.unreachable", exc_info=error)
            elif not task.cancelled() and task.result():
                self.hint()  # there may be more by now

        try:
            due = await q.due_buckets(self._db, most=ids.BUCKETS)
        except Exception:
            log.warning("outbox.unreachable", exc_info=True)
            return
        for bucket in sorted((b for (b,) in due), key=lambda b: (b - self._from) % ids.BUCKETS):
            if bucket not in at_work and len(at_work) < AT_ONCE:
                patience_s = PATIENCE_S if len(self._beside) < BESIDE_MAX else None
                task = asyncio.create_task(self._drain(bucket, patience_s), name=f"outbox-{bucket}")
                at_work[bucket] = task
                task.add_done_callback(partial(ended, bucket))
                self._from = bucket + 1

    async def once(self) -> int:
        """Hand out what is due now; answers how many events that were."""
        buckets = await q.due_buckets(self._db, most=ids.BUCKETS)
        gate = asyncio.Semaphore(AT_ONCE)

        async def bucket(number: int) -> int:
            async with gate:
                return await self._drain(number)

        handed = await asyncio.gather(
            *(bucket(found[0]) for found in buckets), return_exceptions=True
        )
        return sum(_unless_raised(handed))

    async def _drain(self, bucket: int, patience_s: float | None = None) -> int:
        """Hand out a bucket's events; answers how many. Those that are not handled in
        `patience_s` go on beside.
        """
        due: list[Delivery] = await q.lease(self._db, bucket=bucket, most=BATCH, lease_s=LEASE_S)
        if not due:
            return 0
        ids_of = {asyncio.create_task(self._one(one)): one.id for one in due}
        try:
            ready, slow = await asyncio.wait(ids_of, timeout=patience_s)
        except asyncio.CancelledError:
            await _end(ids_of)
            raise
        for task in slow:
            beside = asyncio.create_task(self._finish(bucket, {task: ids_of[task]}))
            self._beside.add(beside)
            beside.add_done_callback(self._beside.discard)
        await self._note(bucket, {task: ids_of[task] for task in ready})
        return len(due)

    async def _finish(self, bucket: int, late: dict[asyncio.Task[bool], UUID]) -> None:
        """What a bucket's place did not wait for."""
        try:
            await asyncio.wait(late)
            await self._note(bucket, late)
        except asyncio.CancelledError:
            await _end(late)
            raise
        except Exception:
            log.warning("outbox.unreachable", exc_info=True)

    async def _note(self, bucket: int, tried: dict[asyncio.Task[bool], UUID]) -> None:
        """Note which events were handled; raises what noting one that failed raised."""
        results = await asyncio.gather(*tried, return_exceptions=True)
        done = [one for one, good in zip(tried.values(), results, strict=True) if good is True]
        if done:
            await q.done(self._db, bucket=bucket, ids=done)
        _unless_raised(results)

    async def _one(self, delivery: Delivery) -> bool:
        try:
            async with asyncio.timeout(LEASE_S * HANDLING):
                await self._handlers.handle(self._db, delivery)
        except Exception as error:
            last = delivery.attempts >= ATTEMPTS_MAX
            metrics.OUTBOX_FAILED.labels(delivery.type).inc()
            log.warning("outbox.failed", type=delivery.type, id=str(delivery.id),
                        attempts=delivery.attempts, dead=last, exc_info=error)  # fmt: skip
            await q.failed(
                self._db,
                bucket=delivery.bucket,
                id=delivery.id,
                error=_named(error),
                wait_s=min(2.0 ** (delivery.attempts - 1), WAIT_MAX_S),
                dead=last,
            )
            return False
        metrics.OUTBOX_DONE.labels(delivery.type).inc()
        return True


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until they have ended."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


def _unless_raised(results: list[T | BaseException]) -> list[T]:
    """The results of a gather that let every part end; raises what the first failing one raised."""
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[T]", results)
