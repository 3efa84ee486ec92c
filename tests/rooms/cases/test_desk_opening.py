"""A department opens what was handed in: its own cases, with a reason, and the citizen sees it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from tests.city import City
from tests.rooms.cases.steps import PNG, Applicant, applicant

from civicmall import identity
from civicmall.identity import Role

WHY = {"reason": "case", "words": "核对申请材料"}
PASSWORD = "correct horse battery"


@pytest.fixture
async def who(city: City, offices: tuple[str, Any]) -> Applicant:
    return await applicant(city, offices[0])


async def desk(city: City, role: Role, shop: str | None) -> Any:
    """A new member of staff."""
    username = f"desk-{uuid4().hex[:8]}"
    await identity.add_staff(city.house, username, PASSWORD, "许岚", role, shop)
    answer = await (await city.anonymous()).post(
        "/v1/staff/tokens", json={"username": username, "password": PASSWORD}
    )
    return await city.client(answer.json()["access_token"])


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_a_case_is_opened_with_a_reason(city: City, who: Applicant, office: Any) -> None:
    paper = await who.paper()
    case = await who.applied(app="permit", amount=100, materials=[paper, await who.paper("paper")])
    agent, colleague = await desk(city, "agent", who.shop), await desk(city, "manager", who.shop)
    path = f"/v1/desk/cases/{case['id']}"
    material = f"{path}/materials/{paper['id']}"
    for closed in (path, material):
        assert problem(await agent.get(closed)) == (403, "reason-needed")
    for body in ({}, {"reason": "case"}, {**WHY, "words": "abc"}, {**WHY, "reason": "bored"}):
        assert problem(await agent.post(f"{path}/opening", json=body)) == (400, "bad-request")
    assert problem(await agent.get(path)) == (403, "reason-needed")

    opened = await agent.post(f"{path}/opening", json=WHY)
    assert opened.status_code == 200, opened.text
    found = (await agent.get(path)).json()
    assert found["until"] == opened.json()["until"]
    assert found["form"]["name"] == "李四光明"
    assert {one["id"] for one in found["materials"]} >= {paper["id"]}
    kept = await agent.get(material)
    assert (kept.content, kept.headers["content-type"]) == (PNG, "image/png")
    assert kept.headers["content-disposition"] == "attachment"
    assert problem(await agent.get(f"{path}/materials/{uuid4()}")) == (404, "no-such-case")
    assert problem(await colleague.get(path)) == (403, "reason-needed")  # it is open to one

    lines = (await who.http.get("/v1/me/accesses")).json()["items"]
    line = next(one for one in lines if one["purpose"] == "desk.open")
    me = (await agent.get("/v1/staff/me")).json()["staff_id"]
    assert (line["reader"], line["by"]) == (f"staff:{me}", me)
    assert line["claims"] == ["form", "material"]
    assert WHY["words"] in line["reason"]

    await city.house.db.execute("update identity.reading set expires_at = now()")
    for closed in (path, material):
        assert problem(await agent.get(closed)) == (403, "reason-needed")


async def test_others_cases_are_none(city: City, who: Applicant, office: Any) -> None:
    case = await who.applied()
    others = [
        await desk(city, "manager", "utility_bills"), await desk(city, "agent", "utility_bills"),
        await city.operator(),
    ]  # fmt: skip
    path = f"/v1/desk/cases/{case['id']}"
    for one in others:
        assert problem(await one.post(f"{path}/opening", json=WHY)) == (404, "no-such-case")
        assert problem(await one.get(path)) == (404, "no-such-case")
    auditor = await desk(city, "auditor", None)
    assert problem(await auditor.post(f"{path}/opening", json=WHY)) == (403, "not-allowed")
    assert problem(await auditor.get(path)) == (403, "not-allowed")
    lines = (await who.http.get("/v1/me/accesses")).json()["items"]
    assert [one for one in lines if one["purpose"] == "desk.open"] == []


async def test_what_was_taken_back_is_closed(city: City, who: Applicant, office: Any) -> None:
    case = await who.applied()
    agent = await desk(city, "agent", who.shop)
    path = f"/v1/desk/cases/{case['id']}"
    assert (await agent.post(f"{path}/opening", json=WHY)).status_code == 200
    assert (await who.withdraw(case)).status_code == 200
    assert problem(await agent.get(path)) == (404, "no-such-case")
    assert problem(await agent.post(f"{path}/opening", json=WHY)) == (404, "no-such-case")
