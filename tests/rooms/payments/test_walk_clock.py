"""Somebody sets the clock a day forth or back: nothing expires, doubles or is lost by it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio
from tests.rooms.payments.walk_world import World

from civicmall import payments
from civicmall.identity import Caller
from civicmall.kernel import ids
from civicmall.kernel.config import Settings
from civicmall.payments import Order, Paid, Sandbox
from civicmall.payments.errors import ForgedCallback
from civicmall.payments.settlement import hear
from civicmall.shops import Registry

DAY = timedelta(days=1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(settings: Settings, kiosk_registry: Registry) -> AsyncGenerator[World]:
    found = World(settings, kiosk_registry)
    await found.open()
    yield found
    await found.stack.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def someone(world: World) -> Caller:
    world.clock.off = timedelta()
    citizen = await world.citizen(f"176{uuid4().int % 10**8:08d}")
    return Caller(citizen, uuid4(), 1)


async def _order(world: World, someone: Caller, key: str = "") -> Order:
    charge = f"ok-{uuid4().hex[:8]}-500"
    return await world.create(someone, key or uuid4().hex, [charge])


async def _state(world: World, order: Order) -> Any:
    row: Any = await world.house.db.fetchrow(
        "select state, extract(epoch from expires_at - created_at)::int from payments.orders"
        " where bucket = $1 and id = $2",
        *(ids.bucket_of(order.id), order.id),
    )
    return tuple(row)


@pytest.mark.parametrize("jump", [DAY, -DAY])
async def test_an_order_lives_by_the_databases_time(
    world: World, someone: Caller, jump: timedelta
) -> None:
    before = await _order(world, someone)
    world.clock.off = jump
    after = await _order(world, someone)
    await world.look_after_orders()
    assert [await _state(world, one) for one in (before, after)] == [("created", 1800)] * 2
    cashier = await payments.pay(
        world.house, world.channels, someone.citizen_id, before.id, "sandbox"
    )
    await Sandbox(world.house).choose(before.id, cashier.token, "paid")
    world.clock.off = timedelta()
    await world.due(after.id, expired=True)
    await world.look_after_orders()
    await world.deliver()
    assert [(await _state(world, one))[0] for one in (before, after)] == ["fulfilled", "closed"]


@pytest.mark.parametrize("jump", [DAY, -DAY])
async def test_a_callback_over_a_jump_is_refused_and_taken_when_it_comes_again(
    world: World, someone: Caller, jump: timedelta
) -> None:
    order, bank = await _order(world, someone), Sandbox(world.house)
    told = Paid(order.id, uuid4().hex, order.amount_minor, world.clock.now())
    body = msgspec.json.encode(told)
    signed = bank.sign(body)
    world.clock.off = jump
    with pytest.raises(ForgedCallback) as refused:
        bank.parse_callback(signed, body)
    assert refused.value.extra == {"reason": "timestamp"}
    assert (await _state(world, order))[0] == "created"
    again = bank.sign(body)
    outcomes = [await hear(world.house, "sandbox", bank.parse_callback(again, body))]
    world.clock.off = timedelta()
    outcomes += [await hear(world.house, "sandbox", bank.parse_callback(signed, body))]
    assert outcomes == ["posted", "repeated"]
    await world.deliver()
    assert (await _state(world, order))[0] == "fulfilled"
    count = "select count(*) from payments.posting where bucket = $1 and order_id = $2"
    assert await world.house.db.fetchval(count, ids.bucket_of(order.id), order.id) == 1


@pytest.mark.parametrize("jump", [DAY, -DAY])
async def test_a_key_is_remembered_over_a_jump(
    world: World, someone: Caller, jump: timedelta
) -> None:
    key, charge = uuid4().hex, f"ok-{uuid4().hex[:8]}-500"
    first = await world.create(someone, key, [charge])
    world.clock.off = jump
    assert await world.create(someone, key, [charge]) == first
    world.clock.off = timedelta()
    assert await world.create(someone, key, [charge]) == first
