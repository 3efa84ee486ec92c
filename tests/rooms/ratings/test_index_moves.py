"""The index moves with what people say last, and leaves out what a review took out."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.city import City
from tests.rooms.ratings.steps import (
    SHOP,
    answered,
    confirmed,
    inbox_kinds,
    index_of,
    rated,
    reopened,
    ticket_of,
)

OTHER = "utility_bills"


async def test_nobody_rated_yet(city: City) -> None:
    found = await index_of(city, OTHER)
    assert found["n"] == 0
    assert found["satisfied"] is None
    assert found["on_time"] is None
    assert (found["enough"], found["level"]) == (False, "评价数量不足")


async def test_rating_again_moves_the_index_and_leaves_the_first_in_sight(city: City) -> None:
    client, desk = await city.citizen("graduate"), await city.department(SHOP)
    before = await index_of(city)
    given = await rated(city, client, 1, comment="太慢")
    middle = await index_of(city)
    assert middle["n"] == before["n"] + 1
    assert middle["stars"][0] == before["stars"][0] + 1
    assert middle["opened"] == before["opened"] + 1

    await answered(desk, given["id"])
    rating = {"stars": 5, "tags": ["quick"], "comment": "现在好了"}
    done = await confirmed(client, given["id"], rating)
    assert done.status_code == 200, done.text
    assert done.json()["rating"]["stars"] == 1
    assert done.json()["again"]["stars"] == 5
    after = await index_of(city)
    assert after["n"] == middle["n"]
    assert after["stars"][0] == before["stars"][0]
    assert after["stars"][4] == before["stars"][4] + 1
    assert after["mean"] > middle["mean"]
    assert after["confirmed"] > 0

    at_desk = (await desk.get("/v1/desk/ratings")).json()["items"][0]
    assert (at_desk["first"]["comment"], at_desk["again"]["comment"]) == ("太慢", "现在好了")
    mine = (await client.get("/v1/ratings")).json()["items"][0]
    assert (mine["first"]["stars"], mine["again"]["level"]) == (1, "非常满意")


async def test_rating_again_takes_the_new_levels_tags(city: City) -> None:
    client, desk = await city.citizen("graduate"), await city.department(SHOP)
    ticket = await ticket_of(city, client)
    await answered(desk, ticket)
    refused = await confirmed(client, ticket, {"stars": 5, "tags": ["too_slow"]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "rating.tags[0]"
    still = await confirmed(client, ticket, {"stars": 2, "tags": ["too_slow"]})
    assert still.json()["state"] == "confirmed"
    assert (await confirmed(client, ticket, {"stars": 1})).status_code == 409


async def test_an_upheld_appeal_takes_the_rating_out_but_not_away(city: City) -> None:
    client, desk = await city.citizen("newborn_mother"), await city.department(SHOP)
    operator = await city.operator()
    before = await index_of(city)
    ticket = await ticket_of(city, client)
    path = f"/v1/desk/rectifications/{ticket}"

    appealed = await desk.post(f"{path}/appeal", json={"reason": "申请人评错了单位。"})
    assert (appealed.json()["state"], appealed.json()["turn"]) == ("appealed", "operator")
    assert (await answered(desk, ticket)).status_code == 409
    assert (await operator.post(f"{path}/remind")).status_code == 409
    verdicts = await asyncio.gather(
        *(
            operator.post(f"{path}/review", json={"verdict": verdict, "reason": "核实无误。"})
            for verdict in ("upheld", "upheld", "upheld")
        )
    )
    assert sorted(v.status_code for v in verdicts) == [200, 409, 409]

    after = await index_of(city)
    assert after == before
    found = (await client.get(f"/v1/rectifications/{ticket}")).json()
    assert (found["state"], found["counts"], found["rating"]["stars"]) == ("excluded", False, 1)
    at_desk = (await desk.get("/v1/desk/ratings")).json()["items"][0]
    assert (at_desk["id"], at_desk["counts"]) == (ticket, False)
    assert await inbox_kinds(city, client, ticket) == [
        "ratings.open", "ratings.appeal", "ratings.uphold",
    ]  # fmt: skip


async def test_a_rejected_appeal_changes_nothing_and_comes_once(city: City) -> None:
    client, desk = await city.citizen("newborn_father"), await city.department(SHOP)
    operator = await city.operator()
    ticket = await ticket_of(city, client)
    path = f"/v1/desk/rectifications/{ticket}"
    counted = await index_of(city)
    await desk.post(f"{path}/appeal", json={"reason": "恶意差评。"})
    verdict = {"verdict": "rejected", "reason": "评价属实。"}
    rejected = (await operator.post(f"{path}/review", json=verdict)).json()
    assert (rejected["state"], rejected["turn"], rejected["counts"]) == ("open", "department", True)
    assert rejected["due"]["paused_days"] == 0
    assert await index_of(city) == counted
    again = await desk.post(f"{path}/appeal", json={"reason": "再申请。"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/appealed-before")
    assert (await answered(desk, ticket)).status_code == 200


async def test_an_operator_reminds_once_a_day(city: City) -> None:
    client, operator = await city.citizen("school_mother"), await city.operator()
    ticket = await ticket_of(city, client)
    path = f"/v1/desk/rectifications/{ticket}/remind"
    answers = await asyncio.gather(*(operator.post(path) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409, 409]
    refused = next(a.json() for a in answers if a.status_code == 409)
    assert refused["type"] == "/problems/reminded-today"
    steps = (await client.get(f"/v1/rectifications/{ticket}")).json()["steps"]
    assert [(s["move"], s["actor"]) for s in steps] == [("open", "citizen"), ("remind", "operator")]
    assert await inbox_kinds(city, client, ticket) == ["ratings.open", "ratings.remind"]
    listed = await operator.get("/v1/desk/rectifications", params={"limit": 100})
    row = next(r for r in listed.json()["items"] if r["id"] == ticket)
    assert row["reminded_on"] == city.house.clock.today().isoformat()


async def test_reopened_tickets_are_not_rectified(city: City) -> None:
    client, desk = await city.citizen("newlywed_wife"), await city.department(OTHER)
    ticket = await ticket_of(city, client, OTHER)
    assert (await index_of(city, OTHER))["rectified"] == 0
    await answered(desk, ticket)
    found = await index_of(city, OTHER)
    assert (found["rectified"], found["on_time"], found["confirmed"]) == (1, 1, 0)
    await reopened(client, ticket)
    assert (await index_of(city, OTHER))["rectified"] == 0


async def test_a_shop_gets_a_level_when_enough_have_rated(city: City) -> None:
    client = await city.citizen("newlywed_husband")
    while (await index_of(city, OTHER))["n"] < 30:
        found = await index_of(city, OTHER)
        assert (found["enough"], found["level"]) == (False, "评价数量不足")
        await asyncio.gather(
            *(rated(city, client, 4, OTHER) for _ in range(min(10, 30 - found["n"])))
        )
    found = await index_of(city, OTHER)
    assert (found["enough"], found["level"]) == (True, "满意")
    assert found["low"] < found["satisfied"] < found["high"]


async def test_every_shop_is_listed_by_name_and_in_pages(city: City) -> None:
    nobody = await city.anonymous()
    shops = [s["id"] for s in (await nobody.get("/v1/shops")).json()["items"]]
    seen: list[Any] = []
    after = None
    while True:
        params: dict[str, str | int] = {"limit": 1} | ({"after": after} if after else {})
        found = (await nobody.get("/v1/satisfaction", params=params)).json()
        seen += found["items"]
        after = found["next"]
        if after is None:
            break
    assert [s["shop"] for s in seen] == sorted(shops)
    detail = (await nobody.get(f"/v1/satisfaction/{SHOP}", params={"lang": "en"})).json()
    assert detail["index"]["name"] == "Public Security"
    assert sum(point["n"] for point in detail["trend"]) == detail["index"]["n"]
    assert detail["trend"][-1]["month"] == f"{city.house.clock.today():%Y-%m}"
    unknown = await nobody.get("/v1/satisfaction/moon_office")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/no-such-shop")
