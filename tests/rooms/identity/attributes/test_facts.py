"""Facts with source and date, objections and switches, life events: over HTTP, and what the home sees."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from tests.city import City
from tests.rooms.identity.steps import new_phone, problem

from civicmall import identity
from civicmall.identity import BadAttestation
from civicmall.identity.people import DECLARED
from civicmall.kernel import ids
from shopkit.contract import Attestation

SHOP = "housing_fund"
ATTESTS = frozenset({"housing", "has_housing_fund", "married_on"})


async def somebody(city: City) -> tuple[httpx.AsyncClient, UUID]:
    """Somebody new, signed in, and their id."""
    client, citizen = await city.short(new_phone())
    return client, citizen


async def facts(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    answer = await client.get("/v1/me/facts")
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json()["items"]}


async def declare(client: httpx.AsyncClient, **said: Any) -> None:
    answer = await client.put("/v1/me/facts", json={"facts": said})
    assert answer.status_code == 200, answer.text


async def attest(
    city: City, citizen: UUID, name: Any, value: Any, *, days_ago: int = 0, shop: str = SHOP
) -> bool:
    as_of = city.house.clock.today() - timedelta(days=days_ago)
    said = Attestation(name, value, as_of)
    return await identity.attributes.service.attest(city.house, citizen, shop, said, ATTESTS)


async def test_a_fact_says_who_told_it_and_when(city: City) -> None:
    client, citizen = await somebody(city)
    await declare(client, housing="tenant")
    today = city.house.clock.today().isoformat()
    one = (await facts(client))["housing"]
    assert (one["value"], one["source"], one["as_of"], one["others"]) == (
        "tenant",
        "self",
        today,
        [],
    )
    assert await attest(city, citizen, "housing", "owner", days_ago=3)
    one = (await facts(client))["housing"]
    assert (one["value"], one["source"]) == ("owner", SHOP)
    assert [(other["source"], other["value"]) for other in one["others"]] == [("self", "tenant")]
    profile = (await client.get("/v1/me")).json()
    assert profile["facts"]["housing"] == "owner"
    assert profile["declared"] == []
    await declare(client, housing=None)
    assert (await facts(client))["housing"]["others"] == []


async def test_news_in_whatever_order_leaves_the_latest(city: City) -> None:
    client, citizen = await somebody(city)
    assert await attest(city, citizen, "housing", "owner", days_ago=1)
    assert not await attest(city, citizen, "housing", "tenant", days_ago=2)
    assert not await attest(city, citizen, "housing", None, days_ago=2)
    assert (await facts(client))["housing"]["value"] == "owner"
    assert await attest(city, citizen, "housing", None)
    assert "housing" not in await facts(client)


@pytest.mark.parametrize(
    ("name", "value", "days_ago", "field"),
    [
        ("veteran", True, 0, "name"),
        ("housing", "castle", 0, "value"),
        ("housing", 1, 0, "value"),
        ("has_housing_fund", "yes", 0, "value"),
        ("married_on", "soon", 0, "value"),
        ("housing", "owner", -1, "as_of"),
    ],
)
async def test_what_cant_be_attested_changes_nothing(
    city: City, name: str, value: Any, days_ago: int, field: str
) -> None:
    client, citizen = await somebody(city)
    with pytest.raises(BadAttestation) as refusal:
        await attest(city, citizen, name, value, days_ago=days_ago)
    assert refusal.value.extra["errors"][0]["field"] == field
    assert await facts(client) == {}


async def test_nobody_is_attested_to_whom_there_is_no_account(city: City) -> None:
    assert not await attest(city, ids.new(7), "housing", "owner")


async def test_what_was_declared_before_facts_had_dates_is_read_and_moves(city: City) -> None:
    client, citizen = await somebody(city)
    old = city.house.keys.seal('{"housing":"tenant","student":true}', DECLARED)
    async with city.house.db.acquire() as db:
        await db.execute(
            "update identity.citizen set declared = $3, created_at = '2025-01-02T03:04:05Z' "
            "where bucket = $1 and id = $2",
            ids.bucket_of(citizen), citizen, old,
        )  # fmt: skip
    before = await facts(client)
    assert {name: one["value"] for name, one in before.items()} == {
        "housing": "tenant",
        "student": True,
    }
    assert before["student"]["as_of"] == "2025-01-02"
    await asyncio.gather(*(declare(client, **{name: True}) for name in ("veteran", "has_vehicle")))
    after = await facts(client)
    assert after["student"] == before["student"]
    assert {"veteran", "has_vehicle", "housing", "student"} == after.keys()
    async with city.house.db.acquire() as db:
        assert (
            await db.fetchval("select declared from identity.citizen where id = $1", citizen)
            is None
        )


async def test_declared_at_once_nothing_is_lost(city: City) -> None:
    client, citizen = await somebody(city)
    said = {"housing": "owner", "student": False, "veteran": True, "employment": "retired"}
    await asyncio.gather(*(declare(client, **{name: value}) for name, value in said.items()))
    assert await identity.facts(city.house, citizen) == said


async def test_what_is_switched_off_is_known_and_not_looked_at(city: City) -> None:
    client, citizen = await somebody(city)
    await declare(client, housing="owner", employment="employed")
    off = await client.put("/v1/me/facts/housing/recommendation", json={"recommend": False})
    assert off.status_code == 204
    assert (await facts(client))["housing"]["recommend"] is False
    seen, unasked = await identity.recommendable(city.house, citizen)
    assert (seen, unasked) == ({"employment": "employed"}, {"housing"})
    assert (await identity.facts(city.house, citizen))["housing"] == "owner"
    home = (await client.get("/v1/home")).json()
    assert home["question"] is None or home["question"]["attribute"] != "housing"
    await client.put("/v1/me/facts/housing/recommendation", json={"recommend": True})
    assert (await identity.recommendable(city.house, citizen))[0]["housing"] == "owner"


async def test_the_home_shows_no_card_by_a_fact_that_is_off_or_disputed(city: City) -> None:
    client, citizen = await somebody(city)
    soon = (city.house.clock.today() + timedelta(days=20)).isoformat()
    await declare(client, id_card_until=soon)

    async def cards() -> set[str]:
        return {card["item"] for card in (await client.get("/v1/home")).json()["cards"]}

    assert "id_card_renewal" in await cards()
    path = "/v1/me/facts/id_card_until/recommendation"
    await client.put(path, json={"recommend": False})
    assert "id_card_renewal" not in await cards()
    await client.put(path, json={"recommend": True})
    await declare(client, id_card_until=None)
    said = Attestation("id_card_until", soon, city.house.clock.today())
    await identity.attributes.service.attest(
        city.house, citizen, "public_security", said, {"id_card_until"}
    )
    assert "id_card_renewal" in await cards()
    objection = {"source": "public_security", "words": "还有十年"}
    answer = await client.put("/v1/me/facts/id_card_until/objection", json=objection)
    assert answer.status_code == 204, answer.text
    assert "id_card_renewal" not in await cards()
    assert (await facts(client))["id_card_until"]["disputed_at"] is not None


async def test_an_objection_is_told_kept_and_answered(city: City) -> None:
    client, citizen = await somebody(city)
    await attest(city, citizen, "housing", "owner", days_ago=2)
    ask = {"source": SHOP, "words": "房子卖了"}
    assert (await client.put("/v1/me/facts/housing/objection", json=ask)).status_code == 204
    service = identity.attributes.service
    assert await service.objection(city.house, citizen, "housing", SHOP) == "房子卖了"
    await city.settled()
    desk = (await (await city.department(SHOP)).get("/v1/desk/disputes")).json()["items"]
    assert [(one["shop"], one["name"]) for one in desk] == [(SHOP, "housing")]
    assert str(citizen) not in msgspec.json.encode(desk).decode()
    other = (await (await city.department("utility_bills")).get("/v1/desk/disputes")).json()
    assert other["items"] == []
    assert await attest(city, citizen, "housing", "tenant")
    assert (await facts(client))["housing"]["disputed_at"] is None
    assert await service.objection(city.house, citizen, "housing", SHOP) is None


async def test_an_objection_can_be_taken_back(city: City) -> None:
    client, citizen = await somebody(city)
    await attest(city, citizen, "housing", "owner")
    await client.put("/v1/me/facts/housing/objection", json={"source": SHOP})
    for _ in range(2):
        gone = await client.delete("/v1/me/facts/housing/objection", params={"source": SHOP})
        assert gone.status_code == 204
    assert (await facts(client))["housing"]["disputed_at"] is None


async def test_only_what_somebody_attests_can_be_objected_to(city: City) -> None:
    client, _ = await somebody(city)
    await declare(client, housing="owner")
    for source in ("self", SHOP, "register"):
        answer = await client.put("/v1/me/facts/housing/objection", json={"source": source})
        assert problem(answer) == (409, "nothing-to-dispute")


async def event(client: httpx.AsyncClient, kind: str, on: str, key: str = "") -> httpx.Response:
    headers = {"idempotency-key": key or uuid4().hex}
    return await client.post("/v1/me/events", json={"kind": kind, "on": on}, headers=headers)


async def test_an_event_leads_to_facts_and_takes_them_with_it(city: City) -> None:
    client, _ = await somebody(city)
    told = await event(client, "married", "2026-05-20")
    assert told.status_code == 201, told.text
    found = await facts(client)
    assert found["marital_status"]["value"] == "married"
    assert found["married_on"]["value"] == "2026-05-20"
    path = f"/v1/me/events/{told.json()['id']}"
    changed = await client.put(path, json={"kind": "married", "on": "2026-05-21"})
    assert changed.status_code == 200
    assert (await facts(client))["married_on"]["value"] == "2026-05-21"
    (shown,) = (await client.get("/v1/me/events")).json()["items"]
    assert (shown["kind"], shown["on"], shown["source"]) == ("married", "2026-05-21", "self")
    assert (await client.delete(path)).status_code == 204
    assert await facts(client) == {}
    assert problem(await client.delete(path)) == (404, "no-such-event")
    assert problem(await client.put(path, json={"kind": "married", "on": "2026-05-21"})) == (
        404, "no-such-event",
    )  # fmt: skip


async def test_the_same_key_is_one_event_and_leaves_nothing_readable(city: City) -> None:
    client, citizen = await somebody(city)
    one, two = [await event(client, "pregnant", "2026-05-01", "once") for _ in range(2)]
    assert one.json() == two.json()
    assert len((await client.get("/v1/me/events")).json()["items"]) == 1
    assert problem(await event(client, "pregnant", "2026-05-02", "once")) == (
        422, "idempotency-key-reused",
    )  # fmt: skip
    async with city.house.db.acquire() as db:
        for table, owner in (
            ("identity.life_event", "citizen_id"),
            ("kernel.idempotency", "owner"),
        ):
            query = f"select t::text from {table} t where {owner} = $1"  # noqa: S608 (written above)
            rows = await db.fetch(query, citizen)
            assert len(rows) == 1
            assert "pregnant" not in rows[0][0]


async def test_events_that_are_attested_stand_beside_and_cant_be_changed(city: City) -> None:
    client, citizen = await somebody(city)
    await attest(city, citizen, "married_on", "2020-05-20")
    await event(client, "graduated", "2018-06-30")
    shown = (await client.get("/v1/me/events")).json()["items"]
    assert [(e["kind"], e["source"], e["id"] is None) for e in shown] == [
        ("married", SHOP, True), ("graduated", "self", False),
    ]  # fmt: skip


async def test_a_life_has_no_more_than_a_hundred_events(city: City) -> None:
    client, _ = await somebody(city)
    codes = [(await event(client, "moved", "2020-01-01")).status_code for _ in range(101)]
    assert codes == [201] * 100 + [422]


async def test_events_of_others_are_out_of_reach(city: City) -> None:
    mine, _ = await somebody(city)
    other, _ = await somebody(city)
    path = f"/v1/me/events/{(await event(mine, 'retired', '2026-01-01')).json()['id']}"
    assert problem(await other.delete(path)) == (404, "no-such-event")
    assert (await facts(mine))["employment"]["value"] == "retired"


async def test_the_bureau_attests_a_card_that_was_handed_over(city: City) -> None:
    """Of the people of the sandbox some have collected one; their own progress page tells the rest."""
    held: list[dict[str, Any]] = []
    for persona in await city.people():
        client = await city.citizen(persona)
        answer = await client.get("/v1/shops/public_security/apps/id_card/progress")
        assert answer.status_code == 200, answer.text
        found = (await facts(client)).get("id_card_until")
        if found is not None and found["source"] == "public_security":
            held.append(found)
            again = await client.get("/v1/shops/public_security/apps/id_card/progress")
            assert again.status_code == 200
            assert (await facts(client))["id_card_until"] == found
    assert held
    for one in held:
        assert one["value"] > one["as_of"]
