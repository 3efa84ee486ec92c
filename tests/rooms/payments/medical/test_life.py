"""A payment by insurance account, pooled fund and bank, from its quote to its refunds, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.city import City
from tests.rooms.payments.medical.insured import (
    ACCOUNT,
    PAYABLE,
    POOL,
    SELF,
    Held,
    account_of,
    agree,
    agreed,
    agrees,
    booked,
    give,
    held,
    order,
    paid,
    split,
    start,
)
from tests.rooms.payments.steps import charge, payer, postings

from civicmall.kernel.clock import FixedClock
from civicmall.payments import insurance
from civicmall.payments.channels import parts
from civicmall.payments.channels.medical_insurance.sandbox import SandboxInsurer
from civicmall.payments.errors import ChannelAway


async def test_each_purse_pays_its_part_and_has_its_own_account(city: City) -> None:
    someone, made = await order(city, 1000, account=150)
    cashier = (await start(someone, made)).json()
    assert cashier["url"] == f"{city.url}/orders/{made['id']}/insurance"
    assert await held(city, made) == Held(0, 0, 0), "a quote takes nothing"
    shown = await split(someone, made)
    assert (shown["pool_minor"], shown["account_minor"], shown["self_minor"]) == (600, 150, 250)
    assert (shown["state"], shown["cashier"]) == ("quoted", None)

    seen = (await agree(someone, made)).json()
    assert seen["state"] == "deducted"
    assert await held(city, made) == Held(600, 150, 0)
    assert await account_of(someone, made) == 0
    assert seen["cashier"]["amount_minor"] == 250
    assert (await someone.state(made))["state"] == "paying", "half of it is not paid"
    assert (await agree(someone, made)).json() == seen, "the same again goes on from there"

    await someone.choose(seen["cashier"])
    await city.settled()
    done = await someone.state(made)
    assert (done["state"], done["channel"]) == ("fulfilled", "medical_insurance")
    assert await postings(city, made) == [
        ("payment", [POOL, ACCOUNT, SELF, PAYABLE], [600, 150, 250, -1000])
    ]
    assert await agrees(city, made) == Held(600, 150, 250)
    assert await someone.inbox(made) == ["payments.paid"]
    assert (await split(someone, made))["state"] == "paid"


async def test_what_the_insurer_pays_alone_has_no_second_cashier(city: City) -> None:
    someone, made, seen = await agreed(city, 1000, account=400)
    assert (seen["state"], seen["self_minor"], seen["cashier"]) == ("paid", 0, None)
    await city.settled()
    assert (await someone.state(made))["state"] == "fulfilled"
    assert await postings(city, made) == [("payment", [POOL, ACCOUNT, PAYABLE], [600, 400, -1000])]
    assert (await agree(someone, made)).json() == seen
    assert len(await postings(city, made)) == 1


async def test_refunds_take_what_the_citizen_paid_themselves_first(city: City) -> None:
    someone, made = await paid(city, 1000, account=150)
    await give(city, made, 200)
    assert await agrees(city, made) == Held(600, 150, 50)
    await give(city, made, 100)
    assert await agrees(city, made) == Held(600, 100, 0)
    assert await account_of(someone, made) == 50
    await give(city, made)
    assert await agrees(city, made) == Held(0, 0, 0)
    assert await account_of(someone, made) == 150
    done = await someone.state(made)
    assert (done["state"], done["refunded_minor"]) == ("refunded", 1000)
    assert [row[1:] for row in (await postings(city, made))[1:]] == [
        ([PAYABLE, SELF], [200, -200]),
        ([PAYABLE, ACCOUNT, SELF], [100, -50, -50]),
        ([PAYABLE, POOL, ACCOUNT], [700, -600, -100]),
    ]


async def test_a_shop_that_refuses_sends_it_all_back(city: City) -> None:
    someone, made = await paid(city, 1000, kind="refuse")
    assert (await someone.state(made))["state"] == "refunded"
    assert await agrees(city, made) == Held(0, 0, 0)
    assert await account_of(someone, made) == 150


async def test_other_bills_and_an_empty_account_are_not_insured(city: City) -> None:
    someone = await payer(city)
    answer = await start(someone, await someone.order(charge(5), charge(7)))
    assert answer.status_code == 200
    owner = await city.citizen("graduate")
    bill = (await owner.get("/v1/shops/utility_bills/apps/water/bills")).json()["items"][0]
    ask = {"shop": "utility_bills", "app": "water", "charge_id": bill["id"]}
    made = (
        await owner.post(
            "/v1/orders", json={"charges": [ask]}, headers={"idempotency-key": uuid4().hex}
        )
    ).json()
    pay = f"/v1/orders/{made['id']}/pay"
    answer = await owner.post(pay, json={"channel": "medical_insurance"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-insured")
    assert answer.json()["lines"] == [1]
    assert (await owner.post(pay, json={"channel": "sandbox"})).status_code == 200
    await owner.post(f"/v1/orders/{made['id']}/cancel")

    someone, made = await order(city, 1, account=0)  # the fund's part of one 分 is none
    answer = await start(someone, made)
    assert (answer.json()["type"], answer.json()["lines"]) == ("/problems/not-insured", [])


async def test_whoever_is_no_payer_of_it_sees_no_split(city: City) -> None:
    someone, made, _ = await agreed(city)
    other = await payer(city)
    for answer in (await agree(other, made), await start(other, made)):
        assert answer.json()["type"] == "/problems/no-such-order"
    mine = await someone.order()
    for answer in (
        await agree(someone, mine),
        await someone.http.get(f"/v1/orders/{mine['id']}/insurance"),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-such-split")


@pytest.mark.parametrize("channel", ["nowhere", "medical_insurance"])
async def test_the_rest_is_paid_through_another_channel(city: City, channel: str) -> None:
    someone, made = await order(city)
    await start(someone, made)
    answer = await agree(someone, made, channel)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-such-channel")
    assert await held(city, made) == Held(0, 0, 0)


async def test_the_same_callback_and_the_wrong_amount(city: City) -> None:
    someone, made, seen = await agreed(city)
    await someone.choose(seen["cashier"], "wrong_amount")
    await city.settled()
    assert (await someone.state(made))["state"] == "paying"
    assert await held(city, made) == Held(600, 150, 251)
    operator = await city.operator()
    wait = (await operator.get("/v1/desk/tickets", params={"kind": "amount_differs"})).json()
    assert [one["order_id"] for one in wait["items"]] == [seen["cashier"]["order_id"]]

    seen = (await agree(someone, made)).json()
    await someone.choose(seen["cashier"], "twice")
    await city.settled()
    assert (await someone.state(made))["state"] == "fulfilled"
    assert len(await postings(city, made)) == 1
    assert await booked(city, made) == {
        POOL: 600, ACCOUNT: 150, SELF: 250 + 251, "suspense": -251, PAYABLE: -1000,
    }  # fmt: skip


async def test_a_part_leads_to_its_order(city: City) -> None:
    _, made, seen = await agreed(city)
    part = UUID(seen["cashier"]["order_id"])
    assert parts.is_part(part)
    assert await insurance.whole_order(city.house.db, part) == UUID(made["id"])
    assert await insurance.whole_order(city.house.db, UUID(made["id"])) is None
    assert await insurance.whole_order(city.house.db, parts.of(UUID(made["id"]))) is None


async def test_the_insurers_statement_has_what_stands_and_what_went_back(city: City) -> None:
    _, made = await paid(city, 1000, account=150)
    await give(city, made, 300)
    other, gone, _ = await agreed(city, 2000)
    await other.cancel(gone)
    channel: Any = city.parts.channels.get("medical_insurance")
    rows = await city.house.db.fetch(
        "select number from payments.insurer_deduction where order_id = any($1)",
        [UUID(made["id"]), UUID(gone["id"])],
    )
    ours = [row[0].hex for row in rows]
    assert len(ours) == 2
    today = city.house.clock.today()
    with pytest.raises(ChannelAway):  # the day isn't over
        [piece async for piece in channel.fetch_statement(today)]
    for days, seen in ((0, True), (1, False)):
        text = await _statement(city, today, days)
        mine = [line.split(",") for line in text.split("\r\n") if any(n in line for n in ours)]
        kinds = [(row[0], row[4]) for row in mine]
        assert kinds == ([("payment", "750"), ("refund", "50")] if seen else [])


async def _statement(city: City, today: Any, days: int) -> str:
    """Yesterday's statement as of tomorrow, or today's."""
    clock = FixedClock(city.house.clock.now() + timedelta(days=2))
    insurer = SandboxInsurer(msgspec.structs.replace(city.house, clock=clock))
    day = today - timedelta(days=days)
    return b"".join([piece async for piece in insurer.statement(day)]).decode()
