"""Who a citizen is: the register's word, their own, and who holds which ID number."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import date
from typing import Any, Final, cast
from uuid import UUID

import httpx
import pytest
from tests.city import City
from tests.rooms.identity.steps import new_phone, pair_for, problem, refreshed, verified

from civicmall import identity
from civicmall.identity import AccessRow
from civicmall.kernel import ids
from civicmall.kernel.errors import NotFound
from shopkit.sandbox import Person, households, id_number

HOMES = households()


async def someone(city: City) -> httpx.AsyncClient:
    """A new citizen at level 1."""
    return await city.client((await pair_for(city))["access_token"])


async def asked(client: httpx.AsyncClient, person: Person) -> httpx.Response:
    """Ask to be verified as this person."""
    return await verified(client, person.name, person.id_number)


async def test_the_register_raises_the_level_and_attests(city: City) -> None:
    person = HOMES[1]
    pair = await pair_for(city)
    client = await city.client(pair["access_token"])
    answer = await asked(client, person)
    assert answer.status_code == 200, answer.text
    profile = answer.json()["profile"]
    assert profile["level"] == 2
    assert profile["name"] == person.name[0] + "*" * (len(person.name) - 1)
    assert profile["id_number"] == f"{person.id_number[:4]}{'*' * 12}{person.id_number[-2:]}"
    assert person.id_number not in answer.text
    assert profile["facts"]["birth_date"] == person.birth_date.isoformat()
    assert profile["declared"] == []

    again = await asked(client, person)
    assert again.json()["profile"] == profile
    assert (await client.get("/v1/me")).json() == profile


async def test_the_new_token_carries_the_new_level_and_the_old_one_does_not(city: City) -> None:
    pair = await pair_for(city)
    client = await city.client(pair["access_token"])
    raised = (await asked(client, HOMES[2])).json()
    after = await city.client(raised["access_token"])
    path = "/v1/shops/public_security/apps/id_card/progress"
    assert problem(await client.get(path)) == (403, "level-too-low")
    assert problem(await after.get(path)) == (403, "consent-needed")
    renewed = (await refreshed(client, pair["refresh_token"])).json()
    found = city.parts.tokens.check(renewed["access_token"])
    assert found.level == 2
    assert found == city.parts.tokens.check(raised["access_token"])


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("查无此人", HOMES[3].id_number),
        (HOMES[3].name, HOMES[4].id_number),
        (HOMES[3].name, HOMES[3].id_number[:-1] + "0"),
        (HOMES[3].name, "990001199602301239"),
    ],
    ids=["another name", "another number", "bad check digit", "no such day"],
)
async def test_who_is_not_in_the_register_is_told_one_thing(
    city: City, name: str, number: str
) -> None:
    client = await someone(city)
    answer = await verified(client, name, number)
    assert problem(answer) == (422, "not-in-register")
    assert (await client.get("/v1/me")).json()["level"] == 1
    assert number not in answer.text


@pytest.mark.parametrize("number", ["", "12345", "99000119960308123x", "99000119960308123 "])
async def test_a_number_of_another_form_is_no_number(city: City, number: str) -> None:
    answer = await verified(await someone(city), "王晓明", number)
    assert problem(answer) == (400, "bad-request")
    assert "id_number" in answer.text


async def test_a_number_belongs_to_one_account(city: City) -> None:
    person = HOMES[5]
    first, second = await someone(city), await someone(city)
    assert (await asked(first, person)).status_code == 200
    assert problem(await asked(second, person)) == (409, "id-number-taken")
    assert (await second.get("/v1/me")).json()["level"] == 1
    other = await asked(first, HOMES[6])
    assert problem(other) == (409, "already-verified")
    assert (await asked(second, HOMES[6])).status_code == 200  # asking for it took nothing


async def test_of_two_accounts_that_claim_a_number_at_once_one_gets_it(city: City) -> None:
    for person in HOMES[10:14]:
        clients = [await someone(city) for _ in range(4)]
        answers = await asyncio.gather(*(asked(client, person) for client in clients))
        assert sorted(a.status_code for a in answers) == [200, 409, 409, 409]
        levels = [(await client.get("/v1/me")).json()["level"] for client in clients]
        assert sorted(levels) == [1, 1, 1, 2]


async def test_one_account_that_claims_two_numbers_at_once_keeps_one(city: City) -> None:
    for one, two in zip(HOMES[20:26:2], HOMES[21:26:2], strict=True):
        client = await someone(city)
        answers = await asyncio.gather(
            *(asked(client, person) for person in (one, two) for _ in range(3))
        )
        told = {(a.status_code, a.request.content) for a in answers}
        assert sorted(status for status, _ in told) == [200, 409]
        left = one if (await asked(client, two)).status_code == 200 else two
        assert (await asked(await someone(city), left)).status_code == 200


async def test_the_registers_word_counts_more_than_ones_own(city: City) -> None:
    person = HOMES[30]
    client = await someone(city)
    own = "unemployed"
    assert person.facts["employment"] != own
    said = await client.put("/v1/me/facts", json={"facts": {"employment": own, "pregnant": True}})
    assert said.status_code == 200, said.text
    assert said.json()["declared"] == ["employment", "pregnant"]
    profile = (await asked(client, person)).json()["profile"]
    assert profile["facts"]["employment"] == person.facts["employment"]
    assert profile["facts"]["pregnant"] is True
    assert profile["declared"] == ["pregnant"]


async def test_facts_are_kept_changed_and_forgotten(city: City) -> None:
    client = await someone(city)

    async def tell(**facts: Any) -> dict[str, Any]:
        answer = await client.put("/v1/me/facts", json={"facts": facts})
        assert answer.status_code == 200, answer.text
        return answer.json()["facts"]

    assert await tell(housing="tenant", student=True) == {"housing": "tenant", "student": True}
    assert await tell(housing="owner") == {"housing": "owner", "student": True}
    assert await tell(student=None) == {"housing": "owner"}
    assert (await client.get("/v1/me")).json()["facts"] == {"housing": "owner"}


async def test_of_facts_told_at_once_none_is_lost(city: City) -> None:
    client = await someone(city)
    names = ["pregnant", "veteran", "student", "low_income", "has_vehicle", "has_disability"]
    await asyncio.gather(
        *(client.put("/v1/me/facts", json={"facts": {name: True}}) for name in names)
    )
    assert (await client.get("/v1/me")).json()["declared"] == sorted(names)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"employment": "astronaut"}, "facts.employment"),
        ({"married_on": "soon"}, "facts.married_on"),
        ({"birth_date": "1990-01-01"}, "facts.birth_date"),
        ({"housing": "owner", "level": 3}, "facts.level"),
    ],
)
async def test_a_fact_that_cant_be_taken_is_named(
    city: City, facts: dict[str, Any], field: str
) -> None:
    client = await someone(city)
    answer = await client.put("/v1/me/facts", json={"facts": facts})
    assert problem(answer) == (422, "bad-declaration")
    assert [e["field"] for e in answer.json()["errors"]] == [field]
    assert (await client.get("/v1/me")).json()["facts"] == {}


def test_an_access_row_has_no_citizen_in_it() -> None:
    assert AccessRow.__struct_fields__ == (
        "seq", "at", "reader", "staff", "claims", "purpose", "reason", "by", "times",
    )  # fmt: skip


FOR_TESTS: Final = {"zh-CN": "用于测试", "en": "for tests"}


async def test_a_shop_gets_what_is_known_and_each_such_look_is_noted(city: City) -> None:
    person = HOMES[40]
    client = await someone(city)
    me = UUID((await client.get("/v1/me")).json()["id"])
    names = ["phone", "name", "id_number", "birth_date", "sex", "shoe_size"]
    await identity.agreements.agree(city.house, me, "tests/one", dict.fromkeys(names, FOR_TESTS))

    async def look(purpose: str, names: list[str] = names) -> dict[str, str]:
        asked = [(name, FOR_TESTS["zh-CN"]) for name in names]
        given = await identity.give(city.house, me, "tests", "one", asked, purpose=purpose)
        return given.claims

    assert set(await look("before")) == {"phone"}
    assert (await asked(client, person)).status_code == 200
    found = await look("after")
    assert found.pop("phone").startswith("198")
    assert found == {
        "name": person.name, "id_number": person.id_number, "sex": person.sex,
        "birth_date": person.birth_date.isoformat(),
    }  # fmt: skip
    assert await look("none", []) == {}
    assert await look("nothing known", ["shoe_size"]) == {}
    assert (await look("after", ["name"])).keys() == {"name"}
    rows = (await client.get("/v1/me/accesses")).json()["items"]
    assert [(r["reader"], r["purpose"], r["claims"], r["times"]) for r in rows] == [
        ("tests/one", "after", ["name"], 1),
        ("tests/one", "after", ["birth_date", "id_number", "name", "phone", "sex"], 1),
        ("tests/one", "before", ["phone"], 1),
    ]  # fmt: skip
    assert (await identity.facts(city.house, me))["birth_date"] == person.birth_date.isoformat()


async def test_a_shop_gets_only_what_was_agreed_to(city: City) -> None:
    client = await someone(city)
    me = UUID((await client.get("/v1/me")).json()["id"])
    assert (await asked(client, HOMES[43])).status_code == 200
    some = ["phone", "name"]
    await identity.agreements.agree(city.house, me, "tests/two", dict.fromkeys(some, FOR_TESTS))

    async def look(app: str, *names: str, some: bool = False) -> tuple[set[str], set[str]]:
        asked = [(name, FOR_TESTS["zh-CN"]) for name in names]
        given = await identity.give(city.house, me, "tests", app, asked, purpose="look", some=some)
        return {claim for claim, _ in given.agreed}, set(given.claims)

    assert await look("two", "phone", "id_number") == ({"phone"}, set())
    assert await look("three", "phone") == (set(), set())
    assert (await client.get("/v1/me/accesses")).json()["items"] == []
    assert await look("two", "phone", "id_number", some=True) == ({"phone"}, {"phone"})
    assert await look("three", "phone", some=True) == (set(), set())
    (row,) = (await client.get("/v1/me/accesses")).json()["items"]
    assert (row["reader"], row["claims"]) == ("tests/two", ["phone"])
    with pytest.raises(NotFound):
        await identity.give(city.house, ids.new(3), "tests", "two", [], purpose="look")


async def test_who_does_not_exist_is_not_found(city: City) -> None:
    with pytest.raises(NotFound):
        await identity.facts(city.house, ids.new(3))


async def test_a_number_of_nobody_is_not_in_the_register(city: City) -> None:
    answer = await verified(await someone(city), "王晓明", id_number(date(1970, 1, 1), 498, "male"))
    assert problem(answer) == (422, "not-in-register")


@pytest.mark.parametrize("table", ["phone", "id_number"])
async def test_who_comes_second_in_one_instant_sees_who_came_first(city: City, table: str) -> None:
    """The statement begins before the first one's commit and so can't see it; it looks again."""
    winner, phone, person = ids.new(1), new_phone(), HOMES[41]
    text = phone if table == "phone" else person.id_number
    blind = city.house.keys.blind(text, table)
    client = await someone(city)
    async with city.house.db.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            f"insert into identity.{table} (bucket, blind, citizen_id) values ($1, $2, $3)",  # noqa: S608
            *(blind[0], blind, winner),
        )
        ask = identity.account(city.house, phone) if table == "phone" else asked(client, person)
        second = asyncio.ensure_future(cast("Awaitable[Any]", ask))
        await asyncio.sleep(0.2)
        assert not second.done()
        await transaction.commit()
    found = await second
    if table == "phone":
        assert found == winner
    else:
        assert problem(found) == (409, "id-number-taken")
