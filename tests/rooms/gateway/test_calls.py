"""Finished calls: what a citizen may rate, once a day, and for how long."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.city import City
from tests.rooms.gateway.steps import bills, known, someone

from civicmall.gateway import finished_call, forget_calls
from civicmall.gateway.service import KEEP_CALLS_DAYS
from civicmall.kernel import ids


def _progress(shop: str) -> str:
    return f"/v1/shops/{shop}/apps/plain/progress"


async def test_a_call_that_was_answered_may_be_rated_by_its_citizen(city: City, odd: Any) -> None:
    (client, me), (_, other) = await someone(city), await someone(city)
    first, again = [(await client.get(_progress(odd.id))).json() for _ in range(2)]
    assert first["items"][0]["id"] == "m1"
    assert first["call_id"] == again["call_id"], "one a day"
    call = UUID(first["call_id"])
    found = await finished_call(city.house.db, me, call)
    assert found is not None
    assert (found.id, found.shop, found.app) == (call, odd.id, "plain")
    assert await finished_call(city.house.db, other, call) is None
    assert await finished_call(city.house.db, me, ids.new(ids.bucket_of(me))) is None


async def test_a_stale_answer_can_not_be_rated(city: City, odd: Any) -> None:
    client, _ = await someone(city)
    await client.get(_progress(odd.id))
    odd.module.mode = "raise"
    stale = (await client.get(_progress(odd.id))).json()
    assert (stale["stale"], stale["call_id"]) == (True, None)


async def test_old_calls_are_forgotten(city: City, odd: Any) -> None:
    client, me = await someone(city)
    call = UUID((await client.get(_progress(odd.id))).json()["call_id"])
    age = "update gateway.call set day = current_date - $1::int where id = $2"
    await city.house.db.execute(age, KEEP_CALLS_DAYS, call)
    await forget_calls(city.house.db)
    assert await finished_call(city.house.db, me, call) is not None
    await city.house.db.execute(age, KEEP_CALLS_DAYS + 1, call)
    await forget_calls(city.house.db)
    assert await finished_call(city.house.db, me, call) is None


async def test_the_home_says_why_a_tile_is_empty(city: City, odd: Any) -> None:
    client = await known(city, "school_mother")
    tiles = (await client.get("/v1/home")).json()["tiles"]
    assert tiles[f"{odd.id}/guarded"] == "consent_needed"
    assert tiles[f"{odd.id}/plain"] == "ok"
    await client.get(bills(odd.id))
    odd.module.mode = "raise"
    home = (await client.get("/v1/home")).json()
    assert home["tiles"][f"{odd.id}/plain"] == "stale"
    assert [owed["bill"]["id"] for owed in home["owed"] if owed["shop"] == odd.id] == ["b1"]
