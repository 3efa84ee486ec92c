"""Objections to facts: listed without citizens, opened with a reason, kept or withdrawn; citizens read why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.city import City
from tests.rooms.console.steps import shown, signed_in, words
from tests.rooms.identity.steps import new_phone, problem

from civicmall import identity
from civicmall.kernel import ids
from shopkit.contract import Attestation

SHOP = "housing_fund"
WHY = {"reason": "complaint", "words": "核对公积金记录"}
OWN_WORDS = "房子去年卖了"


async def attest(city: City, citizen: UUID, value: Any, *, days_ago: int = 0) -> bool:
    as_of = city.house.clock.today() - timedelta(days=days_ago)
    said = Attestation("housing", value, as_of)
    return await identity.attributes.service.attest(city.house, citizen, SHOP, said, {"housing"})


async def objected(city: City) -> tuple[httpx.AsyncClient, UUID, str]:
    """Somebody who objects to what the fund attests; and the objection's id at its desk."""
    client, citizen = await city.short(new_phone())
    await attest(city, citizen, "owner", days_ago=5)
    ask = {"source": SHOP, "words": OWN_WORDS}
    assert (await client.put("/v1/me/facts/housing/objection", json=ask)).status_code == 204
    await city.settled()
    return client, citizen, await newest(city)


async def newest(city: City) -> str:
    desk = await city.department(SHOP)
    found: str = (await desk.get("/v1/desk/disputes?waiting=true")).json()["items"][0]["id"]
    return found


async def facts(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in (await client.get("/v1/me/facts")).json()["items"]}


async def told(city: City, client: httpx.AsyncClient) -> list[str]:
    await city.settled()
    return [m["title"] for m in (await client.get("/v1/inbox")).json()["items"]]


async def test_one_is_opened_and_withdrawn(city: City) -> None:
    client, citizen, dispute = await objected(city)
    path = f"/console/disputes/{dispute}"
    async with signed_in(city, SHOP) as desk:
        page = await shown(desk, "/console/disputes")
        assert path in page
        assert OWN_WORDS not in page
        assert OWN_WORDS not in await shown(desk, path)
        early = await desk.post(f"{path}/answer", data={"verdict": "withdrawn", "text": "已核"})
        assert early.status_code == 403
        assert (await facts(client))["housing"]["value"] == "owner"
        assert (await desk.post(f"{path}/open", data={"reason": "case"})).status_code == 400
        answer = await desk.post(f"{path}/open", data=WHY)
        assert answer.headers["location"] == f"{path}?done=open"
        answer = await desk.get(path)
        assert int(answer.headers["refresh"]) <= 902
        said = words(answer.text)
        assert OWN_WORDS in said
        assert city.parts.gateway.gates.keys_of(SHOP).sub(citizen) in said
        for form in ({}, {"verdict": "withdrawn"}, {"verdict": "perhaps", "text": "x"}):
            refused = await desk.post(f"{path}/answer", data=form)
            assert refused.status_code == 400
        done = await desk.post(f"{path}/answer", data={"verdict": "withdrawn", "text": "已更正<b>"})
        assert done.headers["location"] == f"{path}?done=answer"
        twice = await desk.post(f"{path}/answer", data={"verdict": "kept", "text": "不"})
        assert twice.status_code == 409
        assert "已更正&lt;b&gt;" in twice.text
        await city.settled()
        assert path not in await shown(desk, "/console/disputes")
        assert path in await shown(desk, "/console/disputes", show="all")
        for form in ("open", "answer"):
            assert (await desk.get(f"{path}/{form}")).headers["location"] == path

    assert "housing" not in await facts(client)
    (one,) = (await client.get("/v1/me/facts/objections")).json()["items"]
    assert (one["verdict"], one["text"], one["words"]) == ("withdrawn", "已更正<b>", OWN_WORDS)
    assert "您对一项信息的异议已答复" in await told(city, client)
    looks = (await client.get("/v1/me/accesses")).json()["items"]
    assert WHY["words"] in next(one["reason"] for one in looks if one["purpose"] == "desk.open")
    assert not await attest(city, citizen, "owner", days_ago=5), "the same record again"
    assert "housing" not in await facts(client)
    assert await attest(city, citizen, "tenant", days_ago=1), "a later day is news"
    assert (await facts(client))["housing"]["value"] == "tenant"


async def test_one_is_kept_and_used_again(city: City) -> None:
    client, citizen, dispute = await objected(city)
    desk = await city.department(SHOP)
    path = f"/v1/desk/disputes/{dispute}"
    assert "housing" not in (await identity.recommendable(city.house, citizen))[0]
    assert problem(await desk.get(path)) == (403, "reason-needed")
    body = {"verdict": "kept", "text": "产权仍登记在您名下"}
    assert problem(await desk.post(f"{path}/answer", json=body)) == (403, "reason-needed")
    assert (await desk.post(f"{path}/opening", json=WHY)).status_code == 200
    assert (await desk.get(path)).json()["value"] == "owner"
    assert (await desk.post(f"{path}/answer", json=body)).status_code == 204
    assert problem(await desk.post(f"{path}/answer", json=body)) == (409, "dispute-answered")
    assert (await facts(client))["housing"]["disputed_at"] is None
    assert (await identity.recommendable(city.house, citizen))[0]["housing"] == "owner"
    assert len(await told(city, client)) == 1
    (one,) = (await client.get("/v1/me/facts/objections")).json()["items"]
    assert one["text"] == body["text"]

    gone = await client.delete("/v1/me/facts/housing/objection", params={"source": SHOP})
    assert gone.status_code == 204
    assert len((await client.get("/v1/me/facts/objections")).json()["items"]) == 1
    again = {"source": SHOP, "words": "仍然不对"}
    assert (await client.put("/v1/me/facts/housing/objection", json=again)).status_code == 204
    await city.settled()
    assert await newest(city) != dispute, "after an answer it is a new one"
    assert (await client.get("/v1/me/facts/objections")).json()["items"] == []


@pytest.mark.parametrize("how", ["taken_back", "corrected"])
async def test_what_ends_otherwise_leaves_the_desk(city: City, how: str) -> None:
    client, citizen, dispute = await objected(city)
    if how == "corrected":
        await attest(city, citizen, "tenant")
    else:
        await client.delete("/v1/me/facts/housing/objection", params={"source": SHOP})
    await city.settled()
    desk = await city.department(SHOP)
    rows = (await desk.get("/v1/desk/disputes")).json()["items"]
    assert next(one["outcome"] for one in rows if one["id"] == dispute) == how
    waiting = (await desk.get("/v1/desk/disputes?waiting=true")).json()["items"]
    assert dispute not in {one["id"] for one in waiting}
    opening = await desk.post(f"/v1/desk/disputes/{dispute}/opening", json=WHY)
    assert problem(opening) == (404, "no-such-dispute")
    assert len(await told(city, client)) == (1 if how == "corrected" else 0)


async def test_objecting_again_before_an_answer_is_one_at_the_desk(city: City) -> None:
    client, _, dispute = await objected(city)
    more = {"source": SHOP, "words": "补充说明"}
    await client.put("/v1/me/facts/housing/objection", json=more)
    await city.settled()
    assert await newest(city) == dispute
    desk = await city.department(SHOP)
    await desk.post(f"/v1/desk/disputes/{dispute}/opening", json=WHY)
    assert (await desk.get(f"/v1/desk/disputes/{dispute}")).json()["words"] == "补充说明"


async def test_the_registers_word_is_kept_by_operators_only(city: City) -> None:
    client = await city.citizen("graduate")
    name = next(n for n, one in (await facts(client)).items() if one["source"] == "register")
    said = {"source": "register", "words": "登记有误"}
    assert (await client.put(f"/v1/me/facts/{name}/objection", json=said)).status_code == 204
    await city.settled()
    operator = await city.operator()
    rows = (await operator.get("/v1/desk/disputes?waiting=true")).json()["items"]
    dispute = next(one["id"] for one in rows if one["shop"] == "register")
    path = f"/v1/desk/disputes/{dispute}"
    other = await city.department(SHOP)
    assert problem(await other.post(f"{path}/opening", json=WHY)) == (404, "no-such-dispute")
    async with signed_in(city, "operator") as desk:
        assert (await desk.post(f"/console/disputes/{dispute}/open", data=WHY)).status_code == 303
        page = await shown(desk, f"/console/disputes/{dispute}")
        assert 'value="withdrawn"' not in page
    body = {"verdict": "withdrawn", "text": "撤销"}
    assert problem(await operator.post(f"{path}/answer", json=body)) == (409, "register-stands")
    body["verdict"] = "kept"
    assert (await operator.post(f"{path}/answer", json=body)).status_code == 204


async def test_others_do_not_get_in(city: City) -> None:
    _, _, dispute = await objected(city)
    path = f"/console/disputes/{dispute}"
    for username, inside in (("utility_bills", 404), ("operator", 404), ("auditor", 403)):
        async with signed_in(city, username) as browser:
            page = await shown(browser, "/console/disputes")
            assert path not in page
            assert (await browser.get(path)).status_code == inside
            assert (await browser.post(f"{path}/open", data=WHY)).status_code == inside
            form = {"verdict": "kept", "text": "x"}
            assert (await browser.post(f"{path}/answer", data=form)).status_code == inside


@pytest.mark.parametrize(
    "body",
    [
        None, [], {}, {"verdict": "kept"}, {"text": "x"}, {"verdict": "kept", "text": ""},
        {"verdict": "KEPT", "text": "x"}, {"verdict": "kept", "text": "x" * 1001},
        {"verdict": "kept", "text": "\x00"}, {"verdict": "kept", "text": 1},
        {"verdict": "kept", "text": "x", "more": 1},
    ],
)  # fmt: skip
async def test_bad_answers(city: City, body: Any) -> None:
    desk = await city.department(SHOP)
    answer = await desk.post(f"/v1/desk/disputes/{ids.new(3)}/answer", json=body)
    assert problem(answer) == (400, "bad-request")


async def test_none_there(city: City) -> None:
    desk = await city.department(SHOP)
    for dispute in (ids.new(3), uuid4()):
        path = f"/v1/desk/disputes/{dispute}"
        assert problem(await desk.get(path)) == (404, "no-such-dispute")
        assert problem(await desk.post(f"{path}/opening", json=WHY)) == (404, "no-such-dispute")
        body = {"verdict": "kept", "text": "x"}
        assert problem(await desk.post(f"{path}/answer", json=body)) == (404, "no-such-dispute")
    async with signed_in(city, SHOP) as browser:
        assert (await browser.get("/console/disputes/x")).status_code == 404
        assert (await browser.get("/console/disputes?show=some")).status_code == 400
        assert (await browser.get("/console/disputes?after=!")).status_code == 400
