"""Bills to orders to the cashier and back, also when people and banks misbehave."""

from __future__ import annotations

import re

from tests.city import City
from tests.rooms.citizen_web.visitor import citizen, visitor


async def test_all_bills_in_one_order_and_one_receipt(city: City) -> None:
    who = await citizen(city, "near_retirement_man")
    page = await who.get("/bills")
    charges = re.findall(r'name="charge" value="([^"]+)"', page)
    assert len(charges) >= 3
    order = await who.order(*charges)
    assert await who.pay(order) == f"{order}?from=bank"
    await who.until(order, f"{order}/receipt")
    receipt = await who.get(f"{order}/receipt")
    assert receipt.count("部门收据") == len(charges)
    assert "没有待缴费用" in await who.get("/bills")
    paid = await who.get("/shops/utility_bills/water?paid=true")
    assert "已缴清" in paid


async def test_the_receipt_s_page_tells_what_went_back(city: City) -> None:
    who = await citizen(city, "near_retirement_woman")
    order = await who.order((await who.bills("utility_bills/water"))[0])
    await who.pay(order)
    await who.until(order, f"{order}/receipt")
    assert "退款合计" not in await who.get(f"{order}/receipt")
    desk = await city.department("utility_bills")
    ask = {"order_id": order.rpartition("/")[2], "no": 1, "amount_minor": 123}
    sent = await desk.post("/v1/desk/refunds", json=ask, headers={"idempotency-key": "k" * 16})
    assert sent.status_code == 201, sent.text
    await city.settled()
    page = await who.get(f"{order}/receipt")
    assert "退款合计" in page
    assert "1.23" in page


async def test_the_same_page_twice_is_one_order(city: City) -> None:
    who = await citizen(city, "graduate")
    key = await who.key("/bills")
    charge = (await who.bills("utility_bills/water"))[0]
    first = await who.to("/orders", key=key, charge=charge)
    assert await who.to("/orders", key=key, charge=[charge, charge]) == first
    # Another page, the same bill: to the order that has it, with a word about it.
    order = "/orders/" + first.removeprefix("/sandbox/cashier/").partition("?")[0]
    assert await who.to("/orders", key=await who.key("/bills"), charge=charge) == order
    assert "该账单已在这笔订单中" in await who.get(order)
    # Cancelled, the bill is free again; the first page's key finds its order over.
    assert await who.to(f"{order}/cancel") == order
    assert "未支付，已关闭" in await who.get(order)
    assert await who.to("/orders", key=key, charge=charge) == order
    assert await who.order(charge) != order


async def test_a_declined_payment_can_be_tried_again(city: City) -> None:
    who = await citizen(city, "newlywed_wife")
    order = await who.order((await who.bills("utility_bills/power"))[0])
    assert await who.pay(order, "declined") == order
    page = await who.get(order)
    assert "银行拒绝了付款" in page
    assert f"{order}/pay" in page
    assert await who.pay(order, "twice") == f"{order}?from=bank"
    page = await who.until(order, f"{order}/receipt")
    assert "data-poll" not in page
    # The cashier of a paid order offers nothing more.
    assert await who.to(f"{order}/pay") == order
    assert "该订单已不能支付" in await who.get(order)


async def test_waiting_for_the_bank(city: City) -> None:
    who = await citizen(city, "newlywed_husband")
    order = await who.order((await who.bills("utility_bills/gas"))[0])
    back = await who.pay(order, "no_callback")
    page = await who.get(back)
    assert "等待银行确认" in page
    assert "data-poll" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert f'action="{order}/pay"' not in page  # nobody is led to pay twice


async def test_nothing_unknown_and_too_much(city: City) -> None:
    who = await citizen(city, "school_mother")
    key = await who.key("/bills")
    assert await who.to("/orders", key=key) == "/bills"
    assert "请至少选择一笔账单" in await who.get("/bills")
    many = [f"utility_bills/water/W{n}" for n in range(21)]
    assert await who.to("/orders", key=key, charge=many) == "/bills"
    await who.post("/orders", 404, key=key, charge="utility_bills/water/nope")
    await who.post("/orders", 404, key=key, charge="nope/nope/nope")
    await who.post("/orders", 400, key=key, charge="../..")
    await who.post("/orders", 400, key="x", charge="utility_bills/water/nope")
    await who.post("/orders", 400, key=key, charge="utility_bills/water/a&amount=1/2")


async def test_the_cashier_needs_its_own_link(city: City) -> None:
    who = await citizen(city, "newborn_mother")
    order = await who.order((await who.bills("utility_bills/water"))[0])
    cashier = await who.to(f"{order}/pay")
    stranger = await visitor(city)
    page = await stranger.get(cashier)
    assert "代订单所属部门收取" in page  # the bank knows an amount, not the bills
    assert "市公用事业服务中心" in await who.get(cashier)
    path = cashier.partition("?")[0]
    await stranger.get(f"{path}?token=wrong", 409)
    await stranger.post(path, 409, token="wrong", choice="paid")
    await stranger.post(path, 400, token="wrong", choice="everything")


async def test_a_bill_explains_itself(city: City) -> None:
    who = await citizen(city, "newborn_mother")
    gas = (await who.bills("utility_bills/gas"))[0].split("/")[2]
    page = await who.get(f"/shops/utility_bills/gas/bills/{gas}")
    assert re.search(r"[\d.]+ 立方米 × 2\.61 元", page)
    assert "依据" in page
    assert "违约金" in page
    assert "示例价格" in page  # the late fee's rate is no published figure
    assert "抄表日期" in page
    water = (await who.get("/shops/utility_bills/water?paid=true")).split("已缴账单")[1]
    bill = re.findall(r"/bills/(W[\w-]+)", water)[0]
    page = await who.get(f"/shops/utility_bills/water/bills/{bill}")
    assert "去年同期" in page
    assert "收据" in page or "已支付" in page
