"""Mandates over HTTP: made, looked at, paused, revoked; and what is refused."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest_asyncio
from tests.city import City, running_city
from tests.rooms.payments.mandates.world import METERS

from civicmall.kernel.config import Settings
from civicmall.payments import mandates
from civicmall.payments.mandates import Means, rules
from civicmall.shops import Registry

WATER = {"shop": "utility_bills", "app": "water", "cap_minor": 500_00, "month_cap_minor": 800_00}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, meters_registry: Registry) -> AsyncGenerator[City]:
    """A running city with the meters in it."""
    async with running_city(settings, meters_registry) as found:
        yield found


def by_day(_: Any) -> bool:
    """It is never night."""
    return True


async def make(client: httpx.AsyncClient, key: str = "", **more: Any) -> httpx.Response:
    headers = {"idempotency-key": key or uuid4().hex}
    return await client.post("/v1/mandates", json={**WATER, **more}, headers=headers)


async def made(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await make(client, **more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def sign(client: httpx.AsyncClient, mandate: dict[str, Any], choice: str = "sign") -> None:
    url: str = mandate["confirm_url"]
    token = url.partition("token=")[2]
    path = f"/v1/sandbox/agreements/{mandate['id']}"
    answer = await client.post(path, json={"token": token, "choice": choice})
    assert answer.status_code == 200, answer.text


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_made_confirmed_paused_resumed_revoked(city: City) -> None:
    who = await city.citizen("newborn_mother")
    key = uuid4().hex
    first = await make(who, key)
    assert first.status_code == 201
    assert (await make(who, key)).json()["id"] == first.json()["id"]
    assert problem(await make(who, key, cap_minor=1)) == (422, "idempotency-key-reused")
    mandate = first.json()
    assert mandate["state"] == "waiting"
    at = f"/v1/mandates/{mandate['id']}"
    assert problem(await who.post(f"{at}/pause")) == (409, "mandate-moved-on")
    again = await make(who)
    assert problem(again) == (409, "mandate-exists")
    assert again.json()["mandate_id"] == mandate["id"]
    await sign(who, mandate)
    found = (await who.get(at)).json()
    assert found["mandate"]["state"] == "active"
    assert found["mandate"]["confirm_url"] is None
    for move, state in (("pause", "paused"), ("pause", "paused"), ("resume", "active"),
                        ("revoke", "revoked"), ("revoke", "revoked")):  # fmt: skip
        answer = await who.post(f"{at}/{move}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == state
    assert problem(await who.post(f"{at}/resume")) == (409, "mandate-moved-on")
    following = await made(who)  # whoever has signed at the bank once is not asked again
    assert following["state"] == "active"
    listed = (await who.get("/v1/mandates", params={"limit": 1})).json()
    assert [m["id"] for m in listed["items"]] == [following["id"]]
    rest = (await who.get("/v1/mandates", params={"after": listed["next"]})).json()
    assert mandate["id"] in [m["id"] for m in rest["items"]]
    await city.settled()
    kinds = [m["kind"] for m in (await who.get("/v1/inbox", params={"limit": 100})).json()["items"]]
    assert {"payments.mandate_active", "payments.mandate_paused", "payments.mandate_revoked"} <= {
        *kinds
    }


async def test_refusals_name_what_is_wrong(city: City) -> None:
    who = await city.citizen("graduate")
    today: date = city.house.clock.today()
    wrong_ones: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"shop": "nope"}, (404, "no-such-shop")),
        ({"app": "nope"}, (404, "no-such-app")),
        ({"channel": "nope"}, (404, "no-such-channel")),
        ({"beneficiary": "nobody's"}, (422, "no-such-beneficiary")),
        ({"month_cap_minor": 499_99}, (422, "bad-mandate")),
        ({"ends_on": str(today + timedelta(days=2))}, (422, "bad-mandate")),
        ({"cap_minor": 0}, (400, "bad-request")),
        ({"cap_minor": 50_000_01}, (400, "bad-request")),
        ({"state": "active"}, (400, "bad-request")),
    ]
    for more, expected in wrong_ones:
        assert problem(await make(who, **more)) == expected, more
    assert (await who.get("/v1/mandates")).json()["items"] == []
    assert problem(await who.post("/v1/mandates", json=WATER))[0] == 400  # without a key
    mandate = await made(who)
    stranger = await city.citizen("newlywed_wife")
    for method, path in (("GET", ""), ("POST", "/pause"), ("POST", "/resume"), ("POST", "/revoke")):
        answer = await stranger.request(method, f"/v1/mandates/{mandate['id']}{path}")
        assert problem(answer) == (404, "no-such-mandate")
    nobody = await city.anonymous()
    assert (await nobody.get("/v1/mandates")).status_code == 401
    wrong = await nobody.post(f"/v1/sandbox/agreements/{mandate['id']}", json={"token": "x"})
    assert problem(wrong) == (409, "agreement-closed")
    await sign(who, mandate, "refuse")
    found = (await who.get(f"/v1/mandates/{mandate['id']}")).json()["mandate"]
    assert (found["state"], found["why"]) == ("ended", "refused")


async def test_level_and_consent_come_first(city: City) -> None:
    someone, _ = await city.short("17500000001")
    answer = await make(someone)
    assert problem(answer) == (403, "level-too-low")
    known, _ = await city.short("17500000002", 2)
    assert problem(await make(known)) == (403, "consent-needed")


async def test_a_channel_that_does_not_debit_says_so(city: City, monkeypatch: Any) -> None:
    who = await city.citizen("school_mother")
    monkeypatch.setattr(city.parts.channels, "debiting", lambda _: None)
    answer = await make(who)
    assert problem(answer) == (409, "channel-cannot-debit")
    assert answer.json()["channel"] == "sandbox"


async def test_the_first_bill_of_the_sandbox_is_announced(city: City, monkeypatch: Any) -> None:
    """With the city's own listeners, over its own doors."""
    who = await city.citizen("near_retirement_man")
    monkeypatch.setattr(rules, "daytime", by_day)
    mandate = await made(who)
    await sign(who, mandate)
    detail = (await who.get(f"/v1/mandates/{mandate['id']}")).json()
    assert detail["mandate"]["state"] == "active"
    parts = city.parts
    await mandates.run(Means(parts.house, parts.gateway, parts.registry, parts.channels))
    await city.settled()
    found = (await who.get(f"/v1/mandates/{mandate['id']}")).json()
    owed = (await who.get("/v1/shops/utility_bills/apps/water/bills")).json()["items"]
    soon = [b for b in owed if b["due_on"] <= str(city.house.clock.today() + timedelta(days=9))]
    assert len(found["debits"]) == len(soon)
    assert {d["state"] for d in found["debits"]} <= {"announced", "held"}
    operator = await city.operator()
    counts = (await operator.get("/v1/desk/mandates")).json()["items"]
    row = next(c for c in counts if (c["shop"], c["app"]) == ("utility_bills", "water"))
    assert row["active"] >= 1
    assert {*row} == {
        "shop", "app", "active", "paused", "waiting", "announced", "paid_30d", "unpaid_30d",
        "late_reminders",
    }  # fmt: skip
    department = await city.department("utility_bills")
    assert (await department.get("/v1/desk/mandates")).status_code == 403
    assert METERS not in {c["shop"] for c in counts}
