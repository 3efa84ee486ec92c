"""The part of the tour that is about papers: receipts, their verification, statements, payouts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from tests.city import City
from tests.rooms.payments.documents.steps import yesterday

from civicmall.payments.documents import codes

SHOP, APP = "utility_bills", "water"


async def documents(t: Any, city: City, citizen: httpx.AsyncClient) -> None:
    """One more bill is paid, as if yesterday, and its department gets its money."""
    bills = (await citizen.get(f"/v1/shops/{SHOP}/apps/{APP}/bills")).json()["items"]
    charge = {"shop": SHOP, "app": APP, "charge_id": bills[0]["id"]}
    key = {"idempotency-key": "tour-paper"}
    order = (await citizen.post("/v1/orders", json={"charges": [charge]}, headers=key)).json()
    cashier = (await citizen.post(f"/v1/orders/{order['id']}/pay", json={})).json()
    chosen = {"token": cashier["token"], "choice": "paid"}
    await citizen.post(f"/v1/sandbox/cashier/{order['id']}", json=chosen)
    await city.settled()
    await t.go(citizen, "GET", "/v1/orders/{order_id}/receipt.pdf", order_id=order["id"])
    code = codes.grouped(codes.code(city.house.keys, UUID(order["id"])))
    nobody = await city.anonymous()
    await t.go(nobody, "GET", "/v1/receipts/verify", query={"code": code})

    await yesterday(city)
    last = city.house.clock.today() - timedelta(days=1)
    days = {"from": str(last - timedelta(days=20)), "to": str(last)}
    operator, department = await city.operator(), await city.department(SHOP)
    sums = await t.go(department, "GET", "/v1/desk/settlement", query=days)
    for ending in ("csv", "pdf"):
        await t.go(department, "GET", f"/v1/desk/settlement.{ending}", query=days)
    ask = {"shop": SHOP, "first_on": days["from"], "last_on": days["to"], "amount_minor": sums["closing_minor"],
           "reference": "GH-2026-0007"}  # fmt: skip
    await t.go(operator, "POST", "/v1/desk/payouts", ask, headers=key)
    await t.go(department, "GET", "/v1/desk/payouts")
