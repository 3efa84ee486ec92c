"""Too much of anything: of cases, of steps, of a department that takes its time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.city import City
from tests.rooms.cases.steps import PNG, Applicant, Later, applicant

from civicmall import cases
from civicmall.cases import dealings, rules
from civicmall.cases.materials import UPLOADS_MAX
from shopkit import CaseNews, Outcome


@pytest.fixture
async def who(city: City, offices: tuple[str, Any]) -> Applicant:
    return await applicant(city, offices[0])


async def test_nobody_applies_all_day(who: Applicant, later: Later, office: Any) -> None:
    for _ in range(rules.CASES_A_DAY - 1):
        await who.applied()
    assert (await who.ask("bad")).status_code == 422
    answer = await who.ask()
    assert answer.status_code == 429, "what was sent back counts too"
    assert answer.json()["type"] == "/problems/too-many-cases"
    later.forward += timedelta(days=1, minutes=1)
    fresh = await applicant(who.city, who.shop)
    await fresh.applied()


async def test_papers_of_a_form_that_came_back_go_with_the_mended_one(
    who: Applicant, office: Any
) -> None:
    photo = await who.paper()
    answer = await who.ask("bad", app="permit", materials=[photo])
    assert answer.status_code == 422, answer.text
    case = await who.applied(app="permit", materials=[photo])
    assert [one["id"] for one in (await who.look(case))["materials"]] == [photo["id"]]


async def test_a_promise_that_is_only_repeated_is_no_news(
    who: Applicant, city: City, office: Any
) -> None:
    case = await who.applied("pending")
    named = datetime.fromisoformat(case["callback_by"])
    for seconds in range(5):
        again = Outcome("pending", callback_by=named - timedelta(seconds=seconds))
        await cases.told(city.house, who.shop, UUID(case["id"]), CaseNews(again))
    assert await who.messages() == ["cases.defer"]
    later_day = Outcome("pending", callback_by=named + timedelta(days=3))
    await cases.told(city.house, who.shop, UUID(case["id"]), CaseNews(later_day))
    assert await who.messages() == ["cases.defer", "cases.defer"]
    assert (await who.look(case))["case"]["callback_by"] > case["callback_by"]


async def test_a_case_moved_to_and_fro_without_end_comes_to_rest(
    who: Applicant, city: City, office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "STEPS_MAX", 6)
    case = await who.applied("pending")
    for days in range(20):
        by = datetime.now(UTC) + timedelta(days=400 + days)
        news = CaseNews(Outcome("pending", callback_by=by))
        await cases.told(city.house, who.shop, UUID(case["id"]), news)
    assert len((await who.look(case))["timeline"]) == 6
    await cases.told(city.house, who.shop, UUID(case["id"]), CaseNews(Outcome("accepted", "R-9")))
    assert (await who.look(case))["case"]["state"] == "running", "what leads on still counts"


async def test_a_shop_that_takes_its_time_sits_a_look_out(
    who: Applicant, city: City, later: Later, office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.doors.clear()
    waiting = [await who.applied() for _ in range(3)]
    office.doors.set()
    later.forward += timedelta(minutes=2)
    slow: set[str] = set()

    async def look() -> int:
        before = sum(office.told[case["id"]] for case in waiting)
        await cases.look_after(city.house, city.parts.gateway, slow)
        return sum(office.told[case["id"]] for case in waiting) - before

    with monkeypatch.context() as patch:
        patch.setattr(dealings, "LOOK_S", -1.0)
        assert (await look(), slow) == (0, {who.shop}), "its time was up before its first case"
        assert (await look(), slow) == (0, set()), "others' cases come up"
    assert (await look(), slow) == (3, set())


async def test_nobody_uploads_a_hundred_files_at_once(who: Applicant, office: Any) -> None:
    """They would not see each other when they are counted, and fill the memory meanwhile."""
    large = PNG + b"x" * (rules.MATERIAL_MAX - len(PNG))
    answers = await asyncio.gather(*(who.hand_in(large) for _ in range(40)))
    kept = [answer for answer in answers if answer.status_code == 201]
    others = {answer.json()["type"] for answer in answers if answer.status_code != 201}
    assert others == {"/problems/too-many-materials"}
    assert 0 < len(kept) * len(large) < rules.FREE_BYTES_MAX + UPLOADS_MAX * len(large)
    fresh = await applicant(who.city, who.shop)
    assert (await fresh.hand_in(large)).status_code == 201, "the others' uploads go on"
