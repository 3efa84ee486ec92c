"""The shop as the platform calls it, on its own sandbox data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from public_security import shop

from shopkit import NotFound, Progress, ProgressQuery, Refused, ShopDb
from shopkit.call import Citizen
from shopkit.local import CITY
from shopkit.sandbox import Person, people
from shopkit.testing import TestShop

COUNT = "select (select count(*) from application) + (select count(*) from event)"


@pytest.fixture(scope="module")
async def bureau(db: ShopDb) -> AsyncIterator[TestShop]:
    async with TestShop(shop, db) as t:
        yield t


@pytest.fixture(scope="module")
def everybody(bureau: TestShop) -> dict[str, Person]:
    return {person.key: person for person in people(bureau.now.astimezone(CITY).date())}


def persona(everybody: dict[str, Person], name: str) -> Person:
    return next(person for person in everybody.values() if person.persona == name)


async def matters(
    bureau: TestShop, citizen: Person | Citizen, app: str = "id_card", **query: Any
) -> list[Progress]:
    return await bureau.call(app, "progress.list", ProgressQuery(**query), citizen=citizen)


@pytest.mark.parametrize(
    ("name", "state", "title"),
    [
        ("newborn_mother", "running", "居民身份证申领（未满十六周岁）"),
        ("newborn_father", "running", "居民身份证补领（丢失、损坏）"),
        ("school_mother", "finished", "居民身份证换领"),
        ("graduate", "waiting_for_citizen", "居民身份证换领"),
        ("newlywed_wife", "running", "居民身份证换领"),
        ("newlywed_husband", "refused", "居民身份证补领（丢失、损坏）"),
        ("near_retirement_man", "ready", "居民身份证换领"),
        ("near_retirement_woman", "running", "居民身份证换领"),
    ],
)
async def test_each_persona_is_in_another_phase(
    bureau: TestShop, everybody: dict[str, Person], name: str, state: str, title: str
) -> None:
    (only,) = await matters(bureau, persona(everybody, name))
    assert (only.state, only.title["zh-CN"]) == (state, title)
    assert only.applied_on < bureau.now.astimezone(CITY).date()
    if only.due_on is not None:
        assert only.due_on > bureau.now.astimezone(CITY).date()


@pytest.mark.parametrize(
    ("name", "state", "title"),
    [
        ("newborn_father", "ready", "居住证换领、补领"),
        ("school_mother", "finished", "居住证签注"),
        ("graduate", "running", "居住证申领"),
        ("newlywed_wife", "finished", "居住证签注"),
        ("newlywed_husband", "waiting_for_citizen", "居住证申领"),
    ],
)
async def test_some_personas_have_a_residence_permit(
    bureau: TestShop, everybody: dict[str, Person], name: str, state: str, title: str
) -> None:
    who = persona(everybody, name)
    (only,) = await matters(bureau, who, app="residence_permit")
    assert (only.state, only.title["zh-CN"]) == (state, title)
    assert only.id.startswith("JZ")
    assert all(m.id.startswith("SF") for m in await matters(bureau, who))


async def test_each_app_knows_its_own_matters_only(
    bureau: TestShop, everybody: dict[str, Person]
) -> None:
    graduate = persona(everybody, "graduate")
    (card,) = await matters(bureau, graduate)
    with pytest.raises(NotFound, match="没有您提交的这项居住证申请"):
        await matters(bureau, graduate, app="residence_permit", id=card.id)
    found = await bureau.call("id_card", "progress.get", card.id, citizen=graduate)
    assert found == card


async def test_one_kind_of_application_does_not_keep_out_the_other(
    bureau: TestShop, everybody: dict[str, Person]
) -> None:
    both = [
        p for p in everybody.values()
        if await matters(bureau, p) and await matters(bureau, p, app="residence_permit")
    ]  # fmt: skip
    assert len(both) > 20


async def test_the_graduate_misses_a_photo(bureau: TestShop, everybody: dict[str, Person]) -> None:
    (only,) = await matters(bureau, persona(everybody, "graduate"))
    assert [text["en"] for text in only.missing] == [
        "A recent bareheaded photo that meets the card standard"
    ]


async def test_every_third_household_has_one(
    bureau: TestShop, everybody: dict[str, Person]
) -> None:
    households = [p for p in everybody.values() if p.persona == "household"][:60]
    with_one = [p for p in households if await matters(bureau, p)]
    assert len(with_one) == 20


async def test_newest_first_within_the_limit_and_one_by_id(
    bureau: TestShop, everybody: dict[str, Person]
) -> None:
    for person in everybody.values():
        if len(found := await matters(bureau, person)) > 1:
            break
    else:
        pytest.fail("nobody has two")
    assert found == sorted(found, key=lambda p: p.applied_on, reverse=True)
    assert await matters(bureau, person, limit=1) == found[:1]
    assert await matters(bureau, person, id=found[1].id) == found[1:]


async def test_somebody_elses_looks_like_none(
    bureau: TestShop, everybody: dict[str, Person]
) -> None:
    graduate, mother = (persona(everybody, name) for name in ("graduate", "newborn_mother"))
    (foreign,) = await matters(bureau, mother)
    said: list[str] = []
    for unknown in (foreign.id, "SF19990101-00000", "x"):
        with pytest.raises(NotFound) as refusal:
            await matters(bureau, graduate, id=unknown)
        said.append(refusal.value.detail)
    assert set(said) == {"没有您提交的这项身份证申请"}


async def test_the_refusal_is_in_the_callers_language(
    bureau: TestShop, everybody: dict[str, Person]
) -> None:
    with pytest.raises(NotFound, match="You have handed in no such"):
        await bureau.call(
            "id_card", "progress.list", ProgressQuery(id="x"),
            citizen=persona(everybody, "graduate"), lang="en",
        )  # fmt: skip


async def test_without_the_claim_it_refuses(bureau: TestShop) -> None:
    with pytest.raises(Refused):
        await matters(bureau, Citizen("nobody", 2))


async def test_somebody_without_applications_gets_an_empty_list(bureau: TestShop) -> None:
    assert await matters(bureau, Citizen("new", 2, {"id_number": "990001200001010013"})) == []


async def test_seeding_again_changes_nothing(bureau: TestShop, db: ShopDb) -> None:
    before = await db.fetchval(COUNT)
    await bureau.seed()
    assert await db.fetchval(COUNT) == before > 1000


async def test_what_was_put_in_stays_as_days_go_by(
    bureau: TestShop, everybody: dict[str, Person]
) -> None:
    person = persona(everybody, "newborn_father")
    before = await matters(bureau, person)
    later = TestShop(shop, bureau.db, now=bureau.now + timedelta(days=5))
    await later.seed()
    after = await later.call("id_card", "progress.list", ProgressQuery(), citizen=person)
    assert after == before


@pytest.mark.usefixtures("bureau")
async def test_no_id_number_is_stored(db: ShopDb, everybody: dict[str, Person]) -> None:
    rows = await db.fetch("select a::text from application a union all select e::text from event e")
    stored = "\n".join(row[0] for row in rows)
    for person in everybody.values():
        assert person.id_number not in stored
        assert person.id_number.encode().hex() not in stored
        assert person.name not in stored


@pytest.mark.usefixtures("bureau")
@pytest.mark.parametrize(
    "statement",
    ["update event set what = 'collected'", "delete from event", "delete from application",
     "update application set kind = 'first'", "truncate event"],
)  # fmt: skip
async def test_history_can_only_be_added_to(db: ShopDb, statement: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        await db.execute(statement)
