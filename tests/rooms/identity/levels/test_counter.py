"""Level 3 at a counter: agent, card and code together, never one alone."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from tests.city import City
from tests.rooms.citizen_web.visitor import visitor
from tests.rooms.identity.levels.people import HOMES, Somebody, somebody
from tests.rooms.identity.steps import new_phone, problem

from civicmall.identity.levels import rules

DOOR = "/v1/desk/counter-checks"


async def code(one: Somebody) -> str:
    answer = await one.post("/v1/me/counter-codes")
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["code"]
    return found


def said(number: str, shown: str, **change: Any) -> dict[str, Any]:
    return {
        "id_number": number,
        "code": shown,
        "case": "办件 2026-17",
        "reason": "换领身份证",
    } | change


async def test_who_is_seen_with_card_and_code_is_raised_and_sees_it(city: City) -> None:
    one, agent = await somebody(city, HOMES[100]), await city.department("public_security")
    shown = await code(one)
    answer = await agent.post(DOOR, json=said(HOMES[100].id_number, shown))
    assert answer.status_code == 200, answer.text
    assert answer.json()["level"] == 3
    assert HOMES[100].name not in answer.text
    assert await one.level() == 3
    (line,) = (await one.client.get("/v1/me/accesses")).json()["items"]
    assert line["reader"].startswith("staff:")
    assert line["staff"]["shop"] == "public_security"
    assert (line["purpose"], line["reason"]) == ("counter.confirm", "办件 2026-17: 换领身份证")
    again = await agent.post(DOOR, json=said(HOMES[100].id_number, shown))
    assert problem(again) == (422, "counter-code-wrong")


async def test_what_does_not_go_together_is_told_in_one_way(city: City) -> None:
    one, two = await somebody(city, HOMES[101]), await somebody(city, HOMES[102])
    agent = await city.department("public_security")
    mine, theirs = await code(one), await code(two)
    for wrong in (
        said(HOMES[101].id_number, theirs),
        said(HOMES[103].id_number, mine),  # nobody's here
        said(HOMES[101].id_number[:-1] + "?".replace("?", "X"), mine),
    ):
        assert problem(await agent.post(DOOR, json=wrong)) == (422, "counter-code-wrong")
    assert [await one.level(), await two.level()] == [2, 2]


async def test_a_code_bears_a_few_tries(city: City) -> None:
    one, agent = await somebody(city, HOMES[104]), await city.department("utility_bills")
    shown = await code(one)
    wrong = f"{(int(shown) + 1) % 10**8:08d}"
    for _ in range(rules.CODE_TRIES):
        assert problem(await agent.post(DOOR, json=said(HOMES[104].id_number, wrong)))[0] == 422
    assert problem(await agent.post(DOOR, json=said(HOMES[104].id_number, shown)))[0] == 422
    fresh = await code(one)
    assert (await agent.post(DOOR, json=said(HOMES[104].id_number, fresh))).is_success


async def test_the_code_before_and_one_that_is_over_are_none(city: City) -> None:
    one, agent = await somebody(city, HOMES[105]), await city.department("utility_bills")
    before, now = await code(one), await code(one)
    if before != now:
        assert problem(await agent.post(DOOR, json=said(HOMES[105].id_number, before)))[0] == 422
    await city.house.db.execute(
        "update identity.counter_code set expires_at = now() where citizen_id = $1", one.id
    )
    assert problem(await agent.post(DOOR, json=said(HOMES[105].id_number, now)))[0] == 422
    assert await one.level() == 2


async def test_a_code_works_once_however_many_come_at_once(city: City) -> None:
    one = await somebody(city, HOMES[106])
    agents = [await city.department(shop) for shop in ("public_security", "utility_bills")]
    shown = await code(one)
    asks = [agent.post(DOOR, json=said(HOMES[106].id_number, shown)) for agent in agents * 2]
    answers: list[httpx.Response] = list(await asyncio.gather(*asks))
    assert sorted(a.status_code for a in answers) == [200, 422, 422, 422]


async def test_an_agent_does_not_guess_all_day(city: City) -> None:
    one, agent = await somebody(city, HOMES[107]), await city.department("housing_fund")
    for n in range(rules.AGENT_DAY):
        wrong = said(HOMES[107].id_number, f"{n:08d}")
        assert problem(await agent.post(DOOR, json=wrong))[0] == 422
    shown = await code(one)
    last = await agent.post(DOOR, json=said(HOMES[107].id_number, shown))
    assert problem(last) == (429, "too-many-verifications")


async def test_operators_and_citizens_have_no_counter(city: City) -> None:
    one = await somebody(city, HOMES[108])
    ask = said(HOMES[108].id_number, await code(one))
    assert problem(await (await city.operator()).post(DOOR, json=ask)) == (403, "not-allowed")
    assert problem(await one.post(DOOR, ask)) == (403, "not-allowed")
    assert problem(await (await city.anonymous()).post(DOOR, json=ask)) == (401, "sign-in-needed")


async def test_the_name_comes_first(city: City) -> None:
    answer = await (await somebody(city)).post("/v1/me/counter-codes")
    assert problem(answer) == (403, "real-name-first")


async def test_codes_end_with_the_day(city: City) -> None:
    one = await somebody(city, HOMES[109])
    for _ in range(rules.CODES_DAY):
        await code(one)
    assert problem(await one.post("/v1/me/counter-codes")) == (429, "too-many-verifications")


GOOD = said(HOMES[110].id_number, "12345678")


@pytest.mark.parametrize(
    "wrong",
    [
        {}, [], "code", {**GOOD, "code": 12345678}, {**GOOD, "code": "1234567"},
        {**GOOD, "code": "１２３４５６７８"}, {**GOOD, "code": "12345678\n"},
        {**GOOD, "id_number": GOOD["id_number"].lower() + "x"}, {**GOOD, "id_number": None},
        {**GOOD, "case": ""}, {**GOOD, "case": "x" * 61}, {**GOOD, "case": "a\x00"},
        {**GOOD, "reason": "x"}, {**GOOD, "reason": "x" * 201}, {**GOOD, "Reason": "xx"},
        {**GOOD, "more": 1},
    ],
)  # fmt: skip
async def test_what_cannot_be_read(city: City, wrong: Any) -> None:
    agent = await city.department("public_security")
    assert problem(await agent.post(DOOR, json=wrong)) == (400, "bad-request")


async def test_the_page_shows_a_code(city: City) -> None:
    one = await visitor(city, "en")
    await one.sign_in(new_phone())
    person = HOMES[111]
    await one.to("/verify", name=person.name, id_number=person.id_number, next="/")
    page = (await one.post("/verify/counter", 200, next="/orders")).text
    digits = page.partition('<p class="big num">')[2].partition("</p>")[0].replace(" ", "")
    assert len(digits) == 8
    agent = await city.department("public_security")
    assert (await agent.post(DOOR, json=said(person.id_number, digits))).is_success
    again = await one.client.get("/verify/face?next=/orders")  # the session is renewed first
    page = await one.get(again.headers["location"])
    assert "You were seen in person or by your face." in page
    assert 'href="/orders"' in page
    assert city.parts.tokens.check(one.client.cookies["cm_access"]).level == 3


async def test_the_desks_page(city: City) -> None:
    """As an agent works with it: the card's number as people type it, and what was typed stays."""
    one = await somebody(city, HOMES[112])
    desk = await visitor(city, "en")
    await desk.post("/console/login", username="utility_bills", password="sandbox-only")
    page = await desk.get("/console/counter")
    assert "At the counter" in page
    number = HOMES[112].id_number
    spaced = f"{number[:6]} {number[6:14]} {number[14:]}".lower()
    form = {"id_number": spaced, "case": "2026-18", "reason": "mistyped"}
    wrong = (await desk.post("/console/counter", 422, code="00000000", **form)).text
    assert "go together" in wrong
    assert spaced in wrong
    assert "Check what you filled in." in (await desk.post("/console/counter", 422, **form)).text
    shown = await code(one)
    done = await desk.post("/console/counter", 200, code=f"{shown[:4]} {shown[4:]}", **form)
    assert f"{HOMES[112].name[0]}*" in done.text
    assert HOMES[112].name not in done.text
    assert await one.level() == 3
    operator = await visitor(city)
    await operator.post("/console/login", username="operator", password="sandbox-only")
    await operator.get("/console/counter", 404)
