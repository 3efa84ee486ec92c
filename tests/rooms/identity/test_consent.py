"""What shops get to know: only what was agreed to, and never unseen."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.city import City
from tests.rooms.identity.steps import pair_for, problem

SHOP, APP = "public_security", "id_card"
CONSENT = f"/v1/me/consents/{SHOP}/{APP}"
CALL = f"/v1/shops/{SHOP}/apps/{APP}/progress"


async def at_level_2(city: City, persona: str) -> httpx.AsyncClient:
    """A verified persona who has agreed to nothing more than before."""
    client = await city.citizen(persona)
    for one in (await client.get("/v1/me/consents")).json()["items"]:
        gone = await client.delete(f"/v1/me/consents/{one['shop']}/{one['app']}")
        assert gone.status_code == 204
    return client


async def accesses(client: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    """Who looked."""
    answer = await client.get("/v1/me/accesses", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_shop_is_asked_only_with_consent_and_no_longer_than_that(city: City) -> None:
    client = await at_level_2(city, "newborn_mother")
    refused = await client.get(CALL)
    assert problem(refused) == (403, "consent-needed")
    assert set(refused.json()["claims"]) == {"id_number"}

    given = await client.put(CONSENT, json={"claims": ["id_number", "id_number"]})
    assert given.status_code == 200, given.text
    assert given.json()["claims"] == ["id_number"]
    assert (await client.get(CALL)).status_code == 200
    items = (await client.get("/v1/me/consents")).json()["items"]
    assert [(i["shop"], i["app"], i["claims"]) for i in items] == [(SHOP, APP, ["id_number"])]

    assert (await client.delete(CONSENT)).status_code == 204
    assert (await client.delete(CONSENT)).status_code == 204
    assert problem(await client.get(CALL)) == (403, "consent-needed")


async def test_an_app_gets_no_more_than_it_asks_for(city: City) -> None:
    client = await at_level_2(city, "newborn_father")
    answer = await client.put(CONSENT, json={"claims": ["id_number", "phone"]})
    assert problem(answer) == (403, "not-allowed")
    assert answer.json()["claims"] == ["phone"]
    assert (await client.get("/v1/me/consents")).json()["items"] == []


@pytest.mark.parametrize(
    ("path", "said"),
    [("nobody/nothing", "no-such-shop"), (f"{SHOP}/nothing", "no-such-app")],
)
async def test_an_app_that_is_not_there(city: City, path: str, said: str) -> None:
    client = await at_level_2(city, "newborn_father")
    answer = await client.put(f"/v1/me/consents/{path}", json={"claims": ["id_number"]})
    assert problem(answer) == (404, said)
    assert (await client.delete(f"/v1/me/consents/{path}")).status_code == 204


@pytest.mark.parametrize("path", ["a%00b/id_card", f"{SHOP}/x%00", f"{SHOP}/Ä"])
async def test_what_can_be_no_shop_is_a_bad_request(city: City, path: str) -> None:
    client = await at_level_2(city, "newborn_father")
    assert (await client.delete(f"/v1/me/consents/{path}")).status_code == 400


async def test_each_look_leaves_a_row_with_its_purpose(city: City) -> None:
    client = await at_level_2(city, "graduate")
    assert (await accesses(client))["items"] == []
    await client.put(CONSENT, json={"claims": ["id_number"]})
    assert (await client.get(CALL)).status_code == 200

    (row,) = (await accesses(client))["items"]
    assert (row["reader"], row["claims"], row["purpose"], row["times"]) == (
        f"{SHOP}/{APP}", ["id_number"], "progress.list", 1,
    )  # fmt: skip
    assert abs(datetime.fromisoformat(row["at"]) - city.house.clock.now()) < timedelta(hours=1)
    # An answer from the gateway's memory is no look: the shop was told nothing.
    assert (await client.get(CALL)).status_code == 200
    assert (await accesses(client))["items"] == [row]


async def test_looks_are_counted_and_paged(city: City) -> None:
    client = await at_level_2(city, "school_mother")
    for shop, app, path in (
        ("utility_bills", "water", "bills"),
        ("utility_bills", "power", "bills"),
        (SHOP, APP, "progress"),
    ):
        put = await client.put(f"/v1/me/consents/{shop}/{app}", json={"claims": ["id_number"]})
        assert put.status_code == 200, put.text
        looks = [{"limit": n} for n in (5, 6, 7)]  # each another question, so none is remembered
        await asyncio.gather(
            *(client.get(f"/v1/shops/{shop}/apps/{app}/{path}", params=p) for p in looks)
        )
    every = (await accesses(client))["items"]
    assert {(r["reader"], r["purpose"]): r["times"] for r in every} == {
        ("utility_bills/water", "bills.list"): 3,
        ("utility_bills/power", "bills.list"): 3,
        (f"{SHOP}/{APP}", "progress.list"): 3,
    }
    seen: list[Any] = []
    after = None
    while True:
        found = await accesses(client, limit=1, **({"after": after} if after else {}))
        seen += found["items"]
        if (after := found["next"]) is None:
            break
    assert seen == every


@pytest.mark.parametrize("after", ["x", "WyIyMDI2LTAxLTAxIl0", "", "bnVsbA"])
async def test_a_cursor_of_another_list(city: City, after: str) -> None:
    client = await at_level_2(city, "newborn_father")
    answer = await client.get("/v1/me/accesses", params={"after": after})
    assert problem(answer) == (400, "bad-request")


async def test_nobody_sees_what_others_agreed_to(city: City) -> None:
    client = await at_level_2(city, "graduate")
    await client.put(CONSENT, json={"claims": ["id_number"]})
    stranger = await city.client((await pair_for(city))["access_token"])
    assert (await stranger.get("/v1/me/consents")).json()["items"] == []
    assert (await accesses(stranger))["items"] == []
