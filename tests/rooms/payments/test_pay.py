"""From the order to the receipt, and every other way in which it can go."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

from tests.city import City
from tests.rooms.payments.steps import (
    KIOSK,
    Kiosk,
    balanced,
    charge,
    let_expire,
    owner_sql,
    payer,
    postings,
)

from civicmall.kernel import ids
from civicmall.payments import look_after


async def test_from_the_order_to_the_receipt(city: City, kiosk: Kiosk) -> None:
    someone = await payer(city)
    made = await someone.order(charge(700))
    assert (made["state"], made["amount_minor"]) == ("created", 700)
    cashier = (await someone.pay(made)).json()
    assert cashier["url"].startswith(city.url)
    assert (await someone.state(made))["state"] == "paying"
    assert (await someone.choose(cashier)).json()["state"] == "paid"
    await city.settled()

    done = await someone.state(made)
    assert (done["state"], done["lines"][0]["state"]) == ("fulfilled", "fulfilled")
    receipt = (await someone.http.get(f"/v1/orders/{made['id']}/receipt")).json()
    assert receipt["amount_minor"] == 700
    assert receipt["lines"][0]["number"] == f"K{made['id']}.1"
    assert kiosk.told(f"{made['id']}.1") == 1
    accounts = ["channel:sandbox", f"payable:{KIOSK}.account"]
    assert await postings(city, made) == [("payment", accounts, [700, -700])]
    assert await someone.inbox(made) == ["payments.paid"]
    await balanced(city)


async def test_one_order_pays_several_shops_lines_at_once(city: City) -> None:
    someone = await payer(city)
    made = await someone.paid(charge(100), charge(250), charge(9))
    await city.settled()
    done = await someone.state(made)
    assert done["state"] == "fulfilled"
    kind, accounts, amounts = (await postings(city, made))[0]
    assert (kind, len(accounts)) == ("payment", 4)
    assert sorted(amounts) == [-250, -100, -9, 359]


async def test_a_real_bill_of_a_real_shop(city: City) -> None:
    client = await city.citizen("newlywed_wife")
    path = "/v1/shops/utility_bills/apps/water/bills"
    before = (await client.get(path)).json()["items"]
    ask = {"charges": [{"shop": "utility_bills", "app": "water", "charge_id": before[0]["id"]}]}
    made = (await client.post("/v1/orders", json=ask, headers={"idempotency-key": "w"})).json()
    assert made["amount_minor"] == before[0]["amount_minor"]
    cashier = (await client.post(f"/v1/orders/{made['id']}/pay", json={})).json()
    await client.post(f"/v1/sandbox/cashier/{made['id']}", json={"token": cashier["token"]})
    await city.settled()
    assert (await client.get(f"/v1/orders/{made['id']}")).json()["state"] == "fulfilled"
    after = (await client.get(path)).json()["items"]
    assert [bill["id"] for bill in after] == [bill["id"] for bill in before[1:]]
    paid_again = await client.post("/v1/orders", json=ask, headers={"idempotency-key": "w2"})
    assert paid_again.json()["type"] in {"/problems/charge-in-order", "/problems/shop-refused"}


async def test_asking_for_the_cashier_again_gives_the_same_one(city: City) -> None:
    someone = await payer(city)
    made = await someone.order()
    first, second = [(await someone.pay(made)).json() for _ in range(2)]
    assert first == second


async def test_a_declined_payment_can_be_tried_again(city: City) -> None:
    someone = await payer(city)
    made = await someone.paid(choice="declined")
    assert (await someone.state(made))["state"] == "paying"
    cashier = (await someone.pay(made)).json()
    assert (await someone.choose(cashier)).json()["state"] == "paid"
    await city.settled()
    assert (await someone.state(made))["state"] == "fulfilled"
    assert len(await postings(city, made)) == 1


async def test_a_bank_that_calls_twice_is_heard_once(city: City, kiosk: Kiosk) -> None:
    someone = await payer(city)
    made = await someone.paid(choice="twice")
    await city.settled()
    assert (await someone.state(made))["state"] == "fulfilled"
    assert len(await postings(city, made)) == 1
    assert kiosk.told(f"{made['id']}.1") == 1


async def test_a_missing_callback_is_found_by_asking(city: City) -> None:
    someone = await payer(city)
    made = await someone.paid(choice="no_callback")
    await city.settled()
    assert (await someone.state(made))["state"] == "paying"
    await look_after(city.house, city.parts.channels)
    assert (await someone.state(made))["state"] == "paying", "it is not asked about at once"
    order_id = UUID(made["id"])
    await owner_sql(
        city,
        "update payments.orders set ask_at = now() where bucket = $1 and id = $2",
        *(ids.bucket_of(order_id), order_id),
    )
    await look_after(city.house, city.parts.channels)
    await city.settled()
    assert (await someone.state(made))["state"] == "fulfilled"
    assert len(await postings(city, made)) == 1


async def test_an_order_whose_time_is_over_frees_its_charge(city: City) -> None:
    someone = await payer(city)
    wanted = charge()
    made = await someone.order(wanted)
    cashier = (await someone.pay(made)).json()
    await let_expire(city, made)
    late = await someone.pay(made)
    assert (late.status_code, late.json()["state"]) == (409, "expired")
    await look_after(city.house, city.parts.channels)
    assert (await someone.state(made))["state"] == "closed"
    closed = await someone.choose(cashier)
    assert closed.json()["type"] == "/problems/cashier-closed"
    again = await someone.order(wanted)
    assert again["id"] != made["id"]


async def test_an_order_lives_no_longer_than_its_quote(city: City) -> None:
    someone = await payer(city)
    made = await someone.order(charge(kind="brief"), charge())
    await asyncio.sleep(0.5)
    late = await someone.pay(made)
    assert (late.status_code, late.json()["state"]) == (409, "expired")


async def test_cancelling_frees_the_charge_and_closes_the_cashier(city: City) -> None:
    someone = await payer(city)
    wanted = charge()
    made = await someone.order(wanted)
    cashier = (await someone.pay(made)).json()
    for _ in range(2):
        assert (await someone.cancel(made)).json()["state"] == "closed"
    assert (await someone.choose(cashier)).json()["type"] == "/problems/cashier-closed"
    assert (await someone.pay(made)).json()["type"] == "/problems/order-not-payable"
    assert (await someone.order(wanted))["id"] != made["id"]


async def test_what_was_paid_can_not_be_cancelled(city: City) -> None:
    someone = await payer(city)
    made = await someone.paid(choice="no_callback")
    early = await someone.cancel(made)
    assert (early.status_code, early.json()["type"]) == (409, "/problems/order-not-cancellable")
    done = await someone.paid()
    await city.settled()
    late = await someone.cancel(done)
    assert (late.status_code, late.json()["state"]) == (409, "fulfilled")


async def test_there_is_no_receipt_before_there_is_one(city: City) -> None:
    someone = await payer(city)
    made = await someone.order()
    answer = await someone.http.get(f"/v1/orders/{made['id']}/receipt")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/no-receipt")


async def test_the_cashier_opens_with_its_own_token_only(city: City) -> None:
    someone = await payer(city)
    made, other = await someone.order(), await someone.order()
    cashier, foreign = (await someone.pay(made)).json(), (await someone.pay(other)).json()
    for token in ("", "0" * 32, foreign["token"], "é"):
        answer = await someone.choose({**cashier, "token": token}, token=token)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/cashier-closed")
    unopened = await someone.order()
    answer = await someone.http.post(
        f"/v1/sandbox/cashier/{unopened['id']}", json={"token": cashier["token"]}
    )
    assert answer.status_code == 409


async def test_the_list_pages_from_newest_to_oldest(city: City) -> None:
    someone = await payer(city)
    made = [(await someone.order())["id"] for _ in range(5)][::-1]
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = (await someone.http.get("/v1/orders", params={"limit": "2", **after})).json()
        seen += [order["id"] for order in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == made


async def test_an_order_is_nobody_elses(city: City) -> None:
    someone, other = await payer(city), await payer(city)
    made = await someone.paid()
    await city.settled()
    unknown = ids.new(ids.bucket_of(other.id))
    for order_id in (made["id"], str(unknown), str(uuid4())):
        path = f"/v1/orders/{order_id}"
        answers = [
            await other.http.get(path),
            await other.http.get(f"{path}/receipt"),
            await other.http.post(f"{path}/pay", json={}),
            await other.http.post(f"{path}/cancel"),
        ]
        for answer in answers:
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-such-order")
    assert (await other.http.get("/v1/orders")).json()["items"] == []
