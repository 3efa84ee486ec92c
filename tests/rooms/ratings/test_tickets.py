"""A ticket's way: the department answers, the citizen confirms or sends it back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.city import City
from tests.rooms.ratings.steps import (
    SHOP,
    answered,
    confirmed,
    id_of,
    inbox_kinds,
    rated,
    reopened,
    ticket_of,
)


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_answered_sent_back_registered_explained_and_accepted(city: City) -> None:
    client, desk = await city.citizen("graduate"), await city.department(SHOP)
    ticket = await ticket_of(city, client)

    first = await answered(desk, ticket, "fixed", "已致电说明。")
    assert first.status_code == 200, first.text
    assert (first.json()["state"], first.json()["turn"]) == ("fixed", "citizen")
    back = (await reopened(client, ticket, "没有人打电话")).json()
    assert (back["state"], back["reopened"]) == ("reopened", 1)
    assert (await answered(desk, ticket, "registered", "需要查档。")).json()[
        "state"
    ] == "registered"
    assert (await answered(desk, ticket, "explained", "法律如此规定。")).json()["turn"] == "citizen"
    done = (await confirmed(client, ticket)).json()
    assert (done["state"], done["turn"], done["may"]) == ("confirmed", "nobody", [])
    assert done["closed_at"]

    steps = done["steps"]
    assert [s["move"] for s in steps] == ["open", "fix", "reopen", "register", "explain", "confirm"]
    assert [s["actor"] for s in steps] == [
        "citizen", "department", "citizen", "department", "department", "citizen",
    ]  # fmt: skip
    assert steps[1]["who"] != ""
    assert steps[2]["said"] == "没有人打电话"
    assert steps[0]["title"] == "差评生成整改单"
    assert [s["at"] for s in steps] == sorted(s["at"] for s in steps)
    assert (await desk.get(f"/v1/desk/rectifications/{ticket}")).json()["steps"] == steps
    assert await inbox_kinds(city, client, ticket) == [
        "ratings.open", "ratings.fix", "ratings.reopen", "ratings.register", "ratings.explain",
    ]  # fmt: skip


async def test_of_two_agents_who_answer_at_once_one_does(city: City) -> None:
    client, desk = await city.citizen("newborn_mother"), await city.department(SHOP)
    other = await city.department(SHOP)
    ticket = await ticket_of(city, client)
    answers = await asyncio.gather(
        *(answered(who, ticket, kind) for who in (desk, other) for kind in ("fixed", "explained"))
    )
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409]
    refused = next(a for a in answers if a.status_code == 409)
    assert problem(refused) == (409, "rectification-moved-on")
    assert refused.json()["may"] == []
    found = (await client.get(f"/v1/rectifications/{ticket}")).json()
    assert len(found["steps"]) == 2


async def test_of_confirming_and_sending_back_at_once_one_happens(city: City) -> None:
    client, desk = await city.citizen("newborn_father"), await city.department(SHOP)
    for _ in range(5):
        ticket = await ticket_of(city, client)
        await answered(desk, ticket)
        both = await asyncio.gather(confirmed(client, ticket), reopened(client, ticket))
        assert sorted(a.status_code for a in both) == [200, 409]
        steps = (await client.get(f"/v1/rectifications/{ticket}")).json()["steps"]
        assert len(steps) == 3


async def test_an_answer_and_a_citizen_who_sends_back_take_turns(city: City) -> None:
    """Whatever comes first, each finds the state it needs or is refused; nothing is lost."""
    client, desk = await city.citizen("school_mother"), await city.department(SHOP)
    ticket = await ticket_of(city, client)
    await answered(desk, ticket)
    answers = await asyncio.gather(
        reopened(client, ticket), answered(desk, ticket, "explained"), reopened(client, ticket)
    )
    found = (await client.get(f"/v1/rectifications/{ticket}")).json()
    done = [a for a in answers if a.status_code == 200]
    assert {a.status_code for a in answers} <= {200, 409}
    assert len(found["steps"]) == 2 + len(done)


async def test_a_ticket_goes_back_three_times_and_no_more(city: City) -> None:
    client, desk = await city.citizen("newlywed_wife"), await city.department(SHOP)
    ticket = await ticket_of(city, client)
    for times in range(1, 4):
        assert (await answered(desk, ticket)).status_code == 200
        assert (await reopened(client, ticket)).json()["reopened"] == times
    assert (await answered(desk, ticket)).status_code == 200
    last = await reopened(client, ticket)
    assert problem(last) == (409, "reopened-too-often")
    assert last.json()["limit"] == 3
    assert (await client.get(f"/v1/rectifications/{ticket}")).json()["may"] == ["confirm"]


async def test_steps_out_of_turn_are_refused(city: City) -> None:
    client, desk = await city.citizen("graduate"), await city.department(SHOP)
    ticket = await ticket_of(city, client)
    early = await confirmed(client, ticket)
    assert problem(early) == (409, "rectification-moved-on")
    assert early.json()["state"] == "open"
    assert problem(await reopened(client, ticket)) == (409, "rectification-moved-on")
    await answered(desk, ticket, "registered")
    assert problem(await answered(desk, ticket, "registered")) == (409, "rectification-moved-on")


async def test_a_department_sees_only_its_own(city: City) -> None:
    client = await city.citizen("near_retirement_woman")
    mine, other = await city.department(SHOP), await city.department("utility_bills")
    operator = await city.operator()
    ticket = await ticket_of(city, client)
    theirs = await ticket_of(city, client, "utility_bills")
    await city.settled()

    assert (await mine.get(f"/v1/desk/rectifications/{ticket}")).status_code == 200
    assert (await operator.get(f"/v1/desk/rectifications/{ticket}")).status_code == 200
    assert problem(await other.get(f"/v1/desk/rectifications/{ticket}")) == (
        404, "no-such-rectification",
    )  # fmt: skip
    assert problem(await answered(other, ticket)) == (404, "no-such-rectification")
    for path in ("/v1/desk/rectifications", "/v1/desk/ratings"):
        for asked in ({}, {"shop": "public_security"}):
            found = (await other.get(path, params={**asked, "limit": 100})).json()["items"]
            assert theirs in {row["id"] for row in found}
            assert {row["shop"] for row in found} == {"utility_bills"}
        every = (await operator.get(path, params={"limit": 100})).json()["items"]
        assert {ticket, theirs} <= {row["id"] for row in every}
        some = (await operator.get(path, params={"shop": SHOP, "limit": 100})).json()["items"]
        assert {row["shop"] for row in some} == {SHOP}


async def test_another_citizen_sees_nothing(city: City) -> None:
    client, desk = await city.citizen("graduate"), await city.department(SHOP)
    other = await city.citizen("newborn_mother")
    ticket = await ticket_of(city, client)
    await answered(desk, ticket)
    assert problem(await other.get(f"/v1/rectifications/{ticket}")) == (
        404, "no-such-rectification",
    )  # fmt: skip
    assert problem(await confirmed(other, ticket)) == (404, "no-such-rectification")
    assert problem(await reopened(other, ticket)) == (404, "no-such-rectification")


async def test_who_may_do_what(city: City) -> None:
    client, desk = await city.citizen("graduate"), await city.department(SHOP)
    operator, nobody = await city.operator(), await city.anonymous()
    ticket = await ticket_of(city, client)
    assert problem(await answered(operator, ticket)) == (403, "not-allowed")
    appeal = f"/v1/desk/rectifications/{ticket}/appeal"
    assert problem(await operator.post(appeal, json={"reason": "x"})) == (403, "not-allowed")
    for what in ("review", "remind"):
        path = f"/v1/desk/rectifications/{ticket}/{what}"
        body = {"verdict": "upheld", "reason": "x"} if what == "review" else None
        assert problem(await desk.post(path, json=body)) == (403, "not-allowed")
    assert (await client.get("/v1/desk/rectifications")).status_code == 403
    assert (await nobody.get("/v1/desk/ratings")).status_code == 401
    assert (await desk.get("/v1/rectifications")).status_code == 403


async def test_desks_learn_no_more_than_a_pseudonym(city: City) -> None:
    client, desk = await city.citizen("near_retirement_man"), await city.department(SHOP)
    me = (await client.get("/v1/me")).json()
    given = await rated(city, client, 1, comment="柜台无人", tags=["nobody_answers"])
    await city.settled()
    listed = await desk.get("/v1/desk/ratings", params={"bad": "true", "limit": 100})
    row = next(r for r in listed.json()["items"] if r["id"] == given["id"])
    assert row["first"]["comment"] == "柜台无人"
    assert row["first"]["tags"] == ["无人答复"]
    ticket = await desk.get(f"/v1/desk/rectifications/{given['id']}")
    assert ticket.json()["citizen"] == row["citizen"]
    for text in (listed.text, ticket.text):
        assert me["id"] not in text
        assert str(await id_of(client)) not in text


@pytest.mark.parametrize("text", ["", "   ", "\n", "长" * 1001, "a\x00b"])
async def test_an_answer_has_words(city: City, text: str) -> None:
    client, desk = await city.citizen("graduate"), await city.department(SHOP)
    ticket = await ticket_of(city, client)
    assert problem(await answered(desk, ticket, "fixed", text)) == (400, "bad-request")
    await answered(desk, ticket)
    assert problem(await reopened(client, ticket, text)) == (400, "bad-request")


async def test_desk_lists_filter_and_page(city: City) -> None:
    client, desk = await city.citizen("newlywed_husband"), await city.department("utility_bills")
    made = [await ticket_of(city, client, "utility_bills") for _ in range(4)]
    await answered(desk, made[0])
    await confirmed(client, made[0])
    await city.settled()

    seen: list[dict[str, Any]] = []
    after = None
    while True:
        params: dict[str, str | int] = {"limit": 2} | ({"after": after} if after else {})
        found = (await desk.get("/v1/desk/rectifications", params=params)).json()
        seen += found["items"]
        after = found["next"]
        if after is None:
            break
    order = [row["id"] for row in seen]
    assert set(made) <= set(order)
    assert len(order) == len(set(order))
    assert order.index(made[0]) > max(order.index(t) for t in made[1:])
    confirmed_ones = await desk.get("/v1/desk/rectifications", params={"state": "confirmed"})
    assert [row["id"] for row in confirmed_ones.json()["items"]] == [made[0]]
    late = await desk.get("/v1/desk/rectifications", params={"overdue": "true"})
    assert late.json()["items"] == []
    for bad in ({"state": "lost"}, {"shop": "a\x00"}, {"after": "x"}, {"limit": 0}):
        assert (await desk.get("/v1/desk/rectifications", params=bad)).status_code == 400
