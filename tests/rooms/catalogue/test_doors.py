"""The public catalogue over HTTP: lists, search, guides, in both languages."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient
from tests.city import City

ITEMS = "/v1/catalogue/items"


async def get(client: AsyncClient, path: str, lang: str = "en", **params: Any) -> Any:
    answer = await client.get(path, params=params, headers={"accept-language": lang})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_anybody_may_page_through_every_item(city: City) -> None:
    nobody = await city.anonymous()
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = await get(nobody, ITEMS, limit=50, **after)
        seen += [item["code"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert len(seen) >= 120
    assert seen == sorted(set(seen))


async def test_a_list_is_in_the_callers_language(city: City) -> None:
    nobody = await city.anonymous()
    for lang, name, department in (
        ("zh-CN", "出生登记（国内出生）", "公安机关"),
        ("en", "Birth registration (born in China)", "Public Security"),
    ):
        page = await get(nobody, ITEMS, lang, stage="birth", department="public_security")
        item = next(i for i in page["items"] if i["code"] == "birth_registration")
        assert item["name"] == name
        assert item["department"] == {"code": "public_security", "name": department}
        assert item["subject"] == "citizen"
        assert item["stages"] == ["birth"]


async def test_filters_hold_for_every_item(city: City) -> None:
    nobody = await city.anonymous()
    page = await get(nobody, ITEMS, stage="school", department="education", limit=100)
    assert len(page["items"]) >= 10
    for item in page["items"]:
        assert "school" in item["stages"]
        assert item["department"]["code"] == "education"
    assert (await get(nobody, ITEMS, department="no_such"))["items"] == []


async def test_search_is_ranked_and_pages(city: City) -> None:
    nobody = await city.anonymous()
    assert (await get(nobody, ITEMS, q="上户口"))["items"][0]["code"] == "birth_registration"
    whole = [i["code"] for i in (await get(nobody, ITEMS, q="登记", limit=100))["items"]]
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = await get(nobody, ITEMS, q="登记", limit=4, **after)
        seen += [item["code"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == whole
    assert (await get(nobody, ITEMS, q="登月"))["items"] == []
    assert len((await get(nobody, ITEMS, q="  "))["items"]) == 20


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"stage": "death"}, "stage"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"q": "x" * 81}, "q"),
        ({"after": "nonsense"}, None),
        ({"after": "WyJ4Il0", "q": "x"}, None),  # a cursor of the list, not of the search
    ],
)
async def test_wrong_parameters_are_named(
    city: City, params: dict[str, Any], field: str | None
) -> None:
    answer = await (await city.anonymous()).get(ITEMS, params=params)
    assert answer.status_code == 400
    body = answer.json()
    assert body["type"] == "/problems/bad-request"
    if field is not None:
        assert [error["field"] for error in body["errors"]] == [field]


async def test_a_guide_says_what_is_known_and_what_is_not(city: City) -> None:
    nobody = await city.anonymous()
    guide = await get(nobody, f"{ITEMS}/birth_registration")
    assert guide["conditions"] == "From the birth of the youngest child on."
    assert guide["window"] == (
        "From the birth of the youngest child until 30 days after the birth of the youngest child."
    )
    assert guide["sources"] == [
        {
            "source": "Household Registration Regulations, art. 7",
            "note": "within one month of birth",
        }
    ]
    assert guide["unknown"] == ["time", "fee", "materials", "steps"]
    assert {field: guide[field] for field in guide["unknown"]} == dict.fromkeys(guide["unknown"])
    assert guide["events"] == [{"code": "birth", "name": "Birth of a child"}]


async def test_times_fees_and_materials_where_the_law_fixes_them(city: City) -> None:
    nobody = await city.anonymous()
    for lang, time, fee in (("zh-CN", "60天", "20.00元"), ("en", "60 days", "20.00 yuan")):
        guide = await get(nobody, f"{ITEMS}/id_card_renewal", lang)
        assert (guide["time"], guide["fee"]) == (time, fee)
    guide = await get(nobody, f"{ITEMS}/home_title_transfer")
    assert guide["time"] == "30 working days"
    guide = await get(nobody, f"{ITEMS}/marriage_registration", "zh-CN")
    assert guide["fee"] == "免费"
    assert guide["materials"][0] == "双方本人的居民身份证"


async def test_an_item_shows_the_app_that_does_it(city: City) -> None:
    nobody = await city.anonymous()
    for code, shop, app in (
        ("water_payment", "utility_bills", "water"),
        ("id_card_renewal", "public_security", "id_card"),
    ):
        guide = await get(nobody, f"{ITEMS}/{code}")
        assert [(link["shop"], link["app"]) for link in guide["apps"]] == [(shop, app)]
        page = await get(nobody, ITEMS, q=guide["name"], limit=1)
        assert page["items"][0]["apps"] == guide["apps"]
    assert (await get(nobody, f"{ITEMS}/passport"))["apps"] == []


async def test_every_item_that_a_shop_names_is_in_the_catalogue(city: City) -> None:
    nobody = await city.anonymous()
    for shop in (await get(nobody, "/v1/shops"))["items"]:
        for app in shop["apps"]:
            for code in app["items"]:
                assert (await get(nobody, f"{ITEMS}/{code}"))["code"] == code


async def test_an_unknown_item_is_a_named_problem(city: City) -> None:
    answer = await (await city.anonymous()).get(f"{ITEMS}/flying_carpet")
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/no-such-item"
    assert answer.json()["title"] == "没有这个事项。"


async def test_stages_and_departments(city: City) -> None:
    nobody = await city.anonymous()
    stages = (await get(nobody, "/v1/catalogue/stages"))["items"]
    assert [s["code"] for s in stages] == ["birth", "school", "work", "marriage", "retirement"]
    assert all(s["items"] > 10 and s["name"] and s["summary"] for s in stages)
    departments = (await get(nobody, "/v1/catalogue/departments", "zh-CN"))["items"]
    assert {d["code"]: d["name"] for d in departments}["civil_affairs"] == "民政部门"
    assert sum(d["items"] for d in departments) >= 120
