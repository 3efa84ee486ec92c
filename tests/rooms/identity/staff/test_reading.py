"""Looking a citizen up: two operators, a reason, a quarter of an hour, and the citizen sees it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from tests.city import City
from tests.rooms.identity.staff.steps import account, signed_in
from tests.rooms.identity.steps import new_phone, pair_for, problem

from civicmall import identity
from civicmall.identity import Staff
from civicmall.identity.reading.models import OpenAsk
from civicmall.kernel import ids

HOME = "/v1/desk/citizens/lookup"
WHY = {"reason": "citizen_asked", "words": "本人来电请求协助解除绑定"}


async def asked(client: httpx.AsyncClient, **whom: str) -> dict[str, Any]:
    answer = await client.post(HOME, json={**WHY, **whom})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def test_two_operators_open_a_record_and_the_citizen_sees_it(city: City) -> None:
    phone = new_phone()
    me = await city.client((await pair_for(city, phone))["access_token"])
    first, second = await city.operator(), await city.reviewer()
    one = await asked(first, phone=phone)
    assert (one["whom"], one["state"]) == (f"{phone[:3]}****{phone[-4:]}", "asked")
    path = f"{HOME}/{one['id']}"
    assert problem(await first.get(path)) == (403, "second-operator-needed")
    assert problem(await first.post(f"{path}/approve")) == (403, "second-operator-needed")
    assert problem(await second.get(path)) == (404, "no-such-lookup")
    assert (await second.post(f"{path}/approve")).status_code == 200

    found = (await first.get(path)).json()
    assert found["phone"] == f"{phone[:3]}****{phone[-4:]}"
    assert problem(await second.get(path)) == (404, "no-such-lookup")  # it is open to one
    clear = (await first.post(f"{path}/reveal", json={"claims": ["phone"]})).json()
    assert clear["phone"] == phone

    seen = [line for line in (await me.get("/v1/me/accesses")).json()["items"]
            if line["purpose"] == "desk.lookup"]  # fmt: skip
    assert [line["claims"] for line in seen] == [["phone"], ["masked_profile"]]
    staff_id = (await first.get("/v1/staff/me")).json()["staff_id"]
    for line in seen:
        assert line["reader"] == f"staff:{staff_id}"
        assert line["by"] == staff_id
        assert WHY["words"] in line["reason"]
        assert "沈澄" in line["reason"]


async def test_by_id_number_and_masked(city: City) -> None:
    person = (await city.people())["graduate"]
    await city.citizen("graduate")
    first, second = await city.operator(), await city.reviewer()
    one = await asked(first, id_number=person["id_number"])
    await second.post(f"{HOME}/{one['id']}/approve")
    found = (await first.get(f"{HOME}/{one['id']}")).json()
    assert person["name"] not in str(found)
    assert person["id_number"] not in str(found)
    assert found["level"] >= 2
    both = await first.post(f"{HOME}/{one['id']}/reveal", json={"claims": ["name", "id_number"]})
    assert (both.json()["name"], both.json()["id_number"]) == (person["name"], person["id_number"])
    assert both.json()["phone"] != person["phone"]


async def test_nobody_and_somebody_are_asked_for_alike(city: City) -> None:
    known, unknown = new_phone(), new_phone()
    await pair_for(city, known)
    first, second = await city.operator(), await city.reviewer()
    answers = [await asked(first, phone=phone) for phone in (known, unknown)]
    varying = {"id", "whom", "asked_at", "expires_at"}
    shown = [{k: v for k, v in one.items() if k not in varying} for one in answers]
    assert shown[0] == shown[1]
    await second.post(f"{HOME}/{answers[1]['id']}/approve")
    assert problem(await first.get(f"{HOME}/{answers[1]['id']}")) == (404, "not-found")


async def test_it_is_over_after_a_quarter_of_an_hour(city: City) -> None:
    phone = new_phone()
    await pair_for(city, phone)
    first, second = await city.operator(), await city.reviewer()
    one = await asked(first, phone=phone)
    path = f"{HOME}/{one['id']}"
    await second.post(f"{path}/approve")
    left = await city.house.db.fetchval(
        "select extract(epoch from expires_at - now())::int from identity.lookup where id = $1",
        one["id"],
    )
    assert 880 < left <= 900
    await city.house.db.execute("update identity.lookup set expires_at = now()")
    assert problem(await first.get(path)) == (409, "request-over")
    assert problem(await first.post(f"{path}/reveal", json={"claims": ["phone"]})) == (
        409, "request-over",
    )  # fmt: skip
    late = await asked(first, phone=phone)
    await city.house.db.execute("update identity.lookup set expires_at = now()")
    answer = await second.post(f"{HOME}/{late['id']}/approve")
    assert problem(answer) == (409, "request-over")


async def test_of_two_who_decide_at_once_one_does(city: City) -> None:
    first, second = await city.operator(), await city.reviewer()
    third = await signed_in(city, await account(city, "operator"))
    for _ in range(3):
        one = await asked(first, phone=new_phone())
        answers = await asyncio.gather(
            second.post(f"{HOME}/{one['id']}/approve"), third.post(f"{HOME}/{one['id']}/decline")
        )
        assert sorted(a.status_code for a in answers) == [200, 409]


async def test_whoever_asked_may_take_it_back(city: City) -> None:
    first, second = await city.operator(), await city.reviewer()
    one = await asked(first, phone=new_phone())
    assert (await first.post(f"{HOME}/{one['id']}/decline")).json()["state"] == "declined"
    answer = await second.post(f"{HOME}/{one['id']}/approve")
    assert problem(answer) == (409, "request-over")


@pytest.mark.parametrize(
    "change",
    [
        {}, {"phone": "19900000001", "id_number": "11010519491231002X"}, {"phone": "12345"},
        {"phone": "19900000001\n"}, {"phone": 19900000001}, {"id_number": "1"},
        {"phone": "19900000001", "words": "abc"}, {"phone": "19900000001", "words": "a" * 201},
        {"phone": "19900000001", "words": "a\x00bcd"}, {"phone": "19900000001", "reason": "bored"},
        {"phone": "19900000001", "reason": None}, {"Phone": "19900000001"},
        {"phone": "19900000001", "more": 1},
    ],
)  # fmt: skip
async def test_bad_input_is_named(city: City, change: dict[str, Any]) -> None:
    operator = await city.operator()
    before = await city.house.db.fetchval("select count(*) from identity.lookup")
    assert problem(await operator.post(HOME, json={**WHY, **change})) == (400, "bad-request")
    assert await city.house.db.fetchval("select count(*) from identity.lookup") == before


@pytest.mark.parametrize("claims", [[], ["everything"], ["phone"] * 4, "phone", None])
async def test_only_what_there_is_can_be_shown(city: City, claims: Any) -> None:
    operator = await city.operator()
    path = f"{HOME}/01890000-0000-7000-8000-000000000000/reveal"
    assert problem(await operator.post(path, json={"claims": claims})) == (400, "bad-request")


async def test_what_is_looked_for_is_kept_as_a_hash(city: City) -> None:
    phone = new_phone()
    await asked(await city.operator(), phone=phone)
    rows = await city.house.db.fetch("select blind, masked from identity.lookup")
    assert not any(phone.encode() in row["blind"] + row["masked"] for row in rows)


async def test_a_record_of_a_desk_is_opened_with_a_reason(city: City) -> None:
    """The face that other rooms' desks use, for what is their department's own."""
    house = city.house
    citizen = await identity.account(house, new_phone())
    agent = Staff(ids.new(1), ids.new(1), "林芳", "agent", "utility_bills")
    other = Staff(ids.new(2), ids.new(2), "许岚", "agent", "utility_bills")
    with pytest.raises(identity.ReasonNeeded):
        await identity.reading.need(house, agent, citizen, "case:1")
    ask = OpenAsk("case", "核对申请材料")
    until = await identity.reading.open_record(house, agent, citizen, "case:1", ["form"], ask)
    assert await identity.reading.need(house, agent, citizen, "case:1") == until
    for who, matter in ((other, "case:1"), (agent, "case:2")):
        with pytest.raises(identity.ReasonNeeded):
            await identity.reading.need(house, who, citizen, matter)
    await house.db.execute("update identity.reading set expires_at = now()")
    with pytest.raises(identity.ReasonNeeded):
        await identity.reading.need(house, agent, citizen, "case:1")
