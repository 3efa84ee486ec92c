"""A shop that can never take a payment: the money goes back, line by line, and the citizen hears."""

from __future__ import annotations

import asyncio

import pytest
from tests.city import City
from tests.rooms.payments.steps import (
    KIOSK,
    Kiosk,
    balanced,
    charge,
    owner_sql,
    payer,
    postings,
)

from civicmall.kernel import outbox

PAYABLE = f"payable:{KIOSK}.account"


async def _tried(city: City) -> None:
    """Until every event was handled or failed at least once."""
    async with asyncio.timeout(10):
        while await city.house.db.fetchval(
            "select exists (select from kernel.outbox where error is null)"
        ):
            city.parts.drain.hint()
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", ["refuse", "gone"])
async def test_a_refused_payment_goes_back(city: City, kiosk: Kiosk, kind: str) -> None:
    someone, wanted = await payer(city), charge(800, kind)
    made = await someone.paid(wanted)
    await city.settled()
    done = await someone.state(made)
    assert (done["state"], done["refunded_minor"]) == ("refunded", 800)
    assert done["lines"][0]["state"] == "refunded"
    assert await postings(city, made) == [
        ("payment", ["channel:sandbox", PAYABLE], [800, -800]),
        ("refund", [PAYABLE, "channel:sandbox"], [800, -800]),
    ]
    assert await someone.inbox(made) == ["payments.refunded"]
    receipt = await someone.http.get(f"/v1/orders/{made['id']}/receipt")
    assert receipt.json()["type"] == "/problems/no-receipt"
    assert kiosk.told(f"{made['id']}.1") == 0
    bank = await city.house.db.fetchval(
        "select returned_minor from payments.sandbox_payment where order_id = $1::text::uuid",
        made["id"],
    )
    assert bank == 800
    assert (await someone.order(wanted))["id"] != made["id"], "the charge is free again"
    await balanced(city)


async def test_one_line_of_three_goes_back(city: City) -> None:
    someone = await payer(city)
    made = await someone.paid(charge(10), charge(20, "refuse"), charge(30))
    await city.settled()
    done = await someone.state(made)
    assert (done["state"], done["refunded_minor"]) == ("part_refunded", 20)
    assert sorted(line["state"] for line in done["lines"]) == ["fulfilled", "fulfilled", "refunded"]
    receipt = (await someone.http.get(f"/v1/orders/{made['id']}/receipt")).json()
    assert receipt["amount_minor"] == sum(line["amount_minor"] for line in receipt["lines"]) == 40


async def test_every_line_refused_is_all_of_it(city: City) -> None:
    someone = await payer(city)
    made = await someone.paid(charge(10, "refuse"), charge(20, "gone"))
    await city.settled()
    done = await someone.state(made)
    assert (done["state"], done["refunded_minor"]) == ("refunded", 30)
    assert len(await postings(city, made)) == 3


async def test_a_shop_that_is_away_holds_up_nobody_and_is_told_later(
    city: City, kiosk: Kiosk
) -> None:
    """One line waits for its shop, one is refused, one is fine: each for itself."""
    kiosk.open_doors(open_=False)
    someone = await payer(city)
    made = await someone.paid(charge(10, "away"), charge(20, "refuse"), charge(30))
    await _tried(city)
    half = await someone.state(made)
    assert half["state"] == "refunding"
    assert sorted(line["state"] for line in half["lines"]) == ["fulfilled", "refunded", "waiting"]
    counts = await outbox.counts(city.house.db)
    assert (counts.waiting, counts.dead) == (1, 0)

    kiosk.open_doors(open_=True)
    await city.house.db.execute("update kernel.outbox set next_at = now()")
    await city.settled()
    done = await someone.state(made)
    assert (done["state"], done["refunded_minor"]) == ("part_refunded", 20)
    assert sorted(line["state"] for line in done["lines"]) == ["fulfilled", "fulfilled", "refunded"]
    await balanced(city)


async def test_a_shop_that_hangs_keeps_nobody_elses_news_waiting(city: City) -> None:
    stuck, other = await payer(city), await payer(city)
    held = await stuck.paid(charge(10, "hang"))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(1):  # the shop's own limit is three seconds
        for _ in range(3):
            made = await other.paid()
            while (await other.state(made))["state"] != "fulfilled":
                await asyncio.sleep(0.01)
    assert (await stuck.state(held))["state"] == "paid"
    await _tried(city)
    await owner_sql(city, "delete from kernel.outbox")


async def test_desks_see_their_own_money(city: City) -> None:
    someone = await payer(city)
    made = await someone.paid(charge(111), charge(222, "refuse"))
    await city.settled()
    operator, department = await city.operator(), await city.department("utility_bills")
    rows = (await operator.get("/v1/desk/payments", params={"limit": 100})).json()["items"]
    mine = [row for row in rows if row["order_id"] == made["id"]]
    assert sorted((row["amount_minor"], row["state"]) for row in mine) == [
        (111, "fulfilled"),
        (222, "refunded"),
    ]
    assert {row["shop"] for row in mine} == {KIOSK}
    assert "citizen" not in str(mine)
    totals = (await operator.get("/v1/desk/totals")).json()["items"]
    kiosk = next(total for total in totals if total["shop"] == KIOSK)
    assert kiosk["amount_minor"] >= 333
    assert kiosk["refunded_minor"] >= 222
    theirs = (await department.get("/v1/desk/payments", params={"limit": 100})).json()["items"]
    assert not [row for row in theirs if row["shop"] != "utility_bills"]
    for path in ("ledger", "tickets"):
        assert (await department.get(f"/v1/desk/{path}")).status_code == 403


async def test_the_desks_list_pages_without_gaps(city: City) -> None:
    someone = await payer(city)
    for _ in range(3):
        await someone.paid(charge(), charge())
    await city.settled()
    operator = await city.operator()
    whole = (await operator.get("/v1/desk/payments", params={"limit": 100})).json()
    seen: list[dict[str, object]] = []
    after: dict[str, str] = {}
    while True:
        page = (await operator.get("/v1/desk/payments", params={"limit": "2", **after})).json()
        seen += page["items"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == whole["items"]
