"""One debit a bill: by several processes, after one that died, and beside a revocation."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.rooms.payments.mandates.steps import announced, later
from tests.rooms.payments.mandates.world import World

from civicmall.payments.mandates.queries import q


async def test_several_processes_at_once_debit_once(world: World) -> None:
    who = await world.citizen()
    bills = [who.owes(10_00 + n, later(world, 5)) for n in range(5)]
    made = await who.allow()
    await asyncio.gather(*(world.run() for _ in range(4)))
    await world.deliver()
    assert await who.states(made.id) == [("announced", "")] * 5
    day = (await who.detail(made.id)).debits[0].debit_on
    world.clock.at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    await asyncio.gather(*(world.run() for _ in range(4)))
    await world.turn()
    assert await who.taken() == {bill["id"]: bill["amount_minor"] for bill in bills}
    orders = await world.owner.fetchval(
        "select count(*) from payments.orders where citizen_id = $1", who.id
    )
    assert orders == 5


async def test_the_write_that_starts_a_debit_happens_once(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    debit = (await who.detail(mandate_id)).debits[0]
    world.clock.at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    ask = {
        "bucket": who.bucket, "mandate_id": mandate_id, "id": debit.id, "order_id": debit.id,
        "today": day, "month_on": day.replace(day=1), "next_at": world.clock.now(),
    }  # fmt: skip
    elsewhen = {**ask, "today": day - timedelta(days=1)}
    assert await q.start(world.house.db, **elsewhen) is None
    started: list[int | None] = await asyncio.gather(
        *(q.start(world.house.db, **ask) for _ in range(6))
    )
    assert sorted(filter(None, started)) == [1]
    assert (await who.detail(mandate_id)).mandate.month_minor == 45_00
    again = {name: ask[name] for name in ("bucket", "mandate_id", "id", "today", "next_at")}
    assert await q.again(world.house.db, **again)
    await who.change(mandate_id, "revoke")
    assert await q.again(world.house.db, **again) is None
    assert await who.states(mandate_id) == [("debiting", "")]


@pytest.mark.parametrize("mood", ["works", "callback_only"])
async def test_revoked_in_the_middle_of_a_debit_that_died(world: World, mood: str) -> None:
    """It had begun, the bank was not asked yet: nobody asks it any more, and the month is free."""
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    await who.at_bank(mandate_id, mood)
    world.clock.at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    bank = world.bank.debit

    async def dies(*_: Any) -> Any:
        raise OSError("the line is cut")

    world.bank.debit = dies  # pyright: ignore[reportAttributeAccessIssue]
    await world.run()
    world.bank.debit = bank  # pyright: ignore[reportAttributeAccessIssue]
    assert await who.states(mandate_id) == [("debiting", "")]
    await who.change(mandate_id, "revoke")
    world.clock.at += timedelta(minutes=6)
    await world.turn()
    assert await who.states(mandate_id) == [("stopped", "revoked")]
    assert not await who.taken()
    assert (await who.detail(mandate_id)).mandate.month_minor == 0
    (bill,) = world.shop.owed[who.sub]
    await who.pay(bill)


async def test_a_debit_that_died_is_taken_up_again(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    world.clock.at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    bank = world.bank.debit

    async def lost(order: Any, agreement: str) -> Any:
        await bank(order, agreement)
        raise OSError("its answer was lost")

    world.bank.debit = lost  # pyright: ignore[reportAttributeAccessIssue]
    await world.run()
    world.bank.debit = bank  # pyright: ignore[reportAttributeAccessIssue]
    assert await who.states(mandate_id) == [("debiting", "")]
    assert sum((await who.taken()).values()) == 45_00
    world.clock.at += timedelta(minutes=6)
    await world.run()
    assert await who.states(mandate_id) == [("paid", "")]
    await world.turn()
    assert sum((await who.taken()).values()) == 45_00
