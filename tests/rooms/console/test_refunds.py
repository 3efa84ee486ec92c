"""The refunds' page: what a citizen wants back, decided by those whose turn it is."""

from __future__ import annotations

import re

from tests.city import City
from tests.rooms.citizen_web.visitor import citizen
from tests.rooms.console.steps import shown, signed_in, words


async def test_from_the_citizens_page_to_the_desk_and_back(city: City) -> None:
    who = await citizen(city, "graduate")
    order = await who.order((await who.bills("utility_bills/water"))[0])
    await who.pay(order)
    page = await who.until(order, f"{order}/receipt")
    assert "申请退款" in page
    key = await who.key(order)
    wish = f"{order}/lines/1/refund"
    assert await who.to(wish, key=key, reason="paid_twice", amount="1.00", words="重复") == order
    assert "待部门处理" in await who.get(order)
    assert await who.to(wish, key=await who.key(order), amount="1,000,000") == order
    assert "不超过该项剩余金额" in await who.get(order)
    assert await who.to(wish, key=await who.key(order), amount="ten") == order

    async with signed_in(city, "utility_bills") as desk:
        seen = words(page := await shown(desk, "/console/refunds"))
        assert "重复" in seen
        assert "1.00" in seen
        refund = re.findall(r"/console/refunds/([0-9a-f-]{36})/approve", page)[0]
        answer = await desk.post(f"/console/refunds/{refund}/approve")
        assert answer.headers["location"] == "/console/refunds?done=approve"
        await city.settled()
        assert "没有待处理的退款" in await shown(desk, "/console/refunds")
        assert "已退款" in words(await shown(desk, "/console/refunds", state="all"))
    assert "已退款" in await who.get(order)


async def test_the_desk_sends_money_back_by_itself(city: City) -> None:
    who = await citizen(city, "newlywed_wife")
    order = await who.order((await who.bills("utility_bills/power"))[0])
    await who.pay(order)
    await who.until(order, f"{order}/receipt")
    async with signed_in(city, "operator") as desk:
        page = await shown(desk, "/console/payments")
        key = re.findall(r'name="key" value="([\w-]+)"', page)[0]
        form = {"order": order.removeprefix("/orders/"), "no": "1", "key": key, "reason": "other"}
        wrong = await desk.post("/console/refunds", data={**form, "amount": "0.001"})
        assert (wrong.status_code, "请检查填写内容" in wrong.text) == (400, True)
        much = await desk.post("/console/refunds", data={**form, "amount": "99999"})
        assert (much.status_code, "该款项不能退款" in much.text) == (409, True)
        done = await desk.post("/console/refunds", data={**form, "amount": "0.01"})
        assert done.headers["location"] == "/console/refunds?done=give"
        again = await desk.post("/console/refunds", data={**form, "amount": "0.01"})
        assert again.headers["location"] == "/console/refunds?done=give", "the same form once more"
    await city.settled()
    assert (await who.get(order)).count("¥0.01") >= 1
