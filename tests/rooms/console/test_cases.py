"""The desk of cases: a list without citizens, a case that opens with a reason and closes by itself."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
import pytest_asyncio
from tests import workshop
from tests.city import City, running_city
from tests.rooms.cases.steps import PNG, Applicant, applicant, office_registry
from tests.rooms.console.steps import shown, sign_in, stranger, words

from civicmall import cases, identity
from civicmall.cases import NewCase
from civicmall.identity import Role
from civicmall.identity.models import Actor
from civicmall.kernel.config import Settings
from civicmall.shops import Registry

WHY = {"reason": "case", "words": "核对申请材料"}
PASSWORD = "correct horse battery"
NAME = "李四光明"


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Registry]:
    """The office's id, and the registry that it is in."""
    return office_registry(tmp_path_factory.mktemp("office"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, offices: tuple[str, Registry]) -> AsyncGenerator[City]:
    async with running_city(settings, offices[1]) as found:
        yield found


@pytest.fixture
async def who(city: City, offices: tuple[str, Any]) -> Applicant:
    return await applicant(city, offices[0])


@pytest_asyncio.fixture(loop_scope="session")
async def agent(city: City, who: Applicant) -> AsyncGenerator[httpx.AsyncClient]:
    async with stranger(city) as browser:
        await at_work(city, browser, "agent", who.shop)
        yield browser


async def at_work(city: City, browser: httpx.AsyncClient, role: Role, shop: str | None) -> None:
    """A new member of staff, signed in at this browser."""
    username = f"desk-{uuid4().hex[:8]}"
    await identity.add_staff(city.house, username, PASSWORD, "许岚", role, shop)
    assert (await sign_in(browser, username, PASSWORD)).status_code == 303


async def opened(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.post(f"{path}/open", data=WHY)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=open")


async def test_a_case_is_opened_read_and_closes(
    city: City, who: Applicant, agent: httpx.AsyncClient
) -> None:
    paper, more = await who.paper(), await who.paper("paper")
    case = await who.applied(app="permit", amount=12_345, materials=[paper, more])
    await city.settled()
    path = f"/console/cases/{case['id']}"
    page = await shown(agent, "/console/cases")
    assert path in page
    assert NAME not in page

    closed = await shown(agent, path)
    assert NAME not in closed
    assert case["title"] not in closed
    for kept_in in (path, f"{path}/materials/{paper['id']}"):
        assert NAME not in (await agent.get(kept_in)).text
    assert (await agent.get(f"{path}/materials/{paper['id']}")).headers["location"] == path
    for form in ({}, {**WHY, "words": "abc"}, {**WHY, "reason": "bored"}):
        answer = await agent.post(f"{path}/open", data=form)
        assert answer.status_code == 400
        assert "请选择原因" in answer.text
    assert NAME not in await shown(agent, path)

    await opened(agent, path)
    answer = await agent.get(path)
    assert 890 <= int(answer.headers["refresh"]) <= 902, "the browser asks anew when it is over"
    said = words(answer.text)
    assert NAME in said
    assert "¥123.45" in said  # as the form has it: an amount, under its name
    title = re.search(r"<title>(.*?)</title>", answer.text)
    assert title is not None
    assert NAME not in title[1]
    kept = await agent.get(f"{path}/materials/{paper['id']}")
    assert (kept.content, kept.headers["content-type"]) == (PNG, "image/png")
    assert kept.headers["content-disposition"] == "attachment"
    assert (await agent.get(f"{path}/materials/{uuid4()}")).status_code == 404
    assert (await agent.get(f"{path}/materials/x")).status_code == 404

    await city.house.db.execute("update identity.reading set expires_at = now()")
    again = await shown(agent, path)
    assert NAME not in again
    assert (await agent.get(f"{path}/open")).headers["location"] == path


async def test_what_was_brought_later_and_by_whom(
    city: City, who: Applicant, agent: httpx.AsyncClient, offices: tuple[str, Registry]
) -> None:
    office: Any = workshop.inside(offices[0])
    helper = await applicant(city, who.shop)
    actor = Actor(helper.id, uuid4(), frozenset({"apply"}))
    made = await cases.submit(
        city.house, city.parts.gateway, city.parts.registry,
        msgspec.structs.replace(who.caller, actor=actor), uuid4().hex,
        NewCase(who.shop, "plain", {"name": NAME, "end": "accept", "copies": 1}), "zh-CN",
    )  # fmt: skip
    case = {"id": str(made.id)}
    office.said[made.reference] = {"state": "waiting_for_citizen"}
    await who.look(case)
    assert (await who.supplement(case, copies=2)).status_code == 201
    await city.settled()
    assert "由他人代办提交" in words(await shown(agent, "/console/cases"))
    path = f"/console/cases/{made.id}"
    await opened(agent, path)
    said = words(await shown(agent, path))
    names = await identity.delegation.names(city.house, {helper.id})
    assert said.count(f"由 {names[helper.id]} 代办") == 1, "the supplement was the citizen's own"
    assert re.search(r"补正 .*份数 2 ", said), "beside what was filled in first"


async def test_the_list_is_filtered_and_paged(
    city: City, who: Applicant, agent: httpx.AsyncClient
) -> None:
    accepted = await who.applied("accept")
    refused = await who.applied("refuse")
    await city.settled()
    page = await shown(agent, "/console/cases", state="refused")
    assert refused["id"] in page
    assert accepted["id"] not in page
    assert accepted["id"] not in await shown(agent, "/console/cases", overdue="1")
    assert (await agent.get("/console/cases?state=void")).status_code == 400
    await city.house.db.execute(
        "insert into cases.desk_case (shop, id, app, state, submitted_at, version)"
        " select shop, gen_random_uuid(), app, 'ready', submitted_at, 1"
        " from cases.desk_case, generate_series(1, 31) where id = $1",
        accepted["id"],
    )
    first = await shown(agent, "/console/cases", state="ready")
    following = re.search(r'href="(/console/cases\?[^"]*after=[^"]*)"', first)
    assert following is not None
    rest = await shown(agent, following[1].replace("&amp;", "&"))
    seen = [re.findall(r'href="/console/cases/([0-9a-f-]{36})"', page) for page in (first, rest)]
    assert [len(ids) for ids in seen] == [30, 1]
    assert not set(seen[0]) & set(seen[1])


async def test_what_people_write_stays_text(
    city: City, who: Applicant, agent: httpx.AsyncClient
) -> None:
    case = await who.applied(app="plain", name="<script>x</script>")
    await city.settled()
    path = f"/console/cases/{case['id']}"
    await opened(agent, path)
    page = await shown(agent, path)
    assert "<script>x" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("role", "listed", "inside"), [("manager", 200, 404), ("operator", 200, 404), ("auditor", 403, 403)]
)  # fmt: skip
async def test_others_do_not_get_in(
    city: City, who: Applicant, role: Role, listed: int, inside: int
) -> None:
    case = await who.applied()
    await city.settled()
    path = f"/console/cases/{case['id']}"
    async with stranger(city) as browser:
        await at_work(city, browser, role, "utility_bills" if role == "manager" else None)
        page = await shown(browser, "/console/cases", listed)
        assert path not in page
        assert ("/console/cases" in await shown(browser, "/console/")) == (listed == 200)
        assert (await browser.get(path)).status_code == inside
        assert (await browser.post(f"{path}/open", data=WHY)).status_code == inside
        assert (await browser.get(f"{path}/materials/{uuid4()}")).status_code == inside
        assert (await browser.get("/console/cases/x")).status_code == inside
    lines = (await who.http.get("/v1/me/accesses")).json()["items"]
    assert [one for one in lines if one["purpose"] == "desk.open"] == []
