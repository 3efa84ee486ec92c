"""Cut off after each single step: what was half done goes on or goes back, by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from tests.city import City
from tests.rooms.payments.medical.insured import (
    Held,
    account_of,
    agrees,
    held,
    order,
    overdue,
    paid,
)
from tests.rooms.payments.steps import Payer, let_expire

from civicmall import payments
from civicmall.kernel import ids
from civicmall.payments import Agent, Sandbox, insurance, look_after, settlement
from civicmall.payments.channels.medical_insurance import refunds, saga, sandbox
from civicmall.payments.models import RefundAsk, Tender
from civicmall.payments.queries import q as core

STEPS_MAX = 40


class Killed(Exception):
    """The process ends here."""


class Stepping:
    """Ends the task that made it in the n-th step that it takes; other tasks are not counted."""

    def __init__(self, last: int) -> None:
        self.left = last
        self._mine = asyncio.current_task()

    def step(self) -> None:
        if asyncio.current_task() is self._mine:
            self.left -= 1
            if self.left == 0:
                raise Killed

    def after(self, work: Callable[..., Any]) -> Any:
        async def stepped(*args: Any, **kwargs: Any) -> Any:
            done = await work(*args, **kwargs)
            self.step()
            return done

        return stepped


class Statements:
    """A room's statements; each that writes or reads is a step."""

    def __init__(self, inner: Any, stepping: Stepping) -> None:
        self._inner = inner
        self._stepping = stepping

    def __getattr__(self, name: str) -> Any:
        return self._stepping.after(getattr(self._inner, name))


async def life(city: City, someone: Payer, order_id: UUID) -> None:
    """From the quote to the settlement, as doors and callbacks do it."""
    channels, house = city.parts.channels, city.house
    await payments.pay(house, channels, someone.id, order_id, "medical_insurance", Agent())
    seen = await insurance.confirm(house.db, channels, someone.id, order_id, "sandbox", Agent())
    if seen.cashier is None:
        return
    bank = Sandbox(house)
    part = seen.cashier.order_id
    if (await bank.at_cashier(part, seen.cashier.token)).state == "waiting":
        await bank.choose(part, seen.cashier.token, "no_callback")
    channel = channels.get("sandbox")
    assert channel is not None
    found = await core.order(house.db, bucket=order_id.bytes[15], id=order_id)
    row = await insurance.of_channels(channels).saga.newest(order_id)
    assert row is not None
    paid = await channel.query(saga.part_order(found, row))
    await settlement.hear(house, *await channels.whole("sandbox", paid))


async def cut_off(city: City, patch: pytest.MonkeyPatch, someone: Payer, made: Any, n: int) -> bool:
    """The life until its n-th step; False where it has no so many."""
    stepping = Stepping(n)
    with patch.context() as scope:
        scope.setattr(saga, "q", Statements(saga.q, stepping))
        scope.setattr(sandbox, "q", Statements(sandbox.q, stepping))
        scope.setattr(settlement, "q", Statements(settlement.q, stepping))
        for verb in ("prepare", "query", "choose"):
            scope.setattr(Sandbox, verb, stepping.after(getattr(Sandbox, verb)))
        try:
            await life(city, someone, UUID(made["id"]))
        except Killed:
            return True
    return False


async def by_itself(city: City, someone: Payer, made: dict[str, Any]) -> str:
    """What the program does without anybody; the order's state in the end."""
    ended = ""
    for _ in range(2):
        await overdue(city)
        await look_after(city.house, city.parts.channels)
        await insurance.of_channels(city.parts.channels).saga.look_after()
        await city.settled()
        ended = str((await someone.state(made))["state"])
        row = await insurance.of_channels(city.parts.channels).saga.newest(UUID(made["id"]))
        if ended in {"closed", "fulfilled"} and (row is None or row.state != "reversing"):
            break
    return ended


async def test_the_citizen_goes_on_after_any_step(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(1, STEPS_MAX):
        someone, made = await order(city)
        cut = await cut_off(city, monkeypatch, someone, made, n)
        if (await someone.state(made))["state"] in {"created", "paying"}:
            await life(city, someone, UUID(made["id"]))
        assert await by_itself(city, someone, made) == "fulfilled", n
        assert await agrees(city, made) == Held(600, 150, 250), n
        assert await account_of(someone, made) == 0
        if not cut:
            assert n > 8, "it has some steps"
            return
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("account", [150, 400], ids=["both", "insurer-alone"])
async def test_the_citizen_goes_away_after_any_step(
    city: City, monkeypatch: pytest.MonkeyPatch, account: int
) -> None:
    ends: set[str] = set()
    for n in range(1, STEPS_MAX):
        someone, made = await order(city, account=account)
        cut = await cut_off(city, monkeypatch, someone, made, n)
        await let_expire(city, made)
        ended = await by_itself(city, someone, made)
        whole = ended == "fulfilled"
        assert await agrees(city, made) == (
            Held(600, account, 400 - account) if whole else Held(0, 0, 0)
        ), n
        assert await account_of(someone, made) == (0 if whole else account), n
        ends.add(ended)
        if not cut:
            assert ends == {"closed", "fulfilled"}
            return
    pytest.fail("it never came to its end")


async def test_the_way_back_goes_on_after_any_step(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for giving up: cut off anywhere, the insurer's part is undone, once."""
    for n in range(1, STEPS_MAX):
        someone, made = await order(city)
        channels, order_id = city.parts.channels, UUID(made["id"])
        await payments.pay(city.house, channels, someone.id, order_id, "medical_insurance", Agent())
        await insurance.confirm(city.house.db, channels, someone.id, order_id, "sandbox", Agent())
        stepping, cut = Stepping(n), False
        with monkeypatch.context() as scope:
            scope.setattr(saga, "q", Statements(saga.q, stepping))
            scope.setattr(sandbox, "q", Statements(sandbox.q, stepping))
            scope.setattr(Sandbox, "cancel", stepping.after(Sandbox.cancel))
            try:
                await payments.cancel(city.house, channels, someone.id, order_id, "en")
            except Killed:
                cut = True
        await let_expire(city, made)
        assert await by_itself(city, someone, made) == "closed", n
        assert await agrees(city, made) == Held(0, 0, 0), n
        assert await account_of(someone, made) == 150, n
        if not cut:
            assert n > 5
            return
    pytest.fail("it never came to its end")


async def test_a_refund_goes_on_after_any_step(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each purse is paid back once, wherever it is cut off and asked for again."""
    channel = insurance.of_channels(city.parts.channels)
    _, made = await paid(city)
    row = await channel.saga.newest(UUID(made["id"]))
    assert row is not None
    names = ("medical_insurance.pool", "medical_insurance.account", "sandbox")
    for n in range(1, STEPS_MAX):
        purses = tuple(Tender(name, 1) for name in names)
        ask = RefundAsk(
            ids.new(row.id.bytes[15]), row.order_id, row.insurer_txn or "", 1000, 3, purses,
            "other", city.house.clock.now(),
        )  # fmt: skip
        stepping, cut = Stepping(n), False
        with monkeypatch.context() as scope:
            scope.setattr(refunds, "asyncio", SimpleNamespace(gather=one_by_one))
            scope.setattr(refunds, "q", Statements(refunds.q, stepping))
            scope.setattr(sandbox, "q", Statements(sandbox.q, stepping))
            scope.setattr(Sandbox, "refund", stepping.after(Sandbox.refund))
            try:
                await channel.refund(ask)
            except Killed:
                cut = True
        assert (await channel.refund(ask)).state == "done"
        assert (await channel.refund(ask)).state == "done"
        assert await held(city, made) == Held(600 - n, 150 - n, 250 - n)
        if not cut:
            assert n > 5
            return
    pytest.fail("it never came to its end")


async def one_by_one(*works: Any, return_exceptions: bool = False) -> list[Any]:
    """Instead of at once, so that steps have an order."""
    assert return_exceptions
    try:
        return [await work for work in works]
    finally:
        for work in works:
            work.close()
