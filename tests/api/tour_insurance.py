"""The operations of a payment that the medical insurance shares."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import msgspec
from tests.city import City

if TYPE_CHECKING:
    from tests.api.tour import Tour

WATER = {"shop": "utility_bills", "app": "water"}


async def insurance(tour: Tour, city: City, me: httpx.AsyncClient) -> None:
    """Of a water bill, which this city takes for insured: contributions are owed in some months
    only. The order is given up in the end.
    """
    settings = city.house.settings
    kept = settings.medical_fees
    msgspec.structs.force_setattr(settings, "medical_fees", "utility_bills/water.tariff")
    try:
        await _insurance(tour, me)
    finally:
        msgspec.structs.force_setattr(settings, "medical_fees", kept)


async def _insurance(tour: Tour, me: httpx.AsyncClient) -> None:
    await me.put("/v1/me/consents/utility_bills/water", json={"claims": ["id_number"]})
    bills = (await me.get("/v1/shops/utility_bills/apps/water/bills")).json()["items"]
    made = (
        await me.post(
            "/v1/orders",
            json={"charges": [{**WATER, "charge_id": bills[0]["id"]}]},
            headers={"idempotency-key": uuid4().hex},
        )
    ).json()
    order = {"order_id": made["id"]}
    mood = {"fault": "refund_later", "times": 1, "account_minor": 150}
    await tour.go(me, "POST", "/v1/sandbox/insurer/{order_id}", mood, **order)
    pay = await me.post(f"/v1/orders/{made['id']}/pay", json={"channel": "medical_insurance"})
    assert pay.is_success, pay.text
    path = "/v1/orders/{order_id}/insurance"
    await tour.go(me, "GET", path, **order)
    seen = await tour.go(me, "POST", path, {"channel": "sandbox"}, **order)
    assert seen["state"] == "deducted"
    assert (await me.post(f"/v1/orders/{made['id']}/cancel")).is_success
