"""The part of the tour in which a citizen sees who looked, and takes back what was agreed to."""

from __future__ import annotations

from typing import Any

import httpx
from tests.city import City

WATER = {"shop": "utility_bills", "app": "water"}


async def audit(t: Any, city: City, c: httpx.AsyncClient) -> None:
    """What was agreed to once, the whole audit, claims and clients taken back; the auditor's export."""
    await t.go(c, "DELETE", "/v1/me/consents/{shop}/{app}/{claim}", claim="id_number", **WATER)
    await t.go(c, "GET", "/v1/me/consents/past")
    await c.put("/v1/me/consents/utility_bills/water", json={"claims": ["id_number"]})
    client = {"client_id": "partner-bank"}
    await t.go(c, "DELETE", "/v1/me/client-consents/{client_id}/{claim}", claim="name", **client)
    await t.go(c, "DELETE", "/v1/me/client-consents/{client_id}", **client)
    await t.go(c, "GET", "/v1/me/audit")
    today = city.house.clock.today().isoformat()
    params = {"first": today, "last": today}
    operator = await city.operator()
    await t.go(operator, "GET", "/v1/desk/audit/export", query=params)
    await _objection(t, city, c, operator)


async def _objection(t: Any, city: City, c: httpx.AsyncClient, operator: httpx.AsyncClient) -> None:
    """A reading that the citizen doesn't agree with, and the answer."""
    looks = (await c.get("/v1/me/accesses")).json()["items"]
    look = next(one for one in looks if not one["reader"].startswith("staff:"))
    path = "/v1/me/accesses/{line}/objection"
    await t.go(c, "POST", path, {"words": "这次查询我不知情"}, line=look["seq"], headers={"idempotency-key": "objection"})  # fmt: skip
    await t.go(c, "GET", "/v1/me/reading-objections")
    await city.settled()
    waiting = await t.go(operator, "GET", "/v1/desk/reading-objections")
    path = "/v1/desk/reading-objections/{objection}/answer"
    one = waiting["items"][-1]["id"]
    await t.go(operator, "POST", path, {"text": "经核查，是您委托的缴费查询。"}, objection=one)
