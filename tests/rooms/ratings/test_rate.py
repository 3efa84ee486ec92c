"""Rating: once per finished order or call, in words that exist, by whom it concerns."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.city import City
from tests.rooms.ratings.steps import (
    id_of,
    inbox_kinds,
    post_rating,
    rated,
    subject,
    ticket_of,
)

from civicmall.kernel import ids
from civicmall.ratings import rules


async def test_a_bad_rating_opens_a_ticket_with_a_day_and_a_name(city: City) -> None:
    client = await city.citizen("graduate")
    given = await rated(city, client, 1, tags=["too_slow", "passed_around"], comment="跑了三趟")

    assert given["first"]["level"] == "非常不满意"
    assert given["first"]["tags"] == ["办得太慢", "互相推诿"]
    due = rules.due(city.house.clock.today())
    assert given["rectification"] == {
        "id": given["id"], "state": "open", "due_on": due.on.isoformat(),
    }  # fmt: skip
    ticket = (await client.get(f"/v1/rectifications/{given['id']}")).json()
    assert ticket["responsible"] == "市公安局户政服务台"
    assert ticket["phone"] == "19900008110"
    assert ticket["turn"] == "department"
    assert ticket["due"]["working_days"] == 15
    assert [step["move"] for step in ticket["steps"]] == ["open"]
    listed = (await client.get("/v1/rectifications")).json()["items"]
    assert listed[0]["id"] == given["id"]

    assert await inbox_kinds(city, client, given["id"]) == ["ratings.open"]
    told = (await client.get("/v1/inbox", params={"lang": "en"})).json()["items"][0]
    assert due.on.isoformat() in told["body"]
    assert "Household registration desk" in told["body"]


@pytest.mark.parametrize("stars", [3, 4, 5])
async def test_a_good_rating_opens_none(city: City, stars: int) -> None:
    client = await city.citizen("newborn_mother")
    given = await rated(city, client, stars)
    assert given["rectification"] is None
    assert (await client.get(f"/v1/rectifications/{given['id']}")).status_code == 404


async def test_of_twenty_ratings_at_once_one_counts(city: City) -> None:
    client = await city.citizen("newborn_father")
    what = await subject(city, client)
    answers = await asyncio.gather(
        *(post_rating(client, {"subject": what, "stars": 1 + n % 5}) for n in range(20))
    )

    assert sorted(a.status_code for a in answers) == [201] + [409] * 19
    given = next(a.json() for a in answers if a.status_code == 201)
    for refused in (a.json() for a in answers if a.status_code == 409):
        assert refused["type"] == "/problems/already-rated"
        assert refused["rating"] == given["id"]
    mine = (await client.get("/v1/ratings")).json()["items"]
    assert [r["id"] for r in mine if r["subject"] == what] == [given["id"]]


async def test_one_key_is_one_rating_however_often_it_comes(city: City) -> None:
    client = await city.citizen("school_mother")
    ask = {"subject": await subject(city, client), "stars": 2}
    answers = await asyncio.gather(*(post_rating(client, ask, "same") for _ in range(20)))

    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1
    other = await post_rating(client, {**ask, "stars": 5}, "same")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    missing = await client.post("/v1/ratings", json=ask)
    assert missing.status_code == 400


async def test_rating_again_with_another_key_is_refused(city: City) -> None:
    client = await city.citizen("graduate")
    ask = {"subject": await subject(city, client), "stars": 4}
    assert (await post_rating(client, ask)).status_code == 201
    refused = await post_rating(client, ask)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/already-rated")
    assert refused.json()["title"] == "您已评价过该事项。"


async def test_a_try_that_was_cut_off_is_found_again(city: City) -> None:
    """The rating was written, the answer was not: the same key makes no second one."""
    client = await city.citizen("newlywed_wife")
    ask = {"subject": await subject(city, client), "stars": 1}
    first = (await post_rating(client, ask, "cut")).json()
    await city.house.db.execute(
        "update kernel.idempotency set answer = null, locked_until = now() - interval '1 second'"
        " where bucket = $1 and owner = $2 and key = 'cut'",
        ids.bucket_of(await id_of(client)),
        await id_of(client),
    )
    again = await post_rating(client, ask, "cut")
    assert (again.status_code, again.json()) == (201, first)


GOOD: dict[str, Any] = {"stars": 2, "tags": ["too_slow"], "comment": "慢"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"stars": 0}, "stars"),
        ({"stars": 6}, "stars"),
        ({"stars": "five"}, "stars"),
        ({"stars": 2.5}, "stars"),
        ({"stars": None}, "stars"),
        ({"comment": "长" * 501}, "comment"),
        ({"comment": "a\x00b"}, "comment"),
        ({"tags": ["TOO SLOW"]}, "tags"),
        ({"tags": ["too_slow"] * 9}, "tags"),
        ({"tags": "too_slow"}, "tags"),
        ({"subject": {"kind": "visit", "id": str(uuid4())}}, "kind"),
        ({"subject": {"kind": "call", "id": "1"}}, "id"),
        ({"amount_minor": 1}, ""),
    ],
)
async def test_a_malformed_rating_names_its_field(
    city: City, change: dict[str, Any], field: str
) -> None:
    client = await city.citizen("graduate")
    ask = {"subject": await subject(city, client), **GOOD, **change}
    refused = await post_rating(client, ask)
    assert (refused.status_code, refused.json()["type"]) == (400, "/problems/bad-request")
    assert field in refused.text


@pytest.mark.parametrize(
    ("stars", "tags", "field", "problem"),
    [
        (2, ["nonsense"], "tags[0]", "there is no such tag"),
        (5, ["quick", "too_slow"], "tags[1]", "this tag doesn't belong to 5 stars"),
        (2, ["unpublished_fee"], "tags[0]", "this tag doesn't belong to 2 stars"),
        (1, ["too_slow", "too_slow"], "tags[1]", "this tag stands twice"),
    ],
)
async def test_a_wrong_tag_is_named(
    city: City, stars: int, tags: list[str], field: str, problem: str
) -> None:
    client = await city.citizen("graduate")
    ask = {"subject": await subject(city, client), "stars": stars, "tags": tags}
    refused = await post_rating(client, ask, "tags")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/wrong-tags")
    assert refused.json()["errors"] == [{"field": field, "problem": problem}]


async def test_only_ones_own_can_be_rated(city: City) -> None:
    mine, other = await city.citizen("newlywed_wife"), await city.citizen("newlywed_husband")
    theirs = await subject(city, other)
    unknown = {"kind": "call", "id": str(ids.new(ids.bucket_of(await id_of(mine))))}
    order = {"kind": "order", "id": unknown["id"]}
    for what in (theirs, unknown, order, {"kind": "call", "id": str(uuid4())}):
        refused = await post_rating(mine, {"subject": what, "stars": 1})
        assert (refused.status_code, refused.json()["type"]) == (404, "/problems/not-rateable")
    assert (await post_rating(other, {"subject": theirs, "stars": 5})).status_code == 201


async def test_staff_and_strangers_rate_nothing(city: City) -> None:
    ask = {"subject": {"kind": "call", "id": str(uuid4())}, "stars": 1}
    assert (await post_rating(await city.anonymous(), ask)).status_code == 401
    assert (await post_rating(await city.operator(), ask)).status_code == 403


async def test_an_order_is_rated_once_it_is_done(city: City) -> None:
    client = await city.citizen("newlywed_husband")
    bills: list[dict[str, Any]] = []
    for app in ("water", "power", "gas"):
        found = await client.get(f"/v1/shops/utility_bills/apps/{app}/bills")
        bills += [{"app": app, "charge_id": b["id"]} for b in found.json()["items"]]
    ordered = await client.post(
        "/v1/orders",
        json={"charges": [{"shop": "utility_bills", **bills[0]}]},
        headers={"Idempotency-Key": "order"},
    )
    assert ordered.status_code == 201, ordered.text
    order = ordered.json()["id"]
    ask = {"subject": {"kind": "order", "id": order}, "stars": 1}

    early = await post_rating(client, ask, "early")
    assert (early.status_code, early.json()["type"]) == (409, "/problems/not-finished")
    cashier = (await client.post(f"/v1/orders/{order}/pay", json={})).json()
    paid = await client.post(f"/v1/sandbox/cashier/{order}", json={"token": cashier["token"]})
    assert paid.status_code == 200, paid.text
    async with asyncio.timeout(20):
        while (await client.get(f"/v1/orders/{order}")).json()["state"] != "fulfilled":
            await city.settled()
    done = await post_rating(client, ask, "early")
    assert done.status_code == 201, done.text
    assert (done.json()["shop"], done.json()["app"]) == ("utility_bills", bills[0]["app"])


async def test_levels_are_public_and_in_the_readers_language(city: City) -> None:
    nobody = await city.anonymous()
    found = (await nobody.get("/v1/ratings/levels", params={"lang": "en"})).json()
    assert [level["stars"] for level in found["levels"]] == [5, 4, 3, 2, 1]
    assert found["levels"][0]["name"] == "Very satisfied"
    assert found["version"] == 1


async def test_my_ratings_come_in_pages(city: City) -> None:
    client = await city.citizen("near_retirement_man")
    given = [(await rated(city, client, 5))["id"] for _ in range(5)]
    first = (await client.get("/v1/ratings", params={"limit": 3})).json()
    rest = (await client.get("/v1/ratings", params={"limit": 3, "after": first["next"]})).json()
    assert [r["id"] for r in first["items"] + rest["items"]] == sorted(given, reverse=True)
    assert rest["next"] is None
    tickets = [await ticket_of(city, client) for _ in range(3)]
    first = (await client.get("/v1/rectifications", params={"limit": 2})).json()
    rest = (
        await client.get("/v1/rectifications", params={"limit": 2, "after": first["next"]})
    ).json()
    assert [t["id"] for t in first["items"] + rest["items"]] == sorted(tickets, reverse=True)
