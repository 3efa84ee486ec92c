"""Files that go with a form: kept sealed, checked, given to the shop that has the case."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.city import City
from tests.rooms.cases.steps import PDF, PNG, Applicant, Later, applicant

from civicmall import cases
from civicmall.cases import MATERIAL_MAX, NoSuchCase


@pytest.fixture
async def who(city: City, offices: tuple[str, Any]) -> Applicant:
    return await applicant(city, offices[0])


@pytest.mark.parametrize(
    ("body", "media", "status", "problem"),
    [
        (PNG, "image/jpeg", 422, "material-unfit"),
        (b"", "image/png", 422, "material-unfit"),
        (b"GIF89a", "image/png", 422, "material-unfit"),
        (b" " + PDF, "application/pdf", 422, "material-unfit"),
        (PNG, "image/gif", 415, "material-media"),
        (PNG, "text/html; charset=utf-8", 415, "material-media"),
        (PNG, "", 415, "material-media"),
        (PNG + b"x" * MATERIAL_MAX, "image/png", 413, "body-too-large"),
    ],
)
async def test_a_file_that_can_not_be_taken(
    who: Applicant, office: Any, body: bytes, media: str, status: int, problem: str
) -> None:
    answer = await who.hand_in(body, media)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_a_file_up_to_the_limit_is_taken_once(who: Applicant, office: Any) -> None:
    body, key = PNG + b"x" * (MATERIAL_MAX - len(PNG)), uuid4().hex
    first = await who.hand_in(body, "image/png", key)
    assert first.status_code == 201, first.text
    assert first.json()["size"] == MATERIAL_MAX
    assert (await who.hand_in(body, "image/png", key)).json() == first.json()
    other = await who.hand_in(PNG, "image/png", key)
    assert other.json()["type"] == "/problems/idempotency-key-reused"
    missing = await who.http.post(
        "/v1/cases/materials", content=PNG, headers={"content-type": "image/png"}
    )
    assert missing.status_code == 400


async def test_nobody_can_fill_the_disk(who: Applicant, office: Any) -> None:
    answers = [await who.hand_in(PNG + bytes([n])) for n in range(31)]
    assert [answer.status_code for answer in answers] == [201] * 30 + [409]
    assert answers[-1].json()["type"] == "/problems/too-many-materials"


async def test_papers_are_complete_and_of_the_right_kind(who: Applicant, office: Any) -> None:
    async def errors(*materials: dict[str, str]) -> set[tuple[str, str]]:
        answer = await who.ask(app="permit", materials=materials)
        assert answer.status_code == 422, answer.text
        return {(error["field"], error["problem"]) for error in answer.json()["errors"]}

    photo = await who.paper()
    assert await errors() == {("materials.photo", "required")}
    assert await errors(await who.paper(body=PDF, media="application/pdf")) == {
        ("materials.photo", "not one of image/png, image/jpeg")
    }
    assert ("materials.visa", "not a material of this form") in await errors(
        photo, await who.paper("visa")
    )
    assert ("materials", "one file stands twice") in await errors(photo, {**photo, "code": "paper"})
    assert ("materials.paper", "not there any more") in await errors(
        photo, {"code": "paper", "id": str(uuid4())}
    )
    case = await who.applied(app="permit", materials=[photo])
    assert case["state"] == "running"
    assert await errors(photo) == {("materials.photo", "not there any more")}


async def test_one_file_goes_into_one_case(who: Applicant, office: Any) -> None:
    photo = await who.paper()
    answers = await asyncio.gather(*(who.ask(app="permit", materials=[photo]) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 7
    assert len((await who.http.get("/v1/cases")).json()["items"]) == 1


async def test_the_shop_gets_what_was_handed_in_and_the_citizen_sees_it(
    who: Applicant, city: City, office: Any
) -> None:
    photo = await who.paper()
    case = await who.applied(app="permit", materials=[photo])
    case_id, paper = UUID(case["id"]), UUID(photo["id"])
    handed = office.taken[case["id"]].materials[0]
    assert (handed.code, handed.id, handed.media, handed.size) == (
        "photo", photo["id"], "image/png", len(PNG),
    )  # fmt: skip
    assert await cases.material_for_shop(city.house, who.shop, case_id, paper) == ("image/png", PNG)
    looks = (await who.http.get("/v1/me/accesses")).json()["items"]
    assert [(x["reader"], x["claims"], x["purpose"]) for x in looks] == [
        (f"{who.shop}/permit", ["material"], "apply.material")
    ]
    assert looks[0]["times"] == 2, "by its own code, and here"
    for shop, of, known in (
        ("utility_bills", case_id, paper),
        (who.shop, uuid4(), paper),
        (who.shop, case_id, uuid4()),
        (who.shop, UUID((await who.applied())["id"]), paper),
    ):
        with pytest.raises(NoSuchCase):
            await cases.material_for_shop(city.house, shop, of, known)
    assert (await who.withdraw(case)).status_code == 200
    with pytest.raises(NoSuchCase):
        await cases.material_for_shop(city.house, who.shop, case_id, paper)


async def test_the_shops_own_code_reads_it(who: Applicant, city: City, office: Any) -> None:
    photo = await who.paper()
    await who.applied(app="permit", materials=[photo])
    assert office.read[photo["id"]] == PNG


async def test_nothing_personal_lies_open(who: Applicant, city: City, office: Any) -> None:
    """Whatever the citizen wrote or handed in, and what the office said of it, is sealed."""
    secret = f"王小明{uuid4().hex}"
    photo = await who.paper(body=PNG + secret.encode())
    case = await who.applied(app="permit", materials=[photo], name=secret[:20])
    office.said[case["reference"]] = {"state": "waiting_for_citizen"}
    await who.look(case)
    refused = await who.applied("refuse", name=secret[:20])
    assert (await who.look(refused))["form"]["name"] == secret[:20]
    await city.settled()
    async with city.house.db.acquire() as db:
        tables = await db.fetch(
            "select format('%I.%I', schemaname, tablename) as name from pg_catalog.pg_tables"
            " where schemaname in ('cases', 'kernel', 'inbox')"
        )
        assert len(tables) > 6
        for table in tables:
            rows = await db.fetch(f"select t::text as row from {table['name']} t")  # noqa: S608 (a name of ours)
            for row in rows:
                for part in (secret[:10], secret.encode().hex()[:30], "不符合条件", "照片不清楚"):
                    assert part not in row["row"], table["name"]


async def test_what_waits_too_long_is_forgotten(
    who: Applicant, city: City, later: Later, office: Any
) -> None:
    kept, lost = await who.paper(), await who.paper()
    case = await who.applied(app="permit", materials=[kept])
    assert await cases.forget(city.house) == 0
    later.forward += timedelta(days=1, minutes=1)
    assert await cases.forget(city.house) >= 1
    async with city.house.db.acquire() as db:
        ids = await db.fetch("select id from cases.material where citizen_id = $1", who.id)
    assert [str(row["id"]) for row in ids] == [kept["id"]]
    assert lost["id"] != case["id"]
