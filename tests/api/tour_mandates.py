"""The part of the tour in which a citizen lets bills be debited, and thinks better of it."""

from __future__ import annotations

from typing import Any

import httpx
from tests.city import City

HEATING = {"shop": "utility_bills", "app": "heating"}


async def mandates(t: Any, city: City, c: httpx.AsyncClient) -> None:
    """From allowing to revoking; what operators see of it."""
    await c.put("/v1/me/consents/utility_bills/heating", json={"claims": ["id_number"]})
    ask = {**HEATING, "cap_minor": 2000_00, "month_cap_minor": 4000_00, "ends_on": "2030-03-15"}
    made = await t.go(c, "POST", "/v1/mandates", ask, headers={"idempotency-key": "tour-mandate"})
    url: str = made["confirm_url"]
    token = url.partition("token=")[2]
    mine = {"mandate_id": made["id"]}
    choice = {"token": token, "choice": "sign"}
    await t.go(c, "POST", "/v1/sandbox/agreements/{mandate_id}", choice, **mine)
    await t.go(c, "GET", "/v1/mandates/{mandate_id}", **mine)
    await t.go(c, "POST", "/v1/mandates/{mandate_id}/pause", **mine)
    await t.go(c, "POST", "/v1/mandates/{mandate_id}/resume", **mine)
    await t.go(c, "GET", "/v1/mandates")
    await t.go(await city.operator(), "GET", "/v1/desk/mandates")
    await t.go(c, "POST", "/v1/mandates/{mandate_id}/revoke", **mine)
