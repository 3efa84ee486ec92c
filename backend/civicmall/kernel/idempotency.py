"""Idempotency-Key (draft-ietf-httpapi-idempotency-key): the same request twice is one request.

The key and the id of what will be made are stored before the work begins, so whoever takes over
after a crash makes the same thing, not a second one.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from . import ids, sql
from .db import Db
from .errors import KeyMissing, KeyReused, KeyRunning, Problem
from .house import House
from .jobs import Job
from .models import KeyRow
from .personal import Personal

LEASE_S: Final = 15.0
"""How long a request may take before another with its key takes over: more than any deadline."""
KEEP_S: Final = 7 * 24 * 3600.0
KEY_MAX: Final = 255

A = TypeVar("A", bound=Struct)
q = sql.load(__file__, KeyRow)

_running: dict[tuple[UUID, str, str], asyncio.Future[None]] = {}
"""First requests at work in this process; those that follow wait here instead of asking again."""


async def once(
    db: Db,
    owner: UUID,
    scope: str,
    key: str | None,
    ask: Struct,
    answer: type[A],
    work: Callable[[UUID], Awaitable[A]],
) -> A:
    """Do `work(resource_id)` once for this owner, scope and key; later callers get its answer.

    `work` must itself be idempotent by `resource_id`. A Problem is passed on and not remembered.
    Raises KeyMissing, KeyReused, KeyRunning and what `work` raises.
    """
    if not key or len(key) > KEY_MAX or not key.isprintable():
        raise KeyMissing(f"1 to {KEY_MAX} printable characters", field="Idempotency-Key")
    bucket = ids.bucket_of(owner)
    digest = hashlib.sha256(msgspec.json.encode(ask, order="deterministic")).digest()
    name = {"bucket": bucket, "owner": owner, "scope": scope, "key": key}
    here = (owner, scope, key)

    while (leader := _running.get(here)) is not None:
        await asyncio.shield(leader)
        row: KeyRow | None = await q.key_row(db, **name)
        if row is not None and (row.answer is not None or row.request_hash != digest):
            return _replay(row, digest, answer)
    mine = _running[here] = asyncio.get_running_loop().create_future()
    try:
        resource: UUID | None = await q.claim_key(
            db, request_hash=digest, resource_id=ids.new(bucket), lease_s=LEASE_S, **name
        )
        if resource is None:
            return _replay(await q.key_row(db, **name), digest, answer)
        try:
            made = await work(resource)
        except Problem:
            await q.release_key(db, **name)
            raise
        await q.answer_key(db, answer=msgspec.to_builtins(made), **name)
        return made
    finally:
        del _running[here]
        mine.set_result(None)


async def forget(db: Db) -> None:
    """Drop keys older than a week: nobody repeats a request after so long."""
    for bucket in range(ids.BUCKETS):
        await q.forget_keys(db, bucket=bucket, keep_s=KEEP_S)


def jobs(db: Db) -> list[Job]:
    """Forget old keys."""
    return [Job("kernel.forget_keys", 6 * 3600.0, lambda: forget(db))]


def _replay(row: KeyRow | None, digest: bytes, answer: type[A]) -> A:
    if row is not None and row.request_hash != digest:
        raise KeyReused(field="Idempotency-Key")
    if row is None or row.answer is None:
        raise KeyRunning(retry_after_s=1)
    return msgspec.convert(row.answer, answer)


async def _erase(house: House, owner: UUID) -> None:
    await q.erase_keys(house.db, bucket=ids.bucket_of(owner), owner=owner)


def personal() -> Personal:
    """What is remembered of a citizen's requests."""
    why = "What was answered to requests of the last week; what they made stands in its own table."
    return Personal("kernel", left_out={"kernel.idempotency": why}, erase=_erase)
