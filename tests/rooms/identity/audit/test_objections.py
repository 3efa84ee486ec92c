"""Not agreeing with a reading: said once, answered by an operator, told to the citizen."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import pytest
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor, visitor
from tests.rooms.console.steps import HOSTILE, shown, signed_in, words
from tests.rooms.identity.delegation.helping import acting, agreed
from tests.rooms.identity.steps import new_phone, pair_for, problem

from civicmall import identity
from civicmall.identity import audit, note_access, objections
from civicmall.kernel import calendar, ids

DESK: Final = "/v1/desk/reading-objections"
MINE: Final = "/v1/me/reading-objections"
APP: Final = "utility_bills/water"
LINE: Final = 2
"""The first is of the sign-in."""


async def read(city: City, phone: str = "", reader: str = APP, **more: Any) -> Any:
    """Somebody whose phone number was read."""
    client = await city.client((await pair_for(city, phone or new_phone()))["access_token"])
    me = UUID((await client.get("/v1/me")).json()["id"])
    await note_access(city.house, me, reader, ["phone"], "bills.list", **more)
    return client, me


async def say(
    client: httpx.AsyncClient, line: int | str = LINE, said: str = "我没有用过", key: str = ""
) -> httpx.Response:
    return await client.post(
        f"/v1/me/accesses/{line}/objection",
        json={"words": said}, headers={"idempotency-key": key or uuid4().hex},
    )  # fmt: skip


async def newest(city: City, operator: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    """The objection that was made last."""
    await city.settled()
    items: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        asked = params | ({"after": after} if after else {})
        found = (await operator.get(DESK, params=asked)).json()
        items += found["items"]
        if (after := found["next"]) is None:
            return max(items, key=lambda one: one["id"])


async def answered(operator: httpx.AsyncClient, one: dict[str, Any], text: str) -> httpx.Response:
    return await operator.post(f"{DESK}/{one['id']}/answer", json={"text": text})


async def test_from_the_objection_to_the_answer(city: City) -> None:
    client, me = await read(city)
    made = await say(client)
    assert made.status_code == 201, made.text
    due = calendar.add_working_days(city.house.clock.today(), 5).on
    assert made.json() == {
        "line": LINE, "words": "我没有用过", "made_at": made.json()["made_at"],
        "due_on": due.isoformat(), "answer": None, "answered_at": None,
    }  # fmt: skip
    operator = await city.operator()
    one = await newest(city, operator)
    assert (one["reader"], one["claims"], one["purpose"]) == (APP, ["phone"], "bills.list")
    assert (one["words"], one["overdue"], one["mine"]) == ("我没有用过", False, False)
    assert str(me) not in str(one), "whose it is, nobody there learns"
    done = await answered(operator, one, "系统例行查询")
    assert done.status_code == 200, done.text
    assert done.json()["answer"] == "系统例行查询"
    assert problem(await answered(operator, one, "again")) == (409, "already-answered")
    (seen,) = (await client.get(MINE)).json()["items"]
    assert (seen["answer"], seen["line"]) == ("系统例行查询", LINE)
    await city.settled()
    told = (await client.get("/v1/inbox")).json()["items"][0]
    assert (told["kind"], told["link"]) == ("identity.reading_answered", "/me/accesses")
    assert "系统例行查询" not in str(told)
    waiting = (await operator.get(DESK, params={"limit": 100})).json()["items"]
    assert one["id"] not in {w["id"] for w in waiting}
    assert (await newest(city, operator, answered=True))["id"] == one["id"]


async def test_words_and_answers_lie_sealed(city: City) -> None:
    client, me = await read(city)
    secret, key = f"秘密 {uuid4()}", uuid4().hex
    await say(client, said=secret, key=key)
    operator = await city.operator()
    reply = f"回复 {uuid4()}"
    await answered(operator, await newest(city, operator), reply)
    db, name = city.house.db, (ids.bucket_of(me), me)
    row: Any = await db.fetchrow(
        "select * from identity.reading_objection where bucket = $1 and citizen_id = $2", *name
    )
    for kept in (
        row,
        await db.fetch("select * from kernel.idempotency where bucket = $1 and owner = $2", *name),
        await db.fetch("select * from identity.audit where bucket = $1 and citizen_id = $2", *name),
    ):
        assert kept
        assert secret not in str(kept)
        assert secret.encode() not in bytes(row["words"])
        assert reply.encode() not in bytes(row["answer"])
        assert reply not in str(kept)
    found = (await client.get("/v1/me/export")).content
    assert found  # the tables are looked at by test_leaving and the house test


async def test_the_same_request_again_is_the_same_objection(city: City) -> None:
    client, _ = await read(city)
    first = await say(client, key="k")
    again = await say(client, key="k")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert problem(await say(client, said="else", key="k")) == (422, "idempotency-key-reused")
    assert problem(await say(client, key="other")) == (409, "already-objected")
    lines = (await client.get("/v1/me/audit")).json()["items"]
    assert [line["kind"] for line in lines] == ["reading_objected", "read", "sign_in"]


async def test_many_at_once_are_one(city: City) -> None:
    client, _ = await read(city)
    answers = await asyncio.gather(*(say(client) for _ in range(8)))
    assert sorted(a.status_code for a in answers) == [201] + [409] * 7
    assert {problem(a)[1] for a in answers if a.status_code == 409} == {"already-objected"}
    assert len((await client.get(MINE)).json()["items"]) == 1


async def test_only_so_many_a_day(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("civicmall.identity.objections.service.A_DAY", 2)
    client, me = await read(city)
    for no in range(3):
        await note_access(city.house, me, f"shop/app{no}", ["phone"], "look")
    assert [(await say(client, LINE + no)).status_code for no in (0, 1, 2)] == [201, 201, 429]
    assert problem(await say(client, LINE + 2)) == (429, "too-many-objections")
    assert problem(await say(client, LINE)) == (409, "already-objected")


@pytest.mark.parametrize("line", [1, 3, 0, 10**6, 2**63 - 1, 2**63, 10**30])
async def test_only_a_reading_of_ones_own(city: City, line: int) -> None:
    """The first line is of a sign-in; somebody else has a third."""
    other, _ = await read(city)
    await note_access(city.house, _, APP, ["name"], "bills.get")
    client, _ = await read(city)
    assert problem(await say(client, line)) == (404, "no-such-reading")
    assert (await client.get(MINE)).json()["items"] == []
    assert (await other.get(MINE)).json()["items"] == []


@pytest.mark.parametrize("line", ["x", "-1", "1.5", "2;drop", "%00"])
async def test_a_line_has_a_number(city: City, line: str) -> None:
    client, _ = await read(city)
    assert (await say(client, line)).status_code in {400, 404}


@pytest.mark.parametrize(
    "body",
    [{}, {"words": ""}, {"words": "   \n"}, {"words": "x" * 501}, {"words": "a\x00"}, {"words": 7},
     {"words": None}, {"words": "x", "more": 1}, [], "x"],
)  # fmt: skip
async def test_words_that_are_none_are_refused(city: City, body: Any) -> None:
    client, _ = await read(city)
    key = {"idempotency-key": "k"}
    answer = await client.post(f"/v1/me/accesses/{LINE}/objection", json=body, headers=key)
    assert problem(answer) == (400, "bad-request")
    assert (await client.get(MINE)).json()["items"] == []


async def test_a_key_is_needed(city: City) -> None:
    client, _ = await read(city)
    answer = await client.post(f"/v1/me/accesses/{LINE}/objection", json={"words": "x"})
    assert problem(answer)[0] == 400


async def test_another_may_not_for_one_and_does_not_see_it(city: City) -> None:
    made = await agreed(city, "near_retirement_woman", "near_retirement_man", ["view", "apply"])
    mine, agent = await city.citizen("near_retirement_woman"), await city.citizen("near_retirement_man")  # fmt: skip
    me = UUID((await mine.get("/v1/me")).json()["id"])
    await note_access(city.house, me, APP, ["phone"], "bills.list")
    (line, *_) = (await mine.get("/v1/me/accesses")).json()["items"]
    them = await acting(city, agent, made)
    assert problem(await say(them, line["seq"])) == (403, "acting-not-allowed")
    assert problem(await them.get(MINE)) == (403, "acting-not-allowed")
    assert (await say(mine, line["seq"])).status_code == 201


async def test_an_ended_session_and_nobody_may_not(city: City) -> None:
    client, _ = await read(city)
    await client.delete("/v1/me/session")
    assert (await say(client)).status_code == 401
    assert problem(await say(await city.anonymous())) == (401, "sign-in-needed")
    for who in (client, await city.anonymous()):
        assert (await who.get(MINE)).status_code == 401


async def test_only_operators_see_and_answer(city: City) -> None:
    client, _ = await read(city)
    await say(client)
    operator = await city.operator()
    one = await newest(city, operator)
    department = await city.department("public_security")
    auditor = await city.department("auditor")
    for who in (client, department, auditor):
        assert problem(await who.get(DESK)) == (403, "not-allowed")
        assert problem(await answered(who, one, "x")) == (403, "not-allowed")
    assert problem(await answered(operator, {"id": uuid4()}, "x")) == (404, "no-such-objection")
    for text in ("", "  ", "x" * 501, "\x00"):
        assert problem(await answered(operator, one, text)) == (400, "bad-request")
    for params in ({"after": "x"}, {"limit": 0}, {"answered": "maybe"}):
        assert problem(await operator.get(DESK, params=params)) == (400, "bad-request")
    assert (await newest(city, operator))["answer"] is None


async def test_nobody_answers_for_their_own_reading(city: City) -> None:
    operator, reviewer = await city.operator(), await city.reviewer()
    id_ = (await operator.get("/v1/staff/me")).json()["staff_id"]
    client, _ = await read(city, reader=f"staff:{id_}", reason="投诉", by=UUID(id_))
    await say(client)
    one = await newest(city, operator)
    assert (one["mine"], one["staff"]) == (True, {"role": "operator", "shop": None})
    assert problem(await answered(operator, one, "x")) == (403, "second-operator-needed")
    assert (await newest(city, reviewer))["mine"] is False
    assert (await answered(reviewer, one, "已核实")).status_code == 200


async def test_two_answer_at_once_and_one_counts(city: City) -> None:
    client, _ = await read(city)
    await say(client)
    first, second = await city.operator(), await city.reviewer()
    one = await newest(city, first)
    got = await asyncio.gather(*(answered(who, one, f"no {n}") for n, who in enumerate([first, second] * 3)))  # fmt: skip
    assert sorted(a.status_code for a in got) == [200] + [409] * 5
    right = next(a.json()["answer"] for a in got if a.status_code == 200)
    assert (await client.get(MINE)).json()["items"][0]["answer"] == right


async def test_what_is_due_first_stands_first_and_overdue_is_shown(city: City) -> None:
    client, me = await read(city)
    await say(client)
    operator = await city.operator()
    one = await newest(city, operator)
    yesterday = city.house.clock.today() - timedelta(days=1)
    await city.house.db.execute(
        "update identity.reading_objection set due_on = $1 where bucket = $2 and citizen_id = $3",
        *(yesterday, ids.bucket_of(me), me),
    )
    assert (await newest(city, operator))["overdue"] is True
    items = (await operator.get(DESK, params={"limit": 100})).json()["items"]
    assert [i["made_at"] for i in items] == sorted(i["made_at"] for i in items)
    assert date.fromisoformat(one["due_on"]) > yesterday


async def test_pages_follow_one_another(city: City) -> None:
    client, me = await read(city)
    for no in range(3):
        await note_access(city.house, me, f"shop/app{no}", ["phone"], "look")
    for no in range(3):
        assert (await say(client, LINE + no)).status_code == 201
    await city.settled()
    operator = await city.operator()
    for who, path, key in ((client, MINE, "line"), (operator, DESK, "id")):
        seen: list[Any] = []
        after: str | None = None
        while True:
            params: dict[str, Any] = {"limit": 1, **({"after": after} if after else {})}
            found = (await who.get(path, params=params)).json()
            seen += [one[key] for one in found["items"]]
            if (after := found["next"]) is None:
                break
        assert len(seen) == len(set(seen))
        assert len(seen) >= 3


async def test_who_leaves_takes_them_along(city: City) -> None:
    client, me = await read(city)
    await say(client)
    operator = await city.operator()
    one = await newest(city, operator)
    await objections.erase(city.house, me)
    assert problem(await answered(operator, one, "x")) == (404, "no-such-objection")
    count = "select count(*) from identity.desk_reading_objection where id = $1"
    assert await city.house.db.fetchval(count, UUID(one["id"])) == 0


async def test_old_ones_are_forgotten(city: City) -> None:
    client, me = await read(city)
    await say(client)
    operator = await city.operator()
    one = await newest(city, operator)
    await answered(operator, one, "x")
    await city.settled()
    for table, days in (("desk_reading_objection", 366), ("reading_objection", 3 * 366 + 1)):
        await city.house.db.execute(
            f"update identity.{table} set answered_at = now() - make_interval(days => $1)"  # noqa: S608
            " where id = $2",
            *(days, UUID(one["id"])),
        )
    await objections.forget(city.house)
    assert (await client.get(MINE)).json()["items"] == []
    assert [line.kind for line in await audit.lines(city.house.db, me, None, 0)] == [
        "reading_answered"
    ]


async def _page(city: City) -> tuple[Visitor, UUID]:
    phone = new_phone()
    who = await visitor(city)
    await who.sign_in(phone)
    me = await identity.account(city.house, phone)
    await note_access(city.house, me, APP, ["phone"], "bills.list")
    return who, me


async def test_on_pages_from_end_to_end_and_hostile_words_are_words(city: City) -> None:
    who, me = await _page(city)
    page = await who.get("/me/accesses")
    assert "我对这次查阅有异议" in page
    key = page.partition('name="key" value="')[2].partition('"')[0]
    form = {"line": str(LINE), "words": HOSTILE, "key": key}
    assert await who.to("/me/accesses/objection", **form) == "/me/accesses"
    page = await who.get("/me/accesses")
    assert HOSTILE not in page
    assert "<script>alert" not in page
    assert 'alert("1")' in words(page)
    assert "我对这次查阅有异议" not in page, "once for a line"
    assert await who.to("/me/accesses/objection", **form) == "/me/accesses", "the same again"
    await who.post("/me/accesses/objection", 409, **(form | {"key": "another-key"}))
    await who.post("/me/accesses/objection", 400, **(form | {"words": ""}))
    await who.post("/me/accesses/objection", 400, **(form | {"line": "0"}))
    await who.post("/me/accesses/objection", 400, **(form | {"line": "x"}))
    await who.post("/me/accesses/objection", 404, **(form | {"line": "99", "key": "third-key"}))
    operator = await city.operator()
    one = await newest(city, operator)
    path = "/console/reading-objections"
    async with signed_in(city, "operator") as browser:
        html = await shown(browser, path)
        assert HOSTILE not in html
        assert "<img src=x" not in html
        assert 'alert("1")' in words(html)
        assert str(me) not in html
        assert "查阅异议" in await shown(browser, "/console/")
        bad = await browser.post(f"{path}/{one['id']}/answer", data={"text": " "})
        assert bad.status_code == 400
        answer = await browser.post(f"{path}/{one['id']}/answer", data={"text": HOSTILE})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=answer")
        assert "已送达" in await shown(browser, f"{path}?done=answer")
        again = await browser.post(f"{path}/{one['id']}/answer", data={"text": "x"})
        assert again.status_code == 409
        done = await shown(browser, path, answered="1")
        assert "<script>alert" not in done
        assert (await browser.get(f"{path}/{one['id']}/answer")).status_code == 303
        assert (await browser.get(f"{path}/x/answer")).status_code == 404
    page = await who.get("/me/accesses")
    assert "<script>alert" not in page
    assert "已答复" in page
    assert "平台答复" in page


async def test_the_console_page_is_the_operators_alone(city: City) -> None:
    path = "/console/reading-objections"
    for name in ("public_security", "auditor"):
        async with signed_in(city, name) as browser:
            assert (await browser.get(path)).status_code == 403
            assert path not in await shown(browser, "/console/")
            answer = await browser.post(f"{path}/{uuid4()}/answer", data={"text": "x"})
            assert answer.status_code == 403
