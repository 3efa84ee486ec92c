"""The operations of refunds: a wish, what the desk sends, two people, a no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
from tests.city import City

if TYPE_CHECKING:
    from tests.api.tour import Tour


async def refunds(tour: Tour, city: City, me: httpx.AsyncClient, order: dict[str, Any]) -> None:
    """Of a fulfilled order of the citizen `me`."""
    operator = await city.operator()
    path = "/v1/orders/{order_id}/refunds"
    wish = {"no": 1, "amount_minor": 100, "reason": "wrong_charge", "words": "抄表有误"}
    key = {"idempotency-key": uuid4().hex}
    made = await tour.go(me, "POST", path, wish, order_id=order["id"], headers=key)
    await tour.go(me, "GET", path, order_id=order["id"])
    await city.settled()
    await tour.go(operator, "GET", "/v1/desk/refunds", query={"only_open": "true", "limit": 5})
    decide = "/v1/desk/refunds/{refund_id}/"
    await tour.go(operator, "POST", decide + "approve", refund_id=made["id"])
    give = {"order_id": order["id"], "no": 1, "amount_minor": 50, "reason": "other"}
    await tour.go(
        operator, "POST", "/v1/desk/refunds", give, headers={"idempotency-key": uuid4().hex}
    )
    again = await me.post(
        path.format(order_id=order["id"]),
        json={"no": 1, "amount_minor": 1},
        headers={"idempotency-key": uuid4().hex},
    )
    await tour.go(operator, "POST", decide + "decline", refund_id=again.json()["id"])
    await city.settled()
