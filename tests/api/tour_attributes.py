"""The part of the tour about what is known of a citizen, taking it along, and leaving."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from tests.city import City

from civicmall import identity
from shopkit.contract import Attestation

LEAVER = "19800001234"


async def attributes(t: Any, city: City, c: httpx.AsyncClient) -> None:
    """Facts and events of a citizen; somebody else leaves."""
    me = UUID((await c.get("/v1/me")).json()["id"])
    today = city.house.clock.today()
    said = Attestation("has_housing_fund", value=True, as_of=today - timedelta(days=3))
    await identity.attributes.service.attest(
        city.house, me, "housing_fund", said, {"has_housing_fund"}
    )
    await t.go(c, "GET", "/v1/me/facts")
    one = {"name": "has_housing_fund"}
    await t.go(c, "PUT", "/v1/me/facts/{name}/recommendation", {"recommend": False}, **one)
    wrong = {"source": "housing_fund", "words": "我没有缴存公积金"}
    await t.go(c, "PUT", "/v1/me/facts/{name}/objection", wrong, **one)
    await city.settled()
    desk = await city.department("housing_fund")
    listed = await t.go(desk, "GET", "/v1/desk/disputes")
    dispute = {"dispute": listed["items"][0]["id"]}
    why = {"reason": "complaint", "words": "核对公积金记录"}
    await t.go(desk, "POST", "/v1/desk/disputes/{dispute}/opening", why, **dispute)
    await t.go(desk, "GET", "/v1/desk/disputes/{dispute}", **dispute)
    kept = {"verdict": "kept", "text": "单位为您开户缴存，记录无误。"}
    await t.go(desk, "POST", "/v1/desk/disputes/{dispute}/answer", kept, **dispute)
    await t.go(c, "GET", "/v1/me/facts/objections")
    await t.go(c, "PUT", "/v1/me/facts/{name}/objection", wrong, **one)
    back = {"source": "housing_fund"}
    await t.go(c, "DELETE", "/v1/me/facts/{name}/objection", query=back, **one)
    moved = {"kind": "moved", "on": (today - timedelta(days=9)).isoformat()}
    key = {"idempotency-key": "tour-moved"}
    event = await t.go(c, "POST", "/v1/me/events", moved, headers=key)
    await t.go(c, "GET", "/v1/me/events")
    mine = {"event": event["id"]}
    await t.go(c, "PUT", "/v1/me/events/{event}", {**moved, "kind": "bought_home"}, **mine)
    await t.go(c, "DELETE", "/v1/me/events/{event}", **mine)
    await t.go(c, "GET", "/v1/me/export")
    await t.go(c, "GET", "/v1/me/deletion")

    leaver = await city.by_phone(LEAVER)
    await t.go(leaver, "POST", "/v1/me/deletion/code")
    sent = (await (await city.anonymous()).get("/v1/sandbox/messages")).json()["items"]
    text = next(m["text"] for m in sent if m["to"] == LEAVER)
    code = "".join(filter(str.isdigit, text))
    await t.go(leaver, "POST", "/v1/me/deletion", {"code": code})
