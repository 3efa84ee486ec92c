"""Applications from the form to what came of them, also when the office is away or slow."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.city import City
from tests.rooms.cases.steps import Applicant, Later, applicant, beat

from civicmall import cases
from civicmall.cases import NewCase, NoSuchCase
from civicmall.kernel.errors import BadRequest
from shopkit import CaseNews, Outcome
from shopkit.contract import Reason


@pytest.fixture
async def who(city: City, offices: tuple[str, Any]) -> Applicant:
    return await applicant(city, offices[0])


async def test_the_form_says_what_to_fill_in(who: Applicant, office: Any) -> None:
    answer = await who.http.get(f"/v1/shops/{who.shop}/apps/permit/form")
    assert answer.status_code == 200, answer.text
    form = answer.json()
    assert form["schema"]["properties"]["amount"]["x-kind"] == "money"
    assert [m["code"] for m in form["materials"]] == ["photo", "paper"]
    assert form["prefill"]["copies"]["value"] == 1
    assert form["working_days"] == 15
    wrong = await who.http.get(f"/v1/shops/{who.shop}/apps/permit/form?variant=other")
    assert wrong.json()["type"] == "/problems/no-such-thing"
    none = await who.http.get(f"/v1/shops/{who.shop}/apps/visits/form")
    assert none.status_code == 404


async def test_accepted(who: Applicant, city: City, office: Any) -> None:
    case = await who.applied(amount=100)
    assert (case["state"], case["title"]) == ("running", "许可申请")
    assert case["reference"] == f"N-{case['id']}"
    found = await who.look(case)
    assert [line["move"] for line in found["timeline"]] == ["submit", "accept"]
    assert found["responsible"] == "王科长"
    assert found["progress"]["state"] == "running"
    assert found["form"] == {"name": "李四光明", "end": "accept", "amount": 100}
    assert set(found["may"]) == {"withdraw"}
    assert await who.messages() == ["cases.accept"]
    listed = (await who.http.get("/v1/cases")).json()["items"]
    assert [one["id"] for one in listed] == [case["id"]]
    desk = (await (await city.operator()).get("/v1/desk/cases?limit=100")).json()["items"]
    mine = next(row for row in desk if row["id"] == case["id"])
    assert (mine["shop"], mine["state"]) == (who.shop, "running")
    other = await (await city.department("utility_bills")).get("/v1/desk/cases")
    assert other.json()["items"] == []


async def test_refused_with_reasons(who: Applicant, office: Any) -> None:
    case = await who.applied("refuse")
    assert case["state"] == "refused"
    found = await who.look(case)
    assert found["timeline"][-1]["said"] == ["不符合条件"]
    assert found["may"] == ["rate"]
    words = await who.look(await who.applied("words"))
    assert words["timeline"][-1]["said"] == ["office closed for good"]
    assert await who.messages() == ["cases.refuse", "cases.refuse"]


async def test_pending_until_the_office_calls_back(who: Applicant, city: City, office: Any) -> None:
    case = await who.applied("pending")
    assert case["state"] == "pending"
    assert case["callback_by"]
    case_id, good = UUID(case["id"]), Outcome("accepted", "R-1")
    for shop in ("utility_bills", "no_such"):
        with pytest.raises(NoSuchCase):
            await cases.told(city.house, shop, case_id, CaseNews(good))
    with pytest.raises(NoSuchCase):
        await cases.told(city.house, who.shop, uuid4(), CaseNews(good))
    with pytest.raises(BadRequest):
        await cases.told(city.house, who.shop, case_id, CaseNews(Outcome("accepted")))
    for news in (good, good, Outcome("refused", reasons=[Reason({"zh-CN": "迟到"})])):
        await cases.told(city.house, who.shop, case_id, CaseNews(news))
    found = await who.look(case)
    assert found["case"]["state"] == "running"
    assert [line["move"] for line in found["timeline"]] == ["submit", "defer", "accept"]
    assert await who.messages() == ["cases.accept", "cases.defer"]


async def test_what_was_filled_in_wrongly_is_named(who: Applicant, office: Any) -> None:
    before = sum(office.told.values())
    answer = await who.ask("nowhere", name="", amount="a lot", colour="red", copies=99)
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert body["type"] == "/problems/form-refused"
    fields = {error["field"] for error in body["errors"]}
    assert fields == {"end", "name", "amount", "colour", "copies"}
    assert "a lot" not in answer.text
    assert sum(office.told.values()) == before
    assert (await who.http.get("/v1/cases")).json()["items"] == []


async def test_values_that_do_not_fit_each_other_leave_no_case(who: Applicant, office: Any) -> None:
    key = uuid4().hex
    answer = await who.ask("bad", key, since="2099-01-01")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "since", "problem": "日期在将来"}]
    assert (await who.http.get("/v1/cases")).json()["items"] == []
    assert (await who.applied("accept", key=key))["state"] == "running"
    assert len((await who.http.get("/v1/cases")).json()["items"]) == 1


async def test_an_office_that_is_away_is_told_later(
    who: Applicant, city: City, later: Later, office: Any
) -> None:
    office.doors.clear()
    case = await who.applied()
    assert (case["state"], case["reference"]) == ("submitted", None)
    assert (await who.withdraw(case)).json()["type"] == "/problems/case-not-now"
    await beat(city)
    assert office.told[case["id"]] == 1, "it is not pressed"
    later.forward += timedelta(minutes=2)
    await beat(city)
    assert office.told[case["id"]] == 2
    office.doors.set()
    later.forward += timedelta(hours=2)
    await beat(city)
    found = await (await again(who)).look(case)
    assert found["case"]["state"] == "running"
    assert [line["move"] for line in found["timeline"]] == ["submit", "accept"]


async def again(who: Applicant) -> Applicant:
    """The same citizen with a token of now, for the clock went forward."""
    token = who.city.parts.tokens.access(who.caller)
    return Applicant(who.city, await who.city.crowd(token), who.id, who.shop)


async def test_nothing_is_lost_between_intent_and_answer(
    who: Applicant, city: City, office: Any
) -> None:
    """The process ends after the office has taken the application, before it is written down."""
    key, real = uuid4().hex, city.parts.gateway
    told: list[str] = []

    class Cut:
        forget = staticmethod(real.forget)

        async def ask(self, caller: Any, shop: str, app: str, operation: str, *rest: Any) -> Any:
            answer = await real.ask(caller, shop, app, operation, *rest)
            if operation == "apply.submit":
                told.append(rest[0].case_id)
                raise asyncio.CancelledError
            return answer

    new = NewCase(who.shop, "plain", {"name": "李四光明", "end": "accept"})
    cut: Any = Cut()
    with pytest.raises(asyncio.CancelledError):
        await cases.submit(city.house, cut, city.parts.registry, who.caller, key, new, "zh-CN")
    listed = (await who.http.get("/v1/cases")).json()["items"]
    assert [(one["id"], one["state"]) for one in listed] == [(told[0], "submitted")]
    async with city.house.db.acquire() as db:
        await db.execute("update cases.case set next_at = now() where id = $1", UUID(told[0]))
    await beat(city)
    listed = (await who.http.get("/v1/cases")).json()["items"]
    assert [(one["id"], one["state"]) for one in listed] == [(told[0], "running")]
    assert office.told[told[0]] == 2


async def test_fifty_times_one_key_is_one_case(who: Applicant, office: Any) -> None:
    key, papers = uuid4().hex, [await who.paper()]
    answers = await asyncio.gather(
        *(who.ask(key=key, app="permit", materials=papers) for _ in range(50))
    )
    states = Counter(answer.status_code for answer in answers)
    assert set(states) <= {201, 409}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    assert office.told[made.pop()] == 1
    other = await who.ask(key=key, app="plain")
    assert other.json()["type"] == "/problems/idempotency-key-reused"


async def test_foreign_cases_are_invisible(who: Applicant, city: City, office: Any) -> None:
    case, paper = await who.applied(), await who.paper()
    stranger = await applicant(city, who.shop)
    for answer in (
        await stranger.http.get(f"/v1/cases/{case['id']}"),
        await stranger.supplement(case, copies=1),
        await stranger.withdraw(case),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-such-case")
    assert (await stranger.http.get("/v1/cases")).json()["items"] == []
    taken = await stranger.ask(app="permit", materials=[paper])
    assert (
        taken.json()["errors"]
        == [
            {"field": "materials.photo", "problem": "not there any more"},
            {"field": "materials.photo", "problem": "required"},
        ][: len(taken.json()["errors"])]
    )
    assert taken.status_code == 422
    assert await cases.finished_case(city.house.db, stranger.id, UUID(case["id"])) is None


async def test_a_supplement(who: Applicant, city: City, office: Any) -> None:
    case = await who.applied(app="permit", materials=[await who.paper()])
    assert (await who.supplement(case, copies=2)).json()["type"] == "/problems/case-not-now"
    office.said[case["reference"]] = {"state": "waiting_for_citizen"}
    found = await who.look(case)
    assert found["case"]["state"] == "waiting_for_citizen"
    assert found["progress"]["missing"] == [{"zh-CN": "照片不清楚", "en": "The photo is blurred"}]
    assert set(found["may"]) == {"supplement", "withdraw"}
    wrong = await who.supplement(case, copies=99, colour="red")
    assert {error["field"] for error in wrong.json()["errors"]} == {"copies", "colour"}
    nothing = await who.supplement(case)
    assert nothing.json()["errors"][0]["field"] == "$"
    sent_back = await who.supplement(case, copies=9)
    assert sent_back.json()["state"] == "waiting_for_citizen"
    key, paper = uuid4().hex, await who.paper()
    for _ in range(3):
        taken = await who.supplement(case, key, [paper], copies=2)
        assert (taken.status_code, taken.json()["state"]) == (201, "running")
    assert office.told[f"{case['id']}/2"] == 1
    assert office.brought[case["id"], 2].materials[0].id == paper["id"]
    found = await who.look(case)
    assert [line["move"] for line in found["timeline"]] == [
        "submit", "accept", "ask", "supplement", "ask", "supplement", "take",
    ]  # fmt: skip
    assert found["timeline"][4]["said"] == ["太多了"]
    assert len(found["materials"]) == 2
    kinds = await who.messages()
    assert kinds.count("cases.ask") == 2


async def test_a_supplement_waits_for_an_office_that_is_away(
    who: Applicant, city: City, office: Any
) -> None:
    case = await who.applied()
    office.said[case["reference"]] = {"state": "waiting_for_citizen"}
    await who.look(case)
    office.doors.clear()
    assert (await who.supplement(case, copies=3)).json()["state"] == "running"
    assert (await who.look(case))["stale"] is True
    office.doors.set()
    found = await who.look(case)
    assert found["case"]["state"] == "running", "what the office says is older than the supplement"
    async with city.house.db.acquire() as db:
        await db.execute("update cases.case set next_at = now() where id = $1", UUID(case["id"]))
    await beat(city)
    found = await who.look(case)
    assert [line["move"] for line in found["timeline"]][-2:] == ["supplement", "take"]
    assert found["stale"] is False


async def test_withdrawn_or_not(who: Applicant, city: City, office: Any) -> None:
    stuck, free = await who.applied(), await who.applied()
    office.said[stuck["reference"]] = {"stuck": True}
    refused = await who.withdraw(stuck)
    assert refused.status_code == 409
    assert refused.json()["detail"] == "已制证"
    for _ in range(2):
        assert (await who.withdraw(free)).json()["state"] == "withdrawn"
    assert (await who.look(free))["may"] == []
    await cases.told(city.house, who.shop, UUID(free["id"]), CaseNews(Outcome("accepted", "X")))
    assert (await who.look(free))["case"]["state"] == "withdrawn"


async def test_an_office_that_breaks_its_word(
    who: Applicant, city: City, later: Later, office: Any
) -> None:
    case = await who.applied("pending")
    later.forward += timedelta(days=3)
    who = await again(who)
    await beat(city)
    await beat(city)
    found = await who.look(case)
    assert found["case"]["overdue"] is True
    moves = [line["move"] for line in found["timeline"]]
    assert moves[:3] == ["submit", "defer", "overdue"]
    assert moves.count("overdue") == 1
    assert office.told[case["id"]] >= 2, "asked before anything else is tried"
    kinds = await who.messages()
    assert kinds.count("cases.overdue") == 1
    operator = await city.operator()
    late = (await operator.get("/v1/desk/cases?overdue=true")).json()["items"]
    assert case["id"] in [row["id"] for row in late]


async def test_a_finished_case_is_noticed_and_can_be_rated(
    who: Applicant, city: City, later: Later, office: Any
) -> None:
    who = await again(who)
    case = await who.applied()
    subject: dict[str, Any] = {
        "subject": {"kind": "case", "id": case["id"]},
        "stars": 5,
        "tags": [],
        "comment": "",
    }
    early = await who.http.post("/v1/ratings", json=subject, headers={"idempotency-key": "early"})
    assert early.json()["type"] == "/problems/not-finished"
    office.said[case["reference"]] = {"state": "finished"}
    await cases.told(city.house, who.shop, UUID(case["id"]), CaseNews())
    await beat(city)
    listed = (await who.http.get("/v1/cases")).json()["items"]
    assert listed[0]["state"] == "finished", "without anybody looking"
    found = await who.look(case)
    assert found["result"]["summary"] == {"zh-CN": "准予许可", "en": "Granted"}
    assert sorted(await who.messages()) == ["cases.accept", "cases.finish", "ratings.invite"]
    rated = await who.http.post("/v1/ratings", json=subject, headers={"idempotency-key": "now"})
    assert rated.status_code == 201, rated.text
    assert rated.json()["shop"] == who.shop


async def test_what_the_office_last_said_stays_when_it_is_away(
    who: Applicant, later: Later, office: Any
) -> None:
    who = await again(who)
    case = await who.applied()
    assert (await who.look(case))["stale"] is False
    office.doors.clear()
    found = await who.look(case)
    assert found["stale"] is True
    assert found["progress"]["state"] == "running"
    assert found["as_of"]


async def test_lists_go_page_by_page(who: Applicant, later: Later, office: Any) -> None:
    who = await again(who)
    made = [(await who.applied())["id"] for _ in range(5)]
    seen: list[str] = []
    after = ""
    while True:
        page = (await who.http.get(f"/v1/cases?limit=2{after}")).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == made[::-1]
