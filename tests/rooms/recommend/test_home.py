"""The home over HTTP: different for different lives, in two languages, and it listens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from tests.city import City

from civicmall.kernel.clock import Clock

HOME = "/v1/home"
BIRTH = f"{HOME}/cards/birth_registration/feedback"


async def get(client: AsyncClient, lang: str = "en") -> Any:
    answer = await client.get(HOME, headers={"accept-language": lang})
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(home: Any) -> list[str]:
    return [card["item"] for card in home["cards"]]


async def test_five_lives_five_homes(city: City) -> None:
    first: dict[str, str] = {}
    for persona, code in (
        ("newborn_mother", "birth_registration"),
        ("school_mother", "primary_school_enrolment"),
        ("graduate", "unemployment_registration"),
        ("newlywed_wife", "household_marital_status"),
    ):
        seen = codes(await get(await city.citizen(persona)))
        first[persona] = seen[0]
        assert code in seen[:2], persona
    retiring = codes(await get(await city.citizen("near_retirement_man")))
    assert "retirement_application" in retiring
    assert len(set(first.values())) == len(first)


async def test_a_card_says_why_until_when_and_by_which_law(city: City) -> None:
    mother = await city.citizen("newborn_mother")
    born = Clock().today() - timedelta(days=1)
    home = await get(mother)
    card = next(c for c in home["cards"] if c["item"] == "birth_registration")
    assert card["title"] == "Birth registration (born in China)"
    assert card["kind"] == "duty"
    assert str(born.year) in card["reason"]
    assert card["deadline"] == (born + timedelta(days=30)).isoformat()
    assert (card["days_left"], card["urgency"]) == (29, "soon")
    assert card["sources"][0]["source"] == "Household Registration Regulations, art. 7"
    chinese = next(c for c in (await get(mother, "zh-CN"))["cards"] if c["item"] == card["item"])
    assert chinese["title"] == "出生登记（国内出生）"
    assert chinese["reason"] == f"您最小的孩子出生于{born.year}年{born.month}月{born.day}日。"
    assert [s["name"] for s in home["stages"]] == ["Birth", "Work"]


async def test_a_card_leads_to_the_app_that_does_it(city: City) -> None:
    mother = await city.citizen("school_mother")
    card = next(c for c in (await get(mother))["cards"] if c["item"] == "id_card_under16")
    assert (card["app"]["shop"], card["app"]["app"]) == ("public_security", "id_card")
    assert (await get(mother))["cards"][0]["app"] is None


async def test_the_home_shows_what_is_owed(city: City) -> None:
    home = await get(await city.citizen("newlywed_husband"))
    assert home["tiles"]["utility_bills/water"] == "ok"
    assert home["owed"]
    assert {"shop", "app", "bill"} == set(home["owed"][0])


async def test_who_is_known_by_phone_alone_gets_a_question(city: City) -> None:
    somebody = await city.newcomer("near_retirement_woman")
    home = await get(somebody)
    assert home["stages"] == []
    asked = home["question"]
    assert asked["text"]
    assert asked["settles"] >= 0

    told = await somebody.put("/v1/me/facts", json={"facts": {"employment": "unemployed"}})
    assert told.status_code == 200, told.text
    assert "training_subsidy" in codes(await get(somebody))


async def test_the_answer_to_the_question_is_not_asked_again(city: City) -> None:
    graduate = await city.citizen("graduate")
    asked = (await get(graduate))["question"]
    value: Any = {"date": "2020-01-01", "number": 3, "flag": False}.get(asked["type"])
    if value is None:
        value = asked["options"][0]["value"]
    told = await graduate.put("/v1/me/facts", json={"facts": {asked["attribute"]: value}})
    assert told.status_code == 200, told.text
    again = (await get(graduate))["question"]
    assert again is None or again["attribute"] != asked["attribute"]


async def test_feedback_is_heeded_and_can_be_taken_back(city: City) -> None:
    father = await city.citizen("newborn_father")
    mother = await city.citizen("newborn_mother")
    for ask in ({"action": "dismiss"}, {"action": "not_me"}, {"action": "snooze"}):
        answer = await father.post(BIRTH, json=ask)
        assert answer.status_code == 200, answer.text
        assert answer.json()["action"] == ask["action"]
        assert "birth_registration" not in codes(await get(father))
        assert "birth_registration" in codes(await get(mother))  # nobody else's home changes
        for _ in range(2):
            assert (await father.delete(BIRTH)).status_code == 204
        assert "birth_registration" in codes(await get(father))


async def test_a_snooze_lasts_a_month_or_as_long_as_asked(city: City) -> None:
    father = await city.citizen("newborn_father")
    today = Clock().today()
    answer = await father.post(BIRTH, json={"action": "snooze"})
    assert answer.json()["until"] == (today + timedelta(days=30)).isoformat()
    tomorrow = (today + timedelta(days=1)).isoformat()
    answer = await father.post(BIRTH, json={"action": "snooze", "until": tomorrow})
    assert answer.json()["until"] == tomorrow
    await father.delete(BIRTH)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"action": "snooze", "until": "2020-01-01"}, 422, "wrong-snooze"),
        ({"action": "snooze", "until": "2099-01-01"}, 422, "wrong-snooze"),
        ({"action": "dismiss", "until": "2099-01-01"}, 422, "wrong-snooze"),
        ({"action": "burn"}, 400, "bad-request"),
        ({}, 400, "bad-request"),
        ({"action": "dismiss", "why": "x"}, 400, "bad-request"),
    ],
)
async def test_wrong_feedback(city: City, body: dict[str, str], status: int, kind: str) -> None:
    answer = await (await city.citizen("newborn_father")).post(BIRTH, json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"/problems/{kind}"


async def test_feedback_on_what_does_not_exist(city: City) -> None:
    father = await city.citizen("newborn_father")
    answer = await father.post(f"{HOME}/cards/flying_carpet/feedback", json={"action": "dismiss"})
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/no-such-item"


async def test_the_off_switch(city: City) -> None:
    wife = await city.citizen("newlywed_wife")
    path = f"{HOME}/settings"
    assert (await wife.get(path)).json() == {"recommend": True}
    off = await wife.put(path, json={"recommend": False})
    assert (off.status_code, off.json()) == (200, {"recommend": False})
    home = await get(wife)
    assert (home["recommend"], home["cards"], home["stages"], home["question"]) == (
        False, [], [], None,
    )  # fmt: skip
    assert home["tiles"]  # what is owed is no recommendation
    assert (await wife.put(path, json={"recommend": True})).json() == {"recommend": True}
    assert (await get(wife))["cards"]


async def test_only_citizens_have_a_home(city: City) -> None:
    nobody, operator = await city.anonymous(), await city.operator()
    for method, path in (
        ("GET", HOME), ("GET", f"{HOME}/settings"), ("DELETE", BIRTH),
    ):  # fmt: skip
        assert (await nobody.request(method, path)).status_code == 401
        assert (await operator.request(method, path)).status_code == 403
