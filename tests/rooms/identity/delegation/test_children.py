"""A parent acts for a child, as the register of births proves, until it is eighteen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
import pytest_asyncio
from tests.city import City, running_city
from tests.rooms.identity.delegation.helping import (
    HOME,
    acting,
    as_parent,
    child_of,
    lists,
    token_for,
)
from tests.rooms.identity.steps import problem

from civicmall import identity
from civicmall.identity import delegation, levels
from civicmall.identity.delegation import rules
from civicmall.kernel.clock import Clock, FixedClock
from civicmall.kernel.config import Settings
from civicmall.shops import Registry
from shopkit.sandbox import Child, Person, children, people


async def test_a_mother_acts_for_her_child_without_a_phone(city: City) -> None:
    mother, child = await city.citizen("school_mother"), child_of(city, "school_mother")
    made = await as_parent(mother, child)
    assert (made["kind"], made["state"], made["side"]) == ("child", "active", "agent")
    assert made["may"] == ["view", "apply", "pay"]
    assert made["other"] == child.name[0] + "**"
    assert child.name not in str(made)
    assert child.id_number not in str(made)

    acts = await acting(city, mother, made)
    me = (await acts.get("/v1/me")).json()
    assert (me["id"], me["phone"], me["level"], me["kind"]) == (made["principal"], "", 2, "person")
    assert me["name"] == child.name[0] + "**"
    assert me["facts"]["birth_date"] == child.birth_date.isoformat()
    assert (await mother.get("/v1/me")).json()["id"] != me["id"]


async def test_both_parents_act_for_the_same_child_each_by_their_own(city: City) -> None:
    child = child_of(city, "newborn_mother")
    parents = [await city.citizen("newborn_mother"), await city.citizen("newborn_father")]
    first = await asyncio.gather(*(as_parent(one, child) for one in parents for _ in range(3)))
    assert len({one["principal"] for one in first}) == 1
    assert len({one["id"] for one in first}) == 2, "proved again, it is the one that there is"
    for parent in parents:
        held = [one for one in (await lists(parent))["held"] if one["kind"] == "child"]
        assert len(held) == 1
    gone = await parents[0].delete(f"{HOME}/{(await lists(parents[0]))['held'][0]['id']}")
    assert gone.status_code == 204
    (other,) = (await lists(parents[1]))["held"]
    assert (await token_for(parents[1], other)).status_code == 200


@pytest.mark.parametrize("who", ["stranger", "wrong name", "nobody", "no number"])
async def test_who_is_no_parent_learns_nothing(city: City, who: str) -> None:
    child = child_of(city, "school_mother")
    asks = {"name": child.name, "id_number": child.id_number}
    client = await city.citizen("graduate" if who == "stranger" else "school_mother")
    if who == "wrong name":
        asks["name"] = "刘别的"
    elif who == "nobody":
        today = city.house.clock.today()
        asks["id_number"] = next(c for c in children(today) if c.name != child.name).id_number
    elif who == "no number":
        asks["id_number"] = child.id_number[:17] + ("1" if child.id_number[17] == "X" else "X")
    answer = await client.post(f"{HOME}/children", json=asks)
    assert problem(answer) == (422, "relation-unproven")
    assert answer.json().keys() == {"type", "title", "status", "trace_id"}


async def test_an_adult_child_is_invited_and_not_proved(city: City) -> None:
    person = (await city.people())["graduate"]
    answer = await (await city.citizen("school_mother")).post(
        f"{HOME}/children", json={"name": person["name"], "id_number": person["id_number"]}
    )
    assert problem(answer) == (422, "of-age")


async def test_before_a_parent_is_known_by_name_nothing_is_proved(city: City) -> None:
    child = child_of(city, "school_mother")
    new = await city.by_phone("19700009999")
    answer = await new.post(
        f"{HOME}/children", json={"name": child.name, "id_number": child.id_number}
    )
    assert problem(answer) == (403, "actor-unproven")
    assert answer.json()["needed"] == 2


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def birthday(
    settings: Settings, registry: Registry
) -> AsyncGenerator[tuple[City, FixedClock, Person, Child]]:
    """A city in the last minutes before a child's eighteenth birthday, and its parent."""
    probe = FixedClock(rules.of_age_at(_nearly_grown().birth_date) - timedelta(minutes=5))
    async with running_city(settings, registry, probe) as found:
        child = _nearly_grown()
        parent = next(one for one in people(probe.today()) if one.id_number == child.parents[0])
        yield found, probe, parent, child


def _nearly_grown() -> Child:
    """The oldest of those whom the sandbox's register has today."""
    return min(children(Clock().today()), key=lambda one: one.birth_date)


async def test_at_eighteen_it_ends_by_itself(
    birthday: tuple[City, FixedClock, Person, Child],
) -> None:
    """Five minutes before midnight a token lives five minutes; at midnight there is none."""
    city, clock, person, child = birthday
    parent = await city.by_phone(person.phone)
    who = {"name": person.name, "id_number": person.id_number}
    raised = await parent.post("/v1/me/verification", json=who)
    assert raised.status_code == 200, raised.text
    parent = await city.client(raised.json()["access_token"])
    made = await as_parent(parent, child)
    answer = (await token_for(parent, made)).json()
    assert 0 < answer["expires_in"] <= 300
    acts = await city.client(answer["access_token"])
    assert (await acts.get("/v1/me")).status_code == 200

    own = await identity.account(city.house, "19700009998")
    grown = partial(levels.attest, city.house, own, child.name, child.id_number, by="counter")
    with pytest.raises(identity.NumberTaken):
        await grown()

    clock.move(timedelta(minutes=5))
    assert problem(await acts.get("/v1/me")) == (401, "token-expired")
    refused = await token_for(parent, made)
    assert (problem(refused), refused.json()["reason"]) == ((409, "delegation-ended"), "of_age")
    await delegation.watch(city.house, city.parts.tokens)
    (row,) = [one for one in (await lists(parent))["held"] if one["id"] == made["id"]]
    assert (row["state"], row["reason"], row["ended_at"] is not None) == ("ended", "of_age", True)
    again = await parent.post(
        f"{HOME}/children", json={"name": child.name, "id_number": child.id_number}
    )
    assert problem(again) == (422, "of-age")
    assert (await grown()).level == 2, "of age, with a phone, they have an account of their own"
    other = await identity.account(city.house, "19700009997")
    with pytest.raises(identity.NumberTaken):
        await levels.attest(city.house, other, child.name, child.id_number, by="counter")
    old = await identity.row(city.house.db, UUID(made["principal"]))
    assert (old.id == own, old.phone) == (False, None), "what was before stays closed"
