"""Every connection of the pool is taken: whoever comes is told soon, and it is over when it is over."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest_asyncio
from tests.citizens import caller
from tests.city import City, running_city
from tests.patience import STALL_S

from civicmall.identity import account
from civicmall.kernel.config import Settings
from civicmall.kernel.routes import READY_S
from civicmall.shops import Registry

POOL = 3
COMMAND_S = 10.0
"""What a statement may take at most: kernel/db.py."""
HELD = "select count(*) from pg_stat_activity where query like 'select pg_sleep%'"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, registry: Registry) -> Any:
    async with running_city(msgspec.structs.replace(settings, pool_max=POOL), registry) as found:
        yield found


async def _takes(work: Any) -> tuple[Any, float]:
    began = time.monotonic()
    return await work, time.monotonic() - began


async def test_a_pool_that_is_taken(city: City) -> None:
    citizen = await account(city.house, "17400000001")
    client = await city.crowd(city.parts.tokens.access(caller(citizen)))
    held = [
        asyncio.ensure_future(city.house.db.fetchval("select pg_sleep(60)")) for _ in range(POOL)
    ]
    await asyncio.sleep(0.2)
    (ready, ready_s), (alive, alive_s), (answer, answer_s) = await asyncio.gather(
        _takes(client.get("/readyz")),
        _takes(client.get("/healthz")),
        _takes(client.get("/v1/orders")),
    )
    assert (ready.status_code, ready.json()["type"]) == (503, "/problems/unavailable")
    assert ready_s < READY_S + STALL_S
    assert alive.is_success
    assert alive_s < STALL_S
    assert answer.status_code in {200, 503}
    assert answer_s < COMMAND_S + STALL_S, "nobody waits for longer than a statement may take"
    ended = await asyncio.gather(*held, return_exceptions=True)
    assert {type(one) for one in ended} == {TimeoutError}
    after = await client.get("/readyz")
    assert (after.status_code, after.json()["status"]) == (200, "ok")
    assert await city.house.db.fetchval(HELD) == 0, "nor does PostgreSQL go on with it"
