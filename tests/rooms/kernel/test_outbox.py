"""Events: handed out at least once, retried later and later, and never twice at the same time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import pytest
from msgspec import Struct

from civicmall.kernel import outbox
from civicmall.kernel.db import Pool
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Drain, Handlers

DUE: Final = "update kernel.outbox set next_at = now()"


class Rang(Struct, frozen=True, tag="test.rang"):
    """A bell rang."""

    n: int


class Stopped(Struct, frozen=True, tag="test.stopped"):
    """It stopped."""


class Ear:
    """Listens, and fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.heard: list[tuple[int, UUID, int]] = []
        self.failures = failures

    async def __call__(self, _: Pool, event: Rang, delivery: Delivery) -> None:
        self.heard.append((event.n, delivery.id, delivery.attempts))
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the department is away")


@pytest.fixture(autouse=True)
async def _empty(owner: Any) -> None:
    await owner.execute("truncate kernel.outbox")


def listening(pool: Pool, *ears: Any) -> Drain:
    handlers = Handlers()
    for ear in ears:
        handlers.on(Rang, ear)
    return Drain(pool, handlers)


async def test_an_event_reaches_everybody_who_listens_and_is_gone(pool: Pool) -> None:
    one, other = Ear(), Ear()
    await outbox.publish(pool, 7, Rang(1))

    assert await listening(pool, one, other).once() == 1
    assert [n for n, _, _ in one.heard] == [n for n, _, _ in other.heard] == [1]
    assert await outbox.counts(pool) == outbox.OutboxCounts(waiting=0, dead=0)


async def test_type_and_body_are_what_a_statement_writes(pool: Pool, owner: Any) -> None:
    assert outbox.row(Rang(5)) == ("test.rang", {"n": 5})
    await outbox.publish(pool, 9, Rang(5))
    row = await owner.fetchrow(
        "select bucket, type, body::text, get_byte(uuid_send(id), 15) from kernel.outbox"
    )
    assert tuple(row) == (9, "test.rang", '{"n": 5}', 9)


async def test_what_nobody_here_knows_waits_for_who_does(pool: Pool, owner: Any) -> None:
    """While two versions run side by side, the older one meets the newer one's events."""
    await outbox.publish(pool, 7, Stopped())
    drain = listening(pool, Ear())
    assert await drain.once() == 1
    assert (await outbox.counts(pool)).waiting == 1
    assert await owner.fetchval("select error from kernel.outbox") == "LookupError"


def test_handlers_know_what_they_hear() -> None:
    handlers = Handlers()
    handlers.on(Rang, Ear())
    assert handlers.types() == {"test.rang"}


async def test_a_failing_handler_is_tried_again_later(pool: Pool, owner: Any) -> None:
    ear = Ear(failures=1)
    drain = listening(pool, ear)
    await outbox.publish(pool, 7, Rang(1))

    assert await drain.once() == 1
    error, dead, wait = await owner.fetchrow(
        "select error, dead, next_at > now() from kernel.outbox"
    )
    assert (error, dead, wait) == ("ConnectionError", False, True)
    assert await drain.once() == 0, "not yet due"

    await owner.execute(DUE)
    assert await drain.once() == 1
    first, second = ear.heard
    assert first[1] == second[1], "the same id each time"
    assert (first[2], second[2]) == (1, 2)
    assert (await outbox.counts(pool)).waiting == 0


async def test_who_fails_makes_all_of_them_hear_again(pool: Pool, owner: Any) -> None:
    """Which is why every handler is idempotent by `delivery.id`."""
    good, bad = Ear(), Ear(failures=1)
    drain = listening(pool, good, bad)
    await outbox.publish(pool, 7, Rang(1))
    await drain.once()
    await owner.execute(DUE)
    await drain.once()
    assert len(good.heard) == len(bad.heard) == 2


async def test_after_the_last_attempt_an_event_is_dead(pool: Pool, owner: Any) -> None:
    """The waits double from a second to four hours: in all, a little over a day."""
    ear = Ear(failures=outbox.ATTEMPTS_MAX)
    drain = listening(pool, ear)
    await outbox.publish(pool, 7, Rang(1))
    waits: list[float] = []
    for _ in range(outbox.ATTEMPTS_MAX):
        assert (await outbox.counts(pool)).dead == 0
        await owner.execute(DUE)
        assert await drain.once() == 1
        waits.append(
            await owner.fetchval(
                "select extract(epoch from next_at - now())::float8 from kernel.outbox"
            )
        )

    assert await outbox.counts(pool) == outbox.OutboxCounts(waiting=0, dead=1)
    await owner.execute(DUE)
    assert await drain.once() == 0, "the dead are left to an operator"
    assert len(ear.heard) == outbox.ATTEMPTS_MAX
    assert waits[:4] == pytest.approx([1, 2, 4, 8], abs=0.9)
    assert max(waits) == pytest.approx(4 * 3600, abs=1)
    assert 24 * 3600 < sum(waits[:-1]) < 26 * 3600


async def test_a_body_that_no_longer_fits_is_kept_with_its_error(pool: Pool, owner: Any) -> None:
    await outbox.publish(pool, 7, Rang(1))
    await owner.execute("update kernel.outbox set body = '{}'")
    assert await listening(pool, Ear()).once() == 1
    assert "missing required field `n`" in await owner.fetchval("select error from kernel.outbox")


async def test_an_error_is_kept_without_the_data_that_it_speaks_of(pool: Pool, owner: Any) -> None:
    async def refused(db: Pool, event: Rang, _: Delivery) -> None:
        await db.execute("select $1::text::int", f"phone 19900009001, {event.n}")

    await outbox.publish(pool, 7, Rang(1))
    await listening(pool, refused).once()
    said = await owner.fetchval("select error from kernel.outbox")
    assert said == "InvalidTextRepresentationError (22P02)"


async def test_a_handler_that_hangs_is_a_failing_one(
    pool: Pool, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LEASE_S", 0.05)

    async def hang(_: Pool, __: Rang, ___: Delivery) -> None:
        await asyncio.Event().wait()

    await outbox.publish(pool, 7, Rang(1))
    assert await listening(pool, hang).once() == 1
    assert await owner.fetchval("select error from kernel.outbox") == "TimeoutError"


async def test_drains_never_hand_the_same_event_at_once(pool: Pool) -> None:
    """Four workers, as in four processes, over the same three buckets."""
    at_work: set[UUID] = set()
    at_once: list[UUID] = []
    handled: list[int] = []

    async def slow(_: Pool, event: Rang, delivery: Delivery) -> None:
        at_once.extend({delivery.id} & at_work)
        at_work.add(delivery.id)
        await asyncio.sleep(0.002)
        at_work.discard(delivery.id)
        handled.append(event.n)

    async def publish_and_drain() -> list[int]:
        for n in range(30):
            await outbox.publish(pool, n % 3, Rang(n))
        return await asyncio.gather(*(listening(pool, slow).once() for _ in range(4)))

    rounds = [await publish_and_drain() for _ in range(20)]
    assert at_once == []
    assert sorted(handled) == sorted([*range(30)] * 20)
    assert [sum(shares) for shares in rounds] == [30] * 20
    assert (await outbox.counts(pool)).waiting == 0


async def test_a_crash_between_handling_and_noting_hands_the_event_again(
    pool: Pool, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: Any, **__: Any) -> None:
        raise ConnectionResetError("the database went away")

    ear = Ear()
    drain = listening(pool, ear)
    await outbox.publish(pool, 7, Rang(1))
    with monkeypatch.context() as patch:
        patch.setattr(outbox.q, "done", crash)
        with pytest.raises(ConnectionResetError):
            await drain.once()
    assert await drain.once() == 0, "leased until the lease runs out"

    await owner.execute(DUE)
    assert await drain.once() == 1
    assert [(n, attempts) for n, _, attempts in ear.heard] == [(1, 1), (1, 2)]
    assert ear.heard[0][1] == ear.heard[1][1]


async def test_a_worker_that_is_killed_leaves_the_event_to_the_next(pool: Pool, owner: Any) -> None:
    begun = asyncio.Event()

    async def hang(_: Pool, __: Rang, ___: Delivery) -> None:
        begun.set()
        await asyncio.Event().wait()

    await outbox.publish(pool, 7, Rang(1))
    killed = asyncio.create_task(listening(pool, hang).once())
    await begun.wait()
    killed.cancel()
    with suppress(asyncio.CancelledError):
        await killed

    await owner.execute(DUE)
    ear = Ear()
    assert await listening(pool, ear).once() == 1
    assert len(ear.heard) == 1


async def test_one_buckets_trouble_is_not_anothers(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note of a failure can't be written; the others' deliveries are still noted as done."""

    async def crash(*_: Any, **__: Any) -> None:
        raise ConnectionResetError("the database went away")

    async def picky(_: Pool, event: Rang, __: Delivery) -> None:
        if event.n == 0:
            raise ValueError("not this one")

    for n in range(6):
        await outbox.publish(pool, n % 2, Rang(n))
    monkeypatch.setattr(outbox.q, "failed", crash)
    with pytest.raises(ConnectionResetError):
        await listening(pool, picky).once()
    assert (await outbox.counts(pool)).waiting == 1


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(ear: Ear, heard: int) -> None:
    async with asyncio.timeout(5):
        while len(ear.heard) < heard:
            await asyncio.sleep(0.005)


async def test_a_hint_saves_the_wait(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "IDLE_S", 60.0)
    ear = Ear()
    drain = listening(pool, ear)
    worker = asyncio.create_task(drain.run())
    await asyncio.sleep(0.05)
    await outbox.publish(pool, 7, Rang(1))
    drain.hint()
    await until(ear, 1)
    await stop(worker)


async def test_without_a_hint_it_looks_by_itself_and_outlives_an_outage(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "IDLE_S", 0.01)
    look = outbox.q.due_buckets
    outages = iter([ConnectionRefusedError("down"), OSError("still down")])

    async def away(*args: Any, **given: Any) -> Any:
        for error in outages:
            raise error
        return await look(*args, **given)

    monkeypatch.setattr(outbox.q, "due_buckets", away)
    ear = Ear()
    worker = asyncio.create_task(listening(pool, ear).run())
    await outbox.publish(pool, 7, Rang(1))
    await until(ear, 1)
    await outbox.publish(pool, 8, Rang(2))
    await until(ear, 2)
    await stop(worker)
    assert [n for n, _, _ in ear.heard] == [1, 2]


async def test_events_for_somebody_who_hangs_keep_no_other_waiting(
    pool: Pool, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One event in every bucket that could be in hand, and then some, none of which ends."""
    monkeypatch.setattr(outbox, "PATIENCE_S", 0.02)
    heard: list[int] = []
    ended = asyncio.Event()

    async def hang(_: Pool, event: Rang, __: Delivery) -> None:
        if event.n < 0:
            await ended.wait()
        heard.append(event.n)

    for bucket in range(outbox.AT_ONCE * 2):
        await outbox.publish(pool, bucket, Rang(-1 - bucket))
    for bucket in (0, 5, 200):
        await outbox.publish(pool, bucket, Rang(bucket))
    worker = asyncio.create_task(listening(pool, hang).run())
    async with asyncio.timeout(5):
        while len(heard) < 3:
            await asyncio.sleep(0.005)
    assert sorted(heard) == [0, 5, 200]
    assert (await outbox.counts(pool)).waiting >= outbox.AT_ONCE * 2, "none of theirs is forgotten"

    ended.set()
    async with asyncio.timeout(5):
        while (await outbox.counts(pool)).waiting:
            await asyncio.sleep(0.01)
    assert len(heard) == outbox.AT_ONCE * 2 + 3, "each was handed out once"
    await stop(worker)


async def test_what_goes_on_beside_ends_with_its_worker(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PATIENCE_S", 0.0)
    left = asyncio.Event()

    async def hang(_: Pool, event: Rang, __: Delivery) -> None:
        if event.n == 0:
            return
        try:
            await asyncio.Event().wait()
        finally:
            left.set()

    await outbox.publish(pool, 7, Rang(1))
    await outbox.publish(pool, 8, Rang(0))
    worker = asyncio.create_task(listening(pool, hang).run())
    async with asyncio.timeout(5):
        while (await outbox.counts(pool)).waiting > 1:
            await asyncio.sleep(0.005)
    await stop(worker)
    assert left.is_set()
    assert (await outbox.counts(pool)).waiting == 1, "its lease runs out, then another tries"


class Told(Struct, frozen=True, tag="test.told"):
    """A shop is to be told something."""

    shop: str


async def test_the_dead_are_listed_and_can_be_sent_again(pool: Pool, owner: Any) -> None:
    ear = Ear()
    handlers = Handlers()
    handlers.on(Told, ear_of(ear))
    drain = Drain(pool, handlers)
    for n, shop in enumerate(("water", "gas", "water")):
        await outbox.publish(pool, n, Told(shop))
        await asyncio.sleep(0.002)  # ids of one millisecond stand in no order
    await owner.execute(
        "update kernel.outbox set dead = true, attempts = 20, error = 'TimeoutError'"
    )

    newest, middle, oldest = await outbox.dead(pool, 10)
    assert [newest.shop, middle.shop, oldest.shop] == ["water", "gas", "water"]
    assert (newest.type, newest.attempts, newest.error) == ("test.told", 20, "TimeoutError")
    assert await outbox.dead(pool, 1) == [newest]
    assert await outbox.dead(pool, 10, newest.id) == [middle, oldest]
    assert await outbox.dead(pool, 10, shop="water") == [newest, oldest]

    assert not await outbox.replay(pool, 7, middle.id), "it lies in another bucket"
    assert await outbox.replay(pool, middle.bucket, middle.id)
    assert not await outbox.replay(pool, middle.bucket, middle.id), "it isn't dead any more"
    assert await drain.once() == 1
    assert ear.heard == [(1, middle.id, 1)]
    assert await outbox.counts(pool) == outbox.OutboxCounts(waiting=0, dead=2)


def ear_of(ear: Ear) -> Any:
    """The same ear for another kind of event."""

    async def hear(db: Pool, _: Told, delivery: Delivery) -> None:
        await ear(db, Rang(1), delivery)

    return hear
