"""Adults agree: whoever has the phone accepts or declines in their own account, and nobody else learns
whether there is one.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.city import City
from tests.rooms.identity.delegation.helping import (
    HOME,
    acting,
    agreed,
    invited,
    lists,
    new_phone,
    token_for,
)
from tests.rooms.identity.steps import problem

from civicmall.kernel import ids


async def test_a_son_asks_his_father_who_accepts_in_his_own_account(city: City) -> None:
    son, father = await city.citizen("graduate"), await city.citizen("near_retirement_man")
    people = await city.people()
    made = await invited(
        son, people["near_retirement_man"]["phone"], "principal", may=["view", "apply"]
    )
    assert made.status_code == 201, made.text
    ask = made.json()
    assert (ask["state"], ask["side"], ask["can_accept"]) == ("invited", "agent", False)
    assert problem(await token_for(son, ask)) == (409, "delegation-waits")
    assert problem(await son.post(f"{HOME}/{ask['id']}/acceptance")) == (409, "delegation-waits")

    (waiting,) = [one for one in (await lists(father))["granted"] if one["id"] == ask["id"]]
    assert waiting["can_accept"]
    assert waiting["other"] == people["graduate"]["name"][0] + "**"
    accepted = await father.post(f"{HOME}/{ask['id']}/acceptance")
    assert accepted.json()["state"] == "active"
    assert (await father.post(f"{HOME}/{ask['id']}/acceptance")).json()["state"] == "active"

    acts = await acting(city, son, ask)
    assert (await acts.get("/v1/me")).json()["id"] == (await father.get("/v1/me")).json()["id"]
    (held,) = [one for one in (await lists(son))["held"] if one["id"] == ask["id"]]
    assert held["other"] == people["near_retirement_man"]["name"][0] + "**"
    assert (held["may"], held["shops"]) == (["view", "apply"], None)


async def test_a_father_names_his_son(city: City) -> None:
    until = (city.house.clock.now() + timedelta(days=30)).isoformat()
    made = await agreed(city, "near_retirement_woman", "graduate", ["view"], valid_until=until)
    assert (made["state"], made["side"], made["may"]) == ("active", "agent", ["view"])
    mother = await city.citizen("near_retirement_woman")
    (row,) = [one for one in (await lists(mother))["granted"] if one["id"] == made["id"]]
    assert row["agent"] == made["agent"]
    assert problem(await token_for(mother, made)) == (404, "no-such-delegation"), (
        "it is the agent's"
    )


@pytest.mark.parametrize("whom", ["agent", "principal"])
async def test_an_invitation_tells_nothing_of_a_phone(city: City, whom: str) -> None:
    """The same answer, the same rows and the same message for a phone with an account and one without."""
    client = await city.citizen("newlywed_wife")
    known, unknown = (await city.people())["newlywed_husband"]["phone"], new_phone()
    await city.citizen("newlywed_husband")
    answers = [await invited(client, phone, whom) for phone in (known, unknown)]
    shapes: list[Any] = []
    for answer, phone in zip(answers, (known, unknown), strict=True):
        body = answer.json()
        assert body["other"] == f"{phone[:3]}****{phone[-4:]}"
        drop = {"id", "other", "created_at", "answer_by"}
        shapes.append((answer.status_code, {k: v for k, v in body.items() if k not in drop}))
    assert shapes[0] == shapes[1]
    assert shapes[0][1]["principal" if whom == "principal" else "agent"] is None
    sent = (await (await city.anonymous()).get("/v1/sandbox/messages")).json()["items"]
    texts = {m["to"]: m["text"] for m in reversed(sent) if m["to"] in {known, unknown}}
    assert texts[known] == texts[unknown]
    listed = (await lists(client))["held" if whom == "principal" else "granted"]
    ours = [one for one in listed if one["id"] in {a.json()["id"] for a in answers}]
    assert {one["state"] for one in ours} == {"invited"}


async def test_who_comes_later_finds_the_invitation(city: City) -> None:
    client, phone = await city.citizen("newlywed_wife"), new_phone()
    made = (await invited(client, phone, "principal")).json()
    new = await city.by_phone(phone)
    (waiting,) = (await lists(new))["granted"]
    assert (waiting["id"], waiting["can_accept"]) == (made["id"], True)
    assert (await new.post(f"{HOME}/{made['id']}/acceptance")).json()["state"] == "active"
    acts = await acting(city, client, made)
    assert (await acts.get("/v1/me")).json()["level"] == 1, "known no better than the principal is"


async def test_an_agent_is_known_by_name_before_they_accept(city: City) -> None:
    giver, phone = await city.citizen("newlywed_wife"), new_phone()
    made = (await invited(giver, phone, "agent")).json()
    new = await city.by_phone(phone)
    refused = await new.post(f"{HOME}/{made['id']}/acceptance")
    assert problem(refused) == (403, "actor-unproven")
    assert (await lists(new))["held"][0]["state"] == "invited"


@pytest.mark.parametrize("side", ["agent", "principal"])
async def test_either_side_ends_it_and_what_was_made_from_it(city: City, side: str) -> None:
    made = await agreed(city, "newborn_mother", "newborn_father", ["view", "apply"])
    giver, taker = await city.citizen("newborn_mother"), await city.citizen("newborn_father")
    acts = await acting(city, taker, made)
    assert (await acts.get("/v1/cases")).status_code == 200
    ender = taker if side == "agent" else giver
    for _ in range(2):
        assert (await ender.delete(f"{HOME}/{made['id']}")).status_code == 204
    refused = await acts.get("/v1/cases")
    assert (problem(refused), refused.json()["reason"]) == (
        (401, "token-invalid"),
        "delegation-ended",
    )
    assert problem(await token_for(taker, made)) == (409, "delegation-ended")
    (row,) = [one for one in (await lists(giver))["granted"] if one["id"] == made["id"]]
    assert (row["state"], row["reason"]) == ("ended", side)
    log = (await giver.get("/v1/me/audit", params={"limit": 100})).json()["items"]
    told = [
        (line["kind"], line["claims"], line["by"]) for line in log if "delegation" in line["kind"]
    ]
    assert told[:2] == [
        ("delegation_ended", ["apply", "view"], made["agent" if side == "agent" else "principal"]),
        ("delegation_given", ["apply", "view"], made["agent"]),
    ]  # fmt: skip


async def test_declined_is_declined(city: City) -> None:
    giver, taker = await city.citizen("newborn_mother"), await city.citizen("graduate")
    made = (await invited(giver, (await city.people())["graduate"]["phone"], "agent")).json()
    assert (await taker.delete(f"{HOME}/{made['id']}")).status_code == 204
    assert problem(await taker.post(f"{HOME}/{made['id']}/acceptance")) == (
        404,
        "no-such-delegation",
    )
    (row,) = [one for one in (await lists(giver))["granted"] if one["id"] == made["id"]]
    assert (row["state"], row["reason"]) == ("ended", "declined")


async def test_who_accepts_and_who_takes_back_at_once_agree_on_one_end(city: City) -> None:
    giver, taker = await city.citizen("newborn_mother"), await city.citizen("graduate")
    phone = (await city.people())["graduate"]["phone"]
    for _ in range(4):
        made = (await invited(giver, phone, "agent")).json()
        path = f"{HOME}/{made['id']}"
        await asyncio.gather(taker.post(f"{path}/acceptance"), giver.delete(path))
        assert (await giver.delete(path)).status_code == 204
        refused = await token_for(taker, made)
        assert refused.status_code in {404, 409}, "ended stays ended, whoever was first"


async def test_the_same_key_is_the_same_invitation_and_ten_a_day_are_enough(city: City) -> None:
    phone = new_phone()
    for whom, sender in (("agent", new_phone()), ("principal", "")):
        client = (
            await city.by_phone(sender) if sender else await city.citizen("near_retirement_woman")
        )
        said = {"phone": phone, "whom": whom, "may": ["view"]}
        key = {"idempotency-key": str(uuid4())}
        first = await client.post(f"{HOME}/invitations", json=said, headers=key)
        again = await client.post(f"{HOME}/invitations", json=said, headers=key)
        assert first.json()["id"] == again.json()["id"]
        answers = [await invited(client, new_phone(), whom) for _ in range(10)]
        assert [a.status_code for a in answers][-1] == 429, whom
        assert problem(answers[-1]) == (429, "too-many-delegations")


async def test_an_invitation_that_nobody_answers_lapses(city: City) -> None:
    giver, taker = await city.citizen("newborn_mother"), await city.citizen("graduate")
    made = (await invited(giver, (await city.people())["graduate"]["phone"], "agent")).json()
    await city.house.db.execute(
        "update identity.delegation set answer_by = now() where bucket = $1 and id = $2::uuid",
        ids.bucket_of(UUID(made["id"])), made["id"],
    )  # fmt: skip
    refused = await taker.post(f"{HOME}/{made['id']}/acceptance")
    assert problem(refused)[0] in {404, 409}
    (row,) = [one for one in (await lists(giver))["granted"] if one["id"] == made["id"]]
    assert (row["state"], row["reason"]) == ("ended", "lapsed")
