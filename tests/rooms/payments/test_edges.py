"""The verbs themselves, where HTTP can't lead: after a crash, in a race, in good order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.city import City
from tests.rooms.payments.steps import (
    at_once,
    call_back,
    charge,
    let_expire,
    owner_sql,
    paid_now,
    payer,
    postings,
)

from civicmall import payments
from civicmall.identity import Caller
from civicmall.kernel import ids
from civicmall.payments import ChargeRef, NewOrder, Sandbox, look_after
from civicmall.payments.channels import Channels
from civicmall.payments.errors import NoSuchChannel
from civicmall.payments.refunds import sending
from civicmall.payments.settlement import fulfil


async def _lose_the_answer(city: City, key: str) -> None:
    """As if we had died after writing the order and before keeping its answer."""
    await owner_sql(
        city,
        "update kernel.idempotency set answer = null, locked_until = now() where key = $1",
        key,
    )


async def test_a_retry_after_a_crash_finds_its_order(city: City) -> None:
    someone, wanted, key = await payer(city), charge(), uuid4().hex
    made = (await someone.ask([wanted], key)).json()
    await _lose_the_answer(city, key)
    assert (await someone.ask([wanted], key)).json() == made
    assert len((await someone.http.get("/v1/orders")).json()["items"]) == 1


async def test_two_that_write_the_same_order_at_once_write_one(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes, each of which believes that the other one is gone."""
    someone, wanted, key = await payer(city), charge(), uuid4().hex
    made = (await someone.ask([wanted], key)).json()
    await _lose_the_answer(city, key)
    service: Any = payments.service  # pyright: ignore[reportAttributeAccessIssue]
    looked, true = 0, service._order

    async def order(*args: Any) -> Any:
        nonlocal looked
        looked += 1
        return None if looked == 1 else await true(*args)

    monkeypatch.setattr(service, "_order", order)
    ref = ChargeRef(wanted["shop"], wanted["app"], wanted["charge_id"])
    parts = city.parts
    again = await payments.create_order(
        parts.house, parts.gateway, parts.registry, Caller(someone.id, uuid4(), 1), key,
        NewOrder([ref]), "zh-CN",
    )  # fmt: skip
    assert str(again.id) == made["id"]


async def test_ten_cancels_at_once_are_one(city: City) -> None:
    someone = await payer(city)
    made = await someone.order()
    answers = await at_once(*(someone.cancel(made) for _ in range(10)))
    assert {(a.status_code, a.json()["state"]) for a in answers} == {(200, "closed")}


async def test_paid_between_the_look_and_the_close_is_paid(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = await payer(city)
    made = await someone.order()
    service: Any = payments.service  # pyright: ignore[reportAttributeAccessIssue]
    close = service.close

    async def paid_first(*args: Any, **kwargs: Any) -> Any:
        assert await call_back(city, paid_now(made)) == "posted"
        return await close(*args, **kwargs)

    monkeypatch.setattr(service, "close", paid_first)
    answer = await someone.cancel(made)
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/order-not-cancellable"


async def test_the_rating_centre_learns_what_is_finished(city: City) -> None:
    someone, other = await payer(city), await payer(city)
    made = await someone.paid()
    order_id = UUID(made["id"])
    await city.settled()
    found = await payments.finished_order(city.house.db, someone.id, order_id)
    assert found is not None
    assert (found.finished, found.shop) == (True, made["lines"][0]["shop"])
    assert await payments.finished_order(city.house.db, other.id, order_id) is None
    opened = await someone.order()
    found = await payments.finished_order(city.house.db, someone.id, UUID(opened["id"]))
    assert found is not None
    assert not found.finished


async def test_a_city_without_the_channel(city: City) -> None:
    someone = await payer(city)
    made = await someone.order()
    with pytest.raises(NoSuchChannel):
        await payments.pay(city.house, Channels(), someone.id, UUID(made["id"]), "sandbox")
    await someone.pay(made)
    await let_expire(city, made)
    await look_after(city.house, Channels())
    assert (await someone.state(made))["state"] == "closed", "its time is over all the same"


async def test_what_is_handled_again_changes_nothing(city: City) -> None:
    someone = await payer(city)
    unpaid = await someone.order()
    await fulfil(city.house, city.parts.gateway, UUID(unpaid["id"]))
    assert (await someone.state(unpaid))["state"] == "created"
    made = await someone.paid(charge(5, "refuse"))
    await city.settled()
    before = (await someone.state(made), await postings(city, made))
    refund = (await someone.http.get(f"/v1/orders/{made['id']}/refunds")).json()["items"][0]
    for _ in range(2):
        await fulfil(city.house, city.parts.gateway, UUID(made["id"]))
        await sending.send(city.house, city.parts.channels, UUID(refund["id"]))
    assert (await someone.state(made), await postings(city, made)) == before
    assert before[0]["state"] == "refunded"


async def test_a_refund_needs_the_channel_that_the_money_came_by(city: City) -> None:
    someone = await payer(city)
    made = await someone.paid(charge(5, "refuse"))
    await city.settled()
    refund = (await someone.http.get(f"/v1/orders/{made['id']}/refunds")).json()["items"][0]
    back = (
        "update payments.refund set state = $2, ended_at = $3, ask_at = $4"
        " where id = $1::text::uuid"
    )
    now = datetime.now(UTC)
    await owner_sql(city, back, refund["id"], "approved", None, now + timedelta(hours=1))
    with pytest.raises(NoSuchChannel):
        await sending.send(city.house, Channels(), UUID(refund["id"]))
    await owner_sql(city, back, refund["id"], "done", now, None)


class Moody:
    """A channel that is down for one order and pays another in the last instant."""

    def __init__(self, true: Sandbox, broken: UUID, sudden: UUID) -> None:
        self.name = true.name
        self.true = true
        self.broken = broken
        self.sudden = sudden

    async def query(self, order: Any) -> Any:
        """Down, for one."""
        if order.id == self.broken:
            raise ConnectionError("the bank does not answer")
        return await self.true.query(order)

    async def cancel(self, order: Any) -> bool:
        """Too late, for another."""
        return False if order.id == self.sudden else await self.true.cancel(order)


async def test_one_order_that_can_not_be_looked_after_holds_up_no_other(city: City) -> None:
    someone = await payer(city)
    broken, sudden, plain = [await someone.order() for _ in range(3)]
    for made in (broken, sudden, plain):
        await someone.pay(made)
        await let_expire(city, made)
    moody: Any = Moody(Sandbox(city.house), UUID(broken["id"]), UUID(sudden["id"]))
    await look_after(city.house, Channels(moody))
    states = [(await someone.state(made))["state"] for made in (broken, sudden, plain)]
    assert states == ["paying", "paying", "closed"]
    await look_after(city.house, city.parts.channels)
    states = [(await someone.state(made))["state"] for made in (broken, sudden)]
    assert states == ["paying", "paying"], "they wait for their next turn, and stand before nobody"
    for made in (broken, sudden):
        await let_expire(city, made)
    await look_after(city.house, city.parts.channels)
    states = [(await someone.state(made))["state"] for made in (broken, sudden)]
    assert states == ["closed", "closed"]


async def test_a_channel_is_asked_less_and_less_often(city: City) -> None:
    someone = await payer(city)
    made = await someone.order()
    await someone.pay(made)
    order_id = UUID(made["id"])
    place = (ids.bucket_of(order_id), order_id)
    asked = "select asked, extract(epoch from ask_at - now()) from payments.orders"
    waits: list[float] = []
    for n in range(1, 4):
        await owner_sql(
            city, "update payments.orders set ask_at = now() where bucket = $1 and id = $2", *place
        )
        await look_after(city.house, city.parts.channels)
        row = await city.house.db.fetchrow(f"{asked} where bucket = $1 and id = $2", *place)
        assert row is not None
        assert row[0] == n
        waits.append(float(row[1]))
    assert [round(wait / 20) for wait in waits] == [2, 4, 8]


async def test_no_cashier_takes_back_what_it_took(city: City) -> None:
    someone = await payer(city)
    made = await someone.order()
    cashier = (await someone.pay(made)).json()
    answers = await at_once(*(someone.choose(cashier) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    declined = await someone.choose(cashier, "declined")
    assert (declined.status_code, declined.json()["state"]) == (409, "paid")
    await city.settled()
    assert len(await postings(city, made)) == 1
