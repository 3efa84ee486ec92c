"""The way back of a split payment when one of those who send it fails, is slow or is away."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.city import City
from tests.rooms.payments.medical.insured import (
    Held,
    account_of,
    agreed,
    agrees,
    give,
    held,
    mood,
    overdue,
    paid,
)
from tests.rooms.payments.steps import call_back, charge, paid_now, payer, standing_in

from civicmall.payments import Sandbox, insurance, service, settlement
from civicmall.payments.channels import parts
from civicmall.payments.channels.medical_insurance import rules
from civicmall.payments.models import RefundAsk, RefundSaid, Tender
from civicmall.payments.refunds import sending

CENT: Final = st.integers(1, 5000)


async def state(someone: Any, made: dict[str, Any]) -> list[str]:
    """How the refunds of an order stand."""
    found = (await someone.http.get(f"/v1/orders/{made['id']}/refunds")).json()["items"]
    return [one["state"] for one in found]


async def go_on(city: City) -> None:
    """Whatever waits to be asked after is."""
    await overdue(city)
    await sending.look_after(city.house, city.parts.channels)
    await city.settled()


async def test_an_insurer_that_tells_later(city: City) -> None:
    someone, made = await paid(city)
    await mood(someone, made, fault="refund_later")
    await give(city, made)
    assert await state(someone, made) == ["done"]
    assert await agrees(city, made) == Held(0, 0, 0)


async def test_an_insurer_that_fails_is_asked_again_and_the_bank_is_not(city: City) -> None:
    someone, made = await paid(city)
    await mood(someone, made, fault="refund_failed")
    refund = (await give(city, made))["refund_id"]
    assert await state(someone, made) == ["failed"]
    assert await held(city, made) == Held(600, 150, 0), "the bank's part is gone"
    operator = await city.operator()
    declined = await operator.post(f"/v1/desk/refunds/{refund}/decline")
    assert declined.json()["type"] == "/problems/refund-decided", "a part of it can't be kept back"
    assert await state(someone, made) == ["failed"]
    assert (await operator.post(f"/v1/desk/refunds/{refund}/approve")).status_code == 200
    await city.settled()
    assert await state(someone, made) == ["done"]
    assert await agrees(city, made) == Held(0, 0, 0)
    assert await account_of(someone, made) == 150


async def test_what_failed_as_a_whole_may_be_declined(city: City) -> None:
    someone, made = await paid(city, account=400)
    await mood(someone, made, fault="refund_failed")
    refund = (await give(city, made))["refund_id"]
    operator = await city.operator()
    assert (await operator.post(f"/v1/desk/refunds/{refund}/decline")).status_code == 200
    await city.settled()
    assert await agrees(city, made) == Held(600, 400, 0)
    assert (await someone.state(made))["state"] == "fulfilled"


@pytest.mark.parametrize("times", [1, 2])
async def test_an_insurer_that_is_away_gets_its_part_later(city: City, times: int) -> None:
    someone, made = await paid(city)
    await mood(someone, made, fault="away", times=times)
    await give_quietly(city, made)
    assert await held(city, made) == Held(600, 150, 0)
    for _ in range(times):
        await go_on(city)
    assert await state(someone, made) == ["done"]
    assert await agrees(city, made) == Held(0, 0, 0)


async def give_quietly(city: City, made: dict[str, Any]) -> None:
    """A refund whose first sending fails; its event is not tried again by itself."""
    operator = await city.operator()
    ask = {"order_id": made["id"], "no": 1, "reason": "other"}
    await operator.post("/v1/desk/refunds", json=ask, headers={"idempotency-key": made["id"]})
    sent = "select exists (select from kernel.outbox where error is null)"
    while await city.house.db.fetchval(sent):
        await city.parts.drain.once()
    await city.house.db.execute("delete from kernel.outbox")


class Slow(Sandbox):
    """A bank that tells later how a refund went."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.asked: list[RefundAsk] = []

    async def refund(self, ask: RefundAsk) -> RefundSaid:
        self.asked.append(ask)
        return RefundSaid(ask.refund_id, "pending")

    async def query_refund(self, ask: RefundAsk) -> RefundSaid:
        return RefundSaid(ask.refund_id, "pending")


async def test_a_bank_that_tells_later_tells_of_a_part(city: City) -> None:
    someone, made = await paid(city)
    bank: Any = Slow(city.house)
    with standing_in(city, bank):
        refund = UUID((await give(city, made))["refund_id"])
        assert await state(someone, made) == ["sent"]
        (ask,) = bank.asked
        assert (ask.refund_id, parts.is_part(ask.order_id)) == (parts.of(refund), True)
        assert (ask.paid_minor, ask.amount_minor) == (250, 250)
        assert ask.parts == (Tender("sandbox", 250),)
        await go_on(city)
        assert await state(someone, made) == ["sent"]
        assert len(bank.asked) == 1
    await Sandbox(city.house).refund(ask)
    for said in (RefundSaid(ask.refund_id, "done", "R1"), RefundSaid(ask.refund_id, "failed")):
        news = await city.parts.channels.whole("sandbox", said)
        assert news[0] == "medical_insurance"
        assert await settlement.hear(city.house, *news) == "done"
    await city.settled()
    assert await state(someone, made) == ["done"]
    assert await agrees(city, made) == Held(0, 0, 0)


async def test_a_bank_that_fails_is_asked_again_and_the_insurer_is_not(city: City) -> None:
    someone, made = await paid(city)
    bank: Any = Slow(city.house)
    with standing_in(city, bank):
        refund = (await give(city, made))["refund_id"]
        said = RefundSaid(parts.of(UUID(refund)), "failed", trouble="card-closed")
        await settlement.hear(city.house, *await city.parts.channels.whole("sandbox", said))
        await city.settled()
        assert await state(someone, made) == ["failed"]
        assert await held(city, made) == Held(0, 0, 250)
    operator = await city.operator()
    assert (await operator.post(f"/v1/desk/refunds/{refund}/approve")).status_code == 200
    await city.settled()
    assert await state(someone, made) == ["done"]
    assert await agrees(city, made) == Held(0, 0, 0)
    assert await account_of(someone, made) == 150


async def test_a_split_that_completes_after_its_order_closed_goes_back(city: City) -> None:
    someone, made, seen = await agreed(city)
    await someone.choose(seen["cashier"], "no_callback")
    await service.close(city.house.db, UUID(made["id"]), only_expired=False)
    await overdue(city)
    await insurance.of_channels(city.parts.channels).saga.look_after()
    await city.settled()
    assert (await someone.state(made))["state"] == "closed"
    assert await agrees(city, made) == Held(0, 0, 0)
    assert await account_of(someone, made) == 150


async def test_a_split_of_an_order_that_was_paid_already_goes_back(city: City) -> None:
    someone, made, seen = await agreed(city)
    await someone.choose(seen["cashier"], "no_callback")
    assert await call_back(city, paid_now(made)) == "posted"
    await overdue(city)
    await insurance.of_channels(city.parts.channels).saga.look_after()
    await city.settled()
    assert (await someone.state(made))["channel"] == "sandbox"
    assert await held(city, made) == Held(0, 0, 0)


async def test_purses_and_payments_that_are_not_ours_are_refused(city: City) -> None:
    _, made = await paid(city)
    channel = insurance.of_channels(city.parts.channels)
    row = await channel.saga.newest(UUID(made["id"]))
    assert row is not None
    for txn, purse in (("T1", "sandbox"), (row.insurer_txn or "", "alipay")):
        ask = RefundAsk(
            row.id, row.order_id, txn, 1000, 5, (Tender(purse, 5),), "other",
            city.house.clock.now(),
        )  # fmt: skip
        assert (await channel.refund(ask)).state == "failed"
    assert await held(city, made) == Held(600, 150, 250)


@settings(max_examples=25, deadline=None)
@given(
    amounts=st.lists(CENT, min_size=1, max_size=3),
    account=st.integers(0, 6000),
    cuts=st.lists(st.tuples(st.integers(0, 2), CENT), max_size=5),
)
async def test_every_purse_gets_back_at_most_what_it_gave(
    city: City, amounts: list[int], account: int, cuts: list[tuple[int, int]]
) -> None:
    """Whatever was paid of which lines and however it is cut: exact, and the last purse first."""
    someone = await payer(city)
    made = await someone.order(*(charge(amount) for amount in amounts))
    await mood(someone, made, account_minor=account)
    ask = {"channel": "medical_insurance"}
    began = await someone.http.post(f"/v1/orders/{made['id']}/pay", json=ask)
    if began.status_code == 409:
        assert sum(one * rules.POOL_PERCENT // 100 for one in amounts) + account == 0
        return
    seen = (await someone.http.post(f"/v1/orders/{made['id']}/insurance", json={})).json()
    if seen["cashier"]:
        await someone.choose(seen["cashier"])
    await city.settled()
    gave = await agrees(city, made)
    assert gave == Held(seen["pool_minor"], seen["account_minor"], seen["self_minor"])
    assert gave.pool + gave.account + gave.own == sum(amounts)
    lines = (await someone.state(made))["lines"]
    left, back = [line["amount_minor"] for line in lines], 0
    for no, wanted in cuts:
        amount = min(wanted, left[no % len(left)])
        if not amount:
            continue
        await give(city, made, amount, no % len(left) + 1)
        left[no % len(left)] -= amount
        back += amount
        assert await agrees(city, made) == after(gave, back)
    assert await account_of(someone, made) == account - after(gave, back).account


def after(gave: Held, back: int) -> Held:
    """What purses hold once so much went back: the citizen's own first, the fund's last."""
    own = min(gave.own, back)
    account = min(gave.account, back - own)
    return Held(gave.pool - (back - own - account), gave.account - account, gave.own - own)
