"""The split on its page, as a browser without scripts uses it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor, visitor
from tests.rooms.payments.steps import KIOSK, charge


async def ordered(city: City, phone: str, account: int, amount: int = 1000) -> tuple[Visitor, str]:
    """Somebody with an order and so much in their account; the order's path."""
    who = await visitor(city)
    await who.sign_in(phone)
    wanted = f"{KIOSK}/stall/{charge(amount)['charge_id']}"
    location = await who.to("/orders", key=uuid4().hex, charge=wanted)
    path = "/orders/" + location.removeprefix("/sandbox/cashier/").partition("?")[0]
    nobody = await city.anonymous()
    door = path.replace("/orders/", "/v1/sandbox/insurer/")
    assert (await nobody.post(door, json={"account_minor": account})).is_success
    return who, path


async def mood(city: City, path: str, **ask: Any) -> None:
    door = path.replace("/orders/", "/v1/sandbox/insurer/")
    assert (await (await city.anonymous()).post(door, json=ask)).is_success


async def test_who_pays_what_is_shown_before_anything_is_taken(city: City) -> None:
    who, path = await ordered(city, "18900000001", 150)
    assert "使用医保支付" in await who.get(path)
    assert await who.to(f"{path}/insurance/quote") == f"{path}/insurance"
    page = await who.get(f"{path}/insurance")
    for words, amount in (
        ("统筹基金支付", "6.00"),
        ("医保个人账户支付", "1.50"),
        ("个人自付", "2.50"),
    ):
        assert words in page
        assert amount in page
    cashier = await who.to(f"{path}/insurance", channel="sandbox")
    assert cashier.startswith("/sandbox/cashier/")
    assert "2.50" in await who.get(cashier)
    assert "待支付自付部分" in await who.get(f"{path}/insurance")
    at, _, token = cashier.partition("?token=")
    back = await who.to(at, token=token, choice="paid")
    answer = await who.client.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?from=bank")
    await who.until(path, f"{path}/receipt")
    page = await who.get(f"{path}/insurance")
    assert "<form" not in page.partition("<main")[2].partition("</main")[0]


async def test_nothing_left_to_pay_leads_back_to_the_order(city: City) -> None:
    who, path = await ordered(city, "18900000002", 400)
    await who.to(f"{path}/insurance/quote")
    assert "同意，无需自付" in await who.get(f"{path}/insurance")
    assert await who.to(f"{path}/insurance", channel="sandbox") == path
    await who.until(path, f"{path}/receipt")
    assert await who.to(f"{path}/insurance/quote") == path
    assert "该订单已不能支付" in await who.get(path)


async def test_what_the_insurer_says_no_to(city: City) -> None:
    who, path = await ordered(city, "18900000003", 150)
    await mood(city, path, fault="declined")
    await who.to(f"{path}/insurance/quote")
    assert await who.to(f"{path}/insurance", channel="sandbox") == path
    assert "医保未予支付" in await who.get(path)
    await who.to(f"{path}/insurance/quote")
    await mood(city, path, fault="later")
    assert await who.to(f"{path}/insurance", channel="sandbox") == f"{path}/insurance"
    await who.to(f"{path}/cancel")
    assert await who.to(f"{path}/insurance/quote") == path
    poor, path = await ordered(city, "18900000004", 0, amount=1)
    assert await poor.to(f"{path}/insurance/quote") == path
    assert "医保目前不支付" in await poor.get(path)


async def test_other_bills_offer_no_insurance_and_others_see_nothing(city: City) -> None:
    _, path = await ordered(city, "18900000005", 150)
    other = await visitor(city)
    await other.sign_in("18900000006")
    await other.get(f"{path}/insurance", status=404)
    await other.get(path, status=404)
