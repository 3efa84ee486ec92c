"""The sandbox's bank on request: late, silent, out of order, with refunds of every kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.city import City
from tests.rooms.payments.channels.life import Going, going
from tests.rooms.payments.steps import balanced, charge, owner_sql, payer, postings

from civicmall.kernel import ids
from civicmall.kernel.clock import FixedClock
from civicmall.payments import Sandbox, look_after
from civicmall.payments.channels import statements
from civicmall.payments.channels.sandbox_delivery import tell_late
from civicmall.payments.errors import ChannelAway


async def chosen(city: City, choice: str, amount_minor: int = 500) -> Going:
    """An order after a choice at the cashier, and what came of it at once."""
    one = await going(city, "sandbox", amount_minor)
    cashier = (await one.pay()).json()
    answer = await one.someone.choose(cashier, choice)
    assert (answer.status_code, answer.json()["state"]) == (200, "paid"), answer.text
    await one.tried()
    return one


async def kinds(one: Going) -> list[str]:
    return [kind for kind, *_ in await postings(one.city, one.order)]


@pytest.mark.parametrize("end", ["cancelled", "expired"])
async def test_late_comes_after_the_order_is_closed(city: City, end: str) -> None:
    one = await chosen(city, "late")
    await one.ask_now()
    await tell_late(city.house)
    assert (await one.state(), await kinds(one)) == ("paying", []), "the bank denies it"
    if end == "cancelled":
        assert (await one.someone.cancel(one.order)).json()["state"] == "closed"
    else:
        await owner_sql(
            city,
            "update payments.orders set expires_at = now(), ask_at = null where bucket = $1 and id = $2",
            *(ids.bucket_of(one.id), one.id),
        )
        await look_after(city.house, city.parts.channels)
    await tell_late(city.house)
    await city.settled()
    assert (await one.state(), await kinds(one)) == ("closed", ["suspense", "return"])
    await balanced(city)


async def test_a_silent_bank_is_asked_again(city: City) -> None:
    one = await chosen(city, "away")
    for _ in range(3):
        await one.ask_now()
        assert await one.state() == "paying"
    await one.ask_now()
    assert await one.state() == "fulfilled"


async def test_while_the_bank_is_silent_nothing_can_be_cancelled(city: City) -> None:
    one = await chosen(city, "away")
    refused = await one.someone.cancel(one.order)
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/channel-away")
    assert await one.state() == "paying"


async def test_a_refund_is_told_before_the_payment(city: City) -> None:
    one = await chosen(city, "out_of_order")
    assert await one.state() == "paying"
    await one.ask_now()
    assert await one.state() == "fulfilled", "found by asking"
    number = await one.give_back(amount_minor=200)
    await city.settled()
    assert (await one.refund_state(number), await one.state()) == ("done", "part_refunded")
    assert await kinds(one) == ["payment", "refund"], "the payment's news is old by now"
    await balanced(city)


async def test_a_refund_takes_its_time(city: City) -> None:
    one = await chosen(city, "refund_pending")
    assert await one.state() == "fulfilled"
    number = await one.give_back()
    await city.settled()
    assert (await one.refund_state(number), await one.state()) == ("done", "refunded")
    assert await kinds(one) == ["payment", "refund"]


async def test_a_refund_fails_after_a_while(city: City) -> None:
    one = await chosen(city, "refund_fails_later")
    number = await one.give_back(amount_minor=200)
    await city.settled()
    assert (await one.refund_state(number), await kinds(one)) == ("failed", ["payment"])
    operator = await city.operator()
    await operator.post(f"/v1/desk/refunds/{UUID(number)}/approve")
    await city.settled()
    assert (await one.refund_state(number), await kinds(one)) == ("done", ["payment", "refund"])


async def test_a_refund_fails_at_once(city: City) -> None:
    one = await chosen(city, "refund_fails")
    number = await one.give_back(amount_minor=200)
    await city.settled()
    assert (await one.refund_state(number), await kinds(one)) == ("failed", ["payment"])
    trouble = await city.house.db.fetchval(
        "select trouble from payments.refund where id = $1", UUID(number)
    )
    assert trouble == "refused by the payer's bank"


async def test_what_was_paid_can_not_be_chosen_again(city: City) -> None:
    one = await going(city, "sandbox")
    cashier = (await one.pay()).json()
    assert (await one.someone.choose(cashier, "late")).status_code == 200
    for choice in ("paid", "declined", "late", "away", "wrong_amount"):
        again = await one.someone.choose(cashier, choice)
        assert (again.status_code, again.json()["type"]) == (409, "/problems/cashier-closed")
    unknown = await one.someone.choose(cashier, "explode")
    assert (unknown.status_code, unknown.json()["type"]) == (400, "/problems/bad-request")


async def test_the_banks_own_statement(city: City) -> None:
    one = await chosen(city, "paid", 12345)
    refund = await one.give_back(amount_minor=300)
    await city.settled()
    odd = await chosen(city, "wrong_amount", 500)
    await (await payer(city)).order(charge())
    tomorrow = msgspec.structs.replace(
        city.house, clock=FixedClock(city.house.clock.now() + timedelta(days=1))
    )
    today = city.house.clock.today()

    async def fetched(bank: Any) -> list[str]:
        pieces = [piece async for piece in bank.fetch_statement(today)]
        return b"".join(pieces).decode().splitlines()

    head, *rows = await fetched(Sandbox(tomorrow))
    assert head == ",".join(statements.COLUMNS)
    shown = [row.rsplit(",", 1)[0] for row in rows]
    txn = await city.house.db.fetchval(
        "select channel_txn from payments.orders where bucket = $1 and id = $2",
        *(ids.bucket_of(one.id), one.id),
    )
    assert f"payment,{txn},{one.number},,12345,74" in shown
    assert f"refund,SBR{refund},{refund},{one.number},300,0" in shown
    assert any(row.split(",")[2:6] == [odd.number, "", "501", "3"] for row in shown)
    with pytest.raises(ChannelAway):
        await fetched(Sandbox(city.house))


async def test_the_channels_there_are(city: City) -> None:
    shown = (await (await city.anonymous()).get("/v1/channels")).json()["items"]
    names = [one["name"] for one in shown]
    assert names[:3] == ["sandbox", "alipay", "wechatpay"]
    assert shown[1]["title"] == {"zh-CN": "支付宝", "en": "Alipay"}
