"""Idempotency-Key: the same request twice is one request, also after a crash in the middle."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct

from civicmall.kernel import idempotency, ids
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import KeyMissing, KeyReused, KeyRunning, NotFound, Problem

SOMEBODY = ids.new(7)


class Ask(Struct, frozen=True):
    amount: int = 1


class Made(Struct, frozen=True):
    id: UUID
    nth: int


class Work:
    """Counts how often it is done, and fails with what it is given."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures = list(failures)
        self.resources: list[UUID] = []

    async def __call__(self, resource: UUID) -> Made:
        self.resources.append(resource)
        await asyncio.sleep(0.01)
        if self.failures:
            raise self.failures.pop(0)
        return Made(resource, len(self.resources))


@pytest.fixture(autouse=True)
async def _empty(owner: Any) -> None:
    await owner.execute("truncate kernel.idempotency")


async def once(
    pool: Pool,
    work: Work,
    key: str | None = "k",
    ask: Ask | None = None,
    owner: UUID = SOMEBODY,
    scope: str = "orders",
) -> Made:
    return await idempotency.once(pool, owner, scope, key, ask or Ask(), Made, work)


async def test_the_same_key_and_body_is_the_same_request(pool: Pool) -> None:
    work = Work()
    first = await once(pool, work)
    assert await once(pool, work) == first
    assert work.resources == [first.id]
    assert ids.bucket_of(first.id) == 7


async def test_the_same_key_with_another_body_is_refused(pool: Pool) -> None:
    work = Work()
    await once(pool, work)
    with pytest.raises(KeyReused) as refused:
        await once(pool, work, ask=Ask(2))
    assert refused.value.status == 422
    assert refused.value.extra == {"field": "Idempotency-Key"}
    assert len(work.resources) == 1


async def test_a_key_is_its_owners_and_its_scopes(pool: Pool) -> None:
    work = Work()
    made = [
        await once(pool, work),
        await once(pool, work, owner=ids.new(7)),
        await once(pool, work, scope="refunds"),
        await once(pool, work, key="l"),
    ]
    assert len({m.id for m in made}) == 4


@pytest.mark.parametrize("key", [None, "", "k" * 256, "a\nb", "\x00"])
async def test_without_a_usable_key_nothing_is_done(pool: Pool, key: str | None) -> None:
    work = Work()
    with pytest.raises(KeyMissing):
        await once(pool, work, key=key)
    assert work.resources == []


async def test_500_at_once_are_one(pool: Pool) -> None:
    work = Work()
    answers = await asyncio.gather(*(once(pool, work) for _ in range(500)))
    assert len(work.resources) == 1
    assert set(answers) == {Made(work.resources[0], 1)}


async def test_at_once_with_two_bodies_one_is_done(pool: Pool) -> None:
    work = Work()
    answers = await asyncio.gather(
        *(once(pool, work, ask=Ask(n % 2)) for n in range(50)), return_exceptions=True
    )
    assert len(work.resources) == 1
    assert sum(isinstance(a, Made) for a in answers) == 25
    assert sum(isinstance(a, KeyReused) for a in answers) == 25


class Elsewhere(dict[Any, Any]):
    """Remembers nothing: each request is as if in a process of its own."""

    def __setitem__(self, *_: Any) -> None: ...

    def __delitem__(self, _: Any) -> None: ...


async def test_many_processes_at_once_are_one(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between processes there is nobody to wait for: who comes too early is told to try again."""
    monkeypatch.setattr(idempotency, "_running", Elsewhere())
    work = Work()
    answers = await asyncio.gather(*(once(pool, work) for _ in range(60)), return_exceptions=True)
    assert len(work.resources) == 1
    kinds = {type(answer) for answer in answers}
    assert kinds == {Made, KeyRunning}
    assert {a.extra["retry_after_s"] for a in answers if isinstance(a, KeyRunning)} == {1}
    assert await once(pool, work) == Made(work.resources[0], 1)


@pytest.mark.parametrize("crash", [RuntimeError("bug"), asyncio.CancelledError()])
async def test_after_a_crash_the_next_one_makes_the_same_thing(
    pool: Pool, owner: Any, crash: BaseException
) -> None:
    work = Work(crash)
    with pytest.raises(type(crash)):
        await once(pool, work)
    with pytest.raises(KeyRunning) as early:
        await once(pool, work)
    assert early.value.status == 409

    await owner.execute("update kernel.idempotency set locked_until = now() - interval '1 s'")
    with pytest.raises(KeyReused):
        await once(pool, work, ask=Ask(2))
    made = await once(pool, work)
    assert work.resources == [made.id, made.id]
    assert await once(pool, work) == made


async def test_the_lease_is_longer_than_any_request(pool: Pool, owner: Any) -> None:
    work = Work(RuntimeError("bug"))
    with pytest.raises(RuntimeError):
        await once(pool, work)
    left = await owner.fetchval(
        "select extract(epoch from locked_until - now())::float8 from kernel.idempotency"
    )
    assert idempotency.LEASE_S - 5 < left <= idempotency.LEASE_S


async def test_a_refusal_is_not_remembered(pool: Pool, owner: Any) -> None:
    work = Work(NotFound("no such bill"))
    with pytest.raises(NotFound):
        await once(pool, work)
    assert await owner.fetchval("select count(*) from kernel.idempotency") == 0
    assert (await once(pool, work)).nth == 2


async def test_each_of_those_who_waited_hears_of_a_refusal(pool: Pool) -> None:
    work = Work(*(NotFound() for _ in range(5)))
    answers = await asyncio.gather(*(once(pool, work) for _ in range(5)), return_exceptions=True)
    assert {type(a) for a in answers} == {NotFound}


async def test_a_key_let_go_in_between_is_still_running(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused elsewhere after our claim failed: nothing is known, so the caller tries again."""

    async def nobody(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(idempotency.q, "claim_key", nobody)
    with pytest.raises(KeyRunning):
        await once(pool, Work())


async def test_keys_are_forgotten_after_a_week(pool: Pool, owner: Any) -> None:
    work = Work()
    for key, days in (("young", 6), ("old", 8)):
        await once(pool, work, key=key)
        await owner.execute(
            "update kernel.idempotency set created_at = now() - make_interval(days => $2) where key = $1",
            key, days,
        )  # fmt: skip
    (job,) = idempotency.jobs(pool)
    await job.run()
    assert [r["key"] for r in await owner.fetch("select key from kernel.idempotency")] == ["young"]


def test_every_refusal_is_a_problem() -> None:
    assert all(issubclass(kind, Problem) for kind in (KeyMissing, KeyReused, KeyRunning))
