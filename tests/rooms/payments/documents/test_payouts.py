"""Payouts: recorded once, posted, and never more than is owed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.city import City
from tests.rooms.payments.documents.steps import (
    BOOTH,
    KIOSK,
    at,
    back,
    desk_of,
    ledger_owes,
    of,
    paid,
    table,
    yesterday,
)

from civicmall.payments.documents import rules


async def pay_out(
    desk: httpx.AsyncClient, city: City, minor: int, shop: str, key: str = "", **more: Any
) -> httpx.Response:
    """For the month until yesterday."""
    today = city.house.clock.today()
    ask = {
        "shop": shop,
        "first_on": str(today - timedelta(days=20)),
        "last_on": str(today - timedelta(days=1)),
        "amount_minor": minor,
        "reference": "GH-2026-0001",
        **more,
    }
    headers = {"idempotency-key": key or uuid4().hex}
    return await desk.post("/v1/desk/payouts", json=ask, headers=headers)


async def owed_for_the_past(city: City, shop: str, minor: int) -> dict[str, Any]:
    """So much more is owed for days that are over; the order that it is of."""
    _, order = await paid(city, at(shop, minor))
    await yesterday(city)
    return order


async def left(city: City, shop: str) -> int:
    return await ledger_owes(city, shop)


async def test_a_payout_is_posted_once_and_stands_in_the_statement(city: City) -> None:
    operator, department = await desk_of(city, "operator"), await desk_of(city, KIOSK)
    await owed_for_the_past(city, KIOSK, 9_000)
    before = await left(city, KIOSK)
    first = await pay_out(operator, city, 4_000, KIOSK, "once")
    assert first.status_code == 201, first.text
    made = first.json()
    assert (made["account"], made["amount_minor"]) == (f"{KIOSK}.account", 4_000)
    assert (await pay_out(operator, city, 4_000, KIOSK, "once")).json() == made
    reused = await pay_out(operator, city, 4_001, KIOSK, "once")
    assert reused.json()["type"] == "/problems/idempotency-key-reused"
    assert await left(city, KIOSK) == before - 4_000
    posted = await city.house.db.fetch(
        "select bucket, accounts, amounts from payments.posting where kind = 'payout'"
        " and order_id = $1::text::uuid",
        made["id"],
    )
    bucket = rules.bucket_of(f"{KIOSK}.account")
    payable = [f"payable:{KIOSK}.account", "bank"]
    assert [tuple(row) for row in posted] == [(bucket, payable, [4_000, -4_000])]
    said = await of(department, city)
    assert said["paid_out_minor"] == 4_000
    assert said["closing_minor"] == said["opening_minor"] + said["net_minor"] - 4_000
    rows = await table(department, city)
    assert [row[8:] for row in rows if row[1] == "payout"] == [["GH-2026-0001", "-40.00", "-4000"]]
    listed = (await department.get("/v1/desk/payouts")).json()["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    ledger = (await operator.get("/v1/desk/ledger")).json()
    assert ledger["sum_minor"] == 0


async def test_no_more_than_is_owed_for_days_that_are_over(city: City) -> None:
    operator = await desk_of(city, "operator")
    past = await owed_for_the_past(city, BOOTH, 500)
    _, order = await paid(city, at(BOOTH, 10_000))  # today's: not owed yet
    before = await left(city, BOOTH)
    over = await pay_out(operator, city, before - 10_000 + 1, BOOTH)
    assert (over.status_code, over.json()["type"]) == (409, "/problems/more-than-owed")
    assert over.json()["left_minor"] == before - 10_000
    today = str(city.house.clock.today())
    early = await pay_out(operator, city, 1, BOOTH, last_on=today)
    assert (early.status_code, early.json()["type"]) == (409, "/problems/period-not-over")
    assert await left(city, BOOTH) == before
    # What goes back today of what was paid yesterday lessens what may be paid out for yesterday.
    assert (await back(city, order)).status_code == 201
    assert (await back(city, past, minor=200)).status_code == 201
    much = await pay_out(operator, city, before - 10_000, BOOTH)
    assert much.json()["left_minor"] == before - 10_200
    rest = await pay_out(operator, city, before - 10_200, BOOTH)
    assert rest.status_code == 201, rest.text
    assert await left(city, BOOTH) == 0
    again = await pay_out(operator, city, 1, BOOTH)
    assert again.json()["left_minor"] == 0


@pytest.mark.parametrize("parts", [(700,) * 6, (1_000,) * 12, (999, 2, 1_000, 500, 501, 3)])
async def test_payouts_at_once_never_pass_what_is_owed(city: City, parts: tuple[int, ...]) -> None:
    operator = await desk_of(city, "operator")
    if rest := await left(city, BOOTH):
        await yesterday(city)
        assert (await pay_out(operator, city, rest, BOOTH)).status_code == 201
    await owed_for_the_past(city, BOOTH, 2_000)
    answers = await asyncio.gather(*(pay_out(operator, city, part, BOOTH) for part in parts))
    went = [answer.json()["amount_minor"] for answer in answers if answer.status_code == 201]
    assert {a.json()["type"] for a in answers if a.status_code != 201} <= {
        "/problems/more-than-owed", "/problems/unavailable",
    }  # fmt: skip
    assert went
    assert sum(went) <= 2_000
    assert await left(city, BOOTH) == 2_000 - sum(went)
    total = await city.house.db.fetchval(
        "select t.paid_minor = (select sum(amount_minor) from payments.payout where account = $1)"
        " from payments.payout_total t where account = $1",
        f"{BOOTH}.account",
    )
    assert total is True


async def test_who_may_and_what_is_refused(city: City) -> None:
    operator, department = await desk_of(city, "operator"), await desk_of(city, KIOSK)
    citizen = (await paid(city, at(KIOSK, 1)))[0].http
    assert (await pay_out(department, city, 1, KIOSK)).status_code == 403
    assert (await pay_out(citizen, city, 1, KIOSK)).status_code == 403
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"amount_minor": 0}, "bad-request"),
        ({"amount_minor": -5}, "bad-request"),
        ({"reference": "a\nb"}, "bad-request"),
        ({"shop": "no_such"}, "no-such-shop"),
        ({"account": "somebody.else"}, "no-such-settlement-account"),
        ({"first_on": "2026-01-01", "last_on": "2025-01-01"}, "bad-period"),
        ({"extra": 1}, "bad-request"),
    )
    for more, kind in refused:
        shop = more.pop("shop", KIOSK)
        answer = await pay_out(operator, city, 1, shop, **more)
        assert answer.json()["type"] == f"/problems/{kind}", answer.text
    bare = await operator.post("/v1/desk/payouts", json={})
    assert bare.status_code == 400


async def test_a_run_that_was_cut_off_after_writing_is_not_done_again(city: City) -> None:
    """The key's lease is over and its answer was never kept: the same payout, found."""
    operator = await desk_of(city, "operator")
    await owed_for_the_past(city, KIOSK, 5_000)
    before = await left(city, KIOSK)
    made = (await pay_out(operator, city, 100, KIOSK, "cut")).json()
    await city.house.db.execute(
        "update kernel.idempotency set answer = null, locked_until = now() - interval '1 second'"
        " where scope = 'payouts' and key = 'cut'"
    )
    assert (await pay_out(operator, city, 100, KIOSK, "cut")).json() == made
    assert await left(city, KIOSK) == before - 100
