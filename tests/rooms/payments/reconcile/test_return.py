"""Money that fits no order, on its way back: its ticket leads whoever must decide to the refund."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.city import City
from tests.rooms.console.steps import shown, signed_in, words
from tests.rooms.payments.steps import balanced, call_back, charge, paid_now, payer

from civicmall import payments
from civicmall.kernel import ids
from civicmall.payments import events, tickets

MUCH = payments.REFUND_ALONE_MINOR + 1


async def ticket(city: City, order_id: str, kind: str) -> dict[str, Any]:
    """The ticket of an order's money, as the API tells it now."""
    operator = await city.operator()
    answer = await operator.get("/v1/desk/tickets", params={"kind": kind, "limit": 100})
    (found,) = [one for one in answer.json()["items"] if one["order_id"] == order_id]
    return found


async def stray(city: City, amount_minor: int = MUCH) -> dict[str, Any]:
    """Money for an order that nobody knows: its ticket."""
    order_id = str(uuid4())
    told = paid_now({"id": order_id, "amount_minor": amount_minor})
    assert await call_back(city, told) == "unknown_order"
    await city.settled()
    found = await ticket(city, order_id, "unknown_order")
    assert (found["state"], found["refund_id"]) == ("open", None)
    return found


async def asked(city: City, found: dict[str, Any]) -> str:
    """Its return is asked for by the first operator; over the limit it waits."""
    operator = await city.operator()
    ask = {"order_id": found["order_id"], "channel": "sandbox", "txn": found["reference"]}
    answer = await operator.post("/v1/desk/mismatches/return", json=ask)
    assert (answer.status_code, answer.json()["state"]) == (200, "asked")
    await city.settled()
    return str(answer.json()["refund_id"])


async def test_the_second_operator_finds_it_at_the_ticket(city: City) -> None:
    home = f"/console/tickets/{(found := await stray(city))['id']}"
    async with signed_in(city, "operator") as first, signed_in(city, "reviewer") as second:
        back = await first.post(home + "/return")
        assert (back.status_code, back.headers["location"]) == (303, home + "?done=return")
        page = await shown(first, home)
        assert "待复核" in words(page)
        assert f'action="{home}/return"' not in page, "it is asked for already"
        own = await first.post(home + "/approve")
        assert (own.status_code, "需由另一位人员审批" in words(own.text)) == (403, True)
        early = await first.post(home + "/resolve", data={"note": "已退"})
        assert (early.status_code, "尚待复核" in words(early.text)) == (409, True)
        page = await shown(second, home)
        assert re.findall(rf'action="{home}/(\w+)"', page) == ["approve", "decline", "resolve"]
        done = await second.post(home + "/approve")
        assert (done.status_code, done.headers["location"]) == (303, home + "?done=approve")
        await city.settled()
        text = words(await shown(second, home))
        for said in ("已退款", "沈澄", "状态 已处理"):
            assert said in text, said
        late = await second.post(home + "/decline")
        assert late.status_code == 409
    assert (await ticket(city, found["order_id"], "unknown_order"))["state"] == "resolved"
    await balanced(city)


async def test_by_the_api_declined_and_asked_again(city: City) -> None:
    found = await stray(city)
    refund = await asked(city, found)
    assert (await ticket(city, found["order_id"], "unknown_order"))["refund_id"] == refund
    operator, reviewer = await city.operator(), await city.reviewer()
    path = f"/v1/desk/tickets/{found['id']}"
    early = await operator.post(path + "/resolve", json={"note": "sent"})
    assert (early.status_code, early.json()["type"]) == (409, "/problems/return-waits")
    assert early.json()["refund_id"] == refund
    await reviewer.post(f"/v1/desk/refunds/{refund}/decline")
    await city.settled()
    async with signed_in(city, "reviewer") as browser:
        page = await shown(browser, f"/console/tickets/{found['id']}")
        assert "/return" in page, "it lies here as before"
        assert "未通过" in words(page)
    again = await asked(city, found)
    assert again != refund
    assert (await reviewer.post(f"/v1/desk/refunds/{again}/approve")).status_code == 200
    await city.settled()
    settled = (await operator.get(path)).json()
    assert (settled["state"], settled["refund_id"], settled["note"]) == (
        "resolved", again, "returned",
    )  # fmt: skip
    await balanced(city)


@pytest.mark.parametrize("how", ["asked", "declined"])
async def test_a_ticket_that_was_settled_too_early_is_open_again(city: City, how: str) -> None:
    """Settled by hand, and then somebody must decide about its money again."""
    found = await stray(city)
    operator, reviewer = await city.operator(), await city.reviewer()
    if how == "declined":
        await asked(city, found)
        refund = (await operator.get(f"/v1/desk/tickets/{found['id']}")).json()["refund_id"]
        await city.house.db.execute(
            "update payments.ticket set state = 'resolved', resolved_at = now(), resolved_by = 'x'"
            " where id = $1", UUID(found["id"]),
        )  # fmt: skip
        await reviewer.post(f"/v1/desk/refunds/{refund}/decline")
        await city.settled()
    else:
        path = f"/v1/desk/tickets/{found['id']}/resolve"
        assert (await operator.post(path, json={"note": "cleared"})).status_code == 200
        await asked(city, found)
    after = await ticket(city, found["order_id"], "unknown_order")
    assert (after["state"], after["resolved_at"]) == ("open", None)
    assert after["refund_id"]


async def test_news_in_any_order_leads_to_the_newest_refund(city: City) -> None:
    found = await stray(city)
    first = await asked(city, found)
    reviewer = await city.reviewer()
    await reviewer.post(f"/v1/desk/refunds/{first}/decline")
    second = await asked(city, found)
    await tickets.link(city.house.db, "sandbox", found["reference"], UUID(first))
    assert (await ticket(city, found["order_id"], "unknown_order"))["refund_id"] == second
    # The ticket's own news may come after the return was asked for.
    await city.house.db.execute(
        "update payments.ticket set refund_id = null where id = $1", UUID(found["id"])
    )
    news = events.MoneyUnmatched(
        "sandbox", found["reference"], UUID(found["order_id"]), MUCH, "unknown_order"
    )
    await tickets.note(city.house, news)
    assert (await ticket(city, found["order_id"], "unknown_order"))["refund_id"] == second


async def test_what_the_channel_could_not_send_back_is_tried_again_at_its_ticket(
    city: City,
) -> None:
    someone = await payer(city)
    order = await someone.paid(charge(300), choice="refund_fails")
    await city.settled()
    assert await call_back(city, paid_now(order)) == "double"
    await city.settled()
    money = await ticket(city, order["id"], "double")
    trouble = await ticket(city, order["id"], "refund_failed")
    assert money["refund_id"] == trouble["refund_id"] is not None
    async with signed_in(city, "operator", "en") as browser:
        for one in (money, trouble):
            home = f"/console/tickets/{one['id']}"
            page = await shown(browser, home)
            assert "Try again" in words(page)
            assert f'action="{home}/decline"' not in page, "it is owed"
            assert 'href="/console/refunds">' not in page.split("</nav>")[-1], "it isn't there"
        done = await browser.post(home + "/approve")
        assert done.status_code == 303
    await city.settled()
    for kind in ("double", "refund_failed"):
        assert (await ticket(city, order["id"], kind))["state"] == "resolved"
    await balanced(city)


async def test_a_ticket_of_no_refund_has_nothing_to_decide(city: City) -> None:
    found = await stray(city, 5)
    async with signed_in(city, "operator") as browser:
        for form in ("approve", "decline"):
            answer = await browser.post(f"/console/tickets/{found['id']}/{form}")
            assert answer.status_code == 404
            assert (await browser.post(f"/console/tickets/{ids.new(0)}/{form}")).status_code == 404
            left = await browser.get(f"/console/tickets/{found['id']}/{form}")
            assert left.headers["location"] == f"/console/tickets/{found['id']}"
