"""The part of the tour that fills in forms: applying, appointments, sums, look-ups."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import httpx
from tests.api.tour_staff import opened_case
from tests.city import City

APP: Final = "/v1/shops/{shop}/apps/{app}"
PNG: Final = b"\x89PNG\r\n\x1a\n" + b"picture " * 20
PDF: Final = b"%PDF-1.7\n" + b"page " * 20


async def forms(t: Any, city: City, c: httpx.AsyncClient) -> None:
    """Each capability that has a form, once."""
    for shop in (await c.get("/v1/shops")).json()["items"]:
        for one in shop["apps"]:
            if one["claims"]:
                path = f"/v1/me/consents/{shop['id']}/{one['id']}"
                await c.put(path, json={"claims": list(one["claims"])})
    manifests = {e.id: e.manifest for e in city.parts.registry.all() if e.manifest}
    fund = manifests["housing_fund"]
    for app, door, field in (("loan_calculator", "calculation", "calculate"),
                             ("account", "enquiry", "enquire")):  # fmt: skip
        form = getattr(fund.app(app).forms, field)
        values = {name: form.properties[name].example for name in form.required}
        at = {"shop": "housing_fund", "app": app}
        await t.go(c, "POST", f"{APP}/{door}", {"values": values}, **at)
    await _visit(t, c)
    await _apply(t, city, c)


async def _visit(t: Any, c: httpx.AsyncClient) -> None:
    at = {"shop": "public_security", "app": "household_booking"}
    found = await t.go(c, "GET", f"{APP}/slots", **at)
    slot = next(slot for slot in found["slots"] if slot["left"])
    ask = {"slot": slot["id"], "matter": found["matters"][0]["id"]}
    key = {"idempotency-key": "tour-visit"}
    made = await t.go(c, "POST", f"{APP}/bookings", ask, headers=key, **at)
    await t.go(c, "GET", f"{APP}/bookings", **at)
    await t.go(c, "DELETE", f"{APP}/bookings/{{booking}}", booking=made["id"], **at)


async def _apply(t: Any, city: City, c: httpx.AsyncClient) -> None:
    at = {"shop": "medical_insurance", "app": "enrolment"}
    form = await t.go(c, "GET", f"{APP}/form", query={"variant": "newborn"}, **at)
    papers = [await _paper(t, c, one) for one in form["materials"] if one["required"]]
    today = city.house.clock.today()
    values = {
        "year": today.year, "category": "newborn", "birth_certificate": "T110000001",
        "birth_date": (today - timedelta(days=1)).isoformat(), "registered": "local",
    }  # fmt: skip
    ask = {**at, "variant": "newborn", "form": values, "materials": papers}
    case = await t.go(c, "POST", "/v1/cases", ask, headers={"idempotency-key": "tour-case"})
    assert case["state"] == "running", case
    await t.go(c, "GET", "/v1/cases")
    await t.go(c, "GET", "/v1/cases/{case}", case=case["id"])
    matter = {"matter": case["reference"], **at}
    await t.go(c, "GET", f"{APP}/progress/{{matter}}", **matter)
    async with city.house.db.acquire() as db:  # the clerk would ask in some days
        await db.execute(
            "update cases.case set state = 'waiting_for_citizen', next_at = $2 where id = $1",
            UUID(case["id"]), city.house.clock.now() + timedelta(days=1),
        )  # fmt: skip
    more: dict[str, Any] = {"form": {}, "materials": [await _paper(t, c, form["materials"][0])]}
    key = {"idempotency-key": "tour-supplement"}
    await t.go(c, "POST", "/v1/cases/{case}/supplements", more, headers=key, case=case["id"])
    await opened_case(t, city, case, papers[0]["id"])
    await t.go(c, "POST", "/v1/cases/{case}/withdrawal", case=case["id"])


async def _paper(t: Any, c: httpx.AsyncClient, material: dict[str, Any]) -> dict[str, str]:
    """A file for one material of a form."""
    media = material["media"][0]
    body = {"application/pdf": PDF, "image/png": PNG}.get(media, b"\xff\xd8\xff" + b"picture " * 20)
    headers = {"content-type": media, "idempotency-key": f"tour-{len(t.seen)}-{material['code']}"}
    answer = await c.post("/v1/cases/materials", content=body, headers=headers)
    assert answer.is_success, answer.text
    t.seen["POST /v1/cases/materials"] = {"response": answer.json()}
    return {"code": material["code"], "id": answer.json()["id"]}
