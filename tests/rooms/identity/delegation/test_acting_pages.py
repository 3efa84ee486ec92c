"""Acting for others in the pages: asked, accepted, switched to, seen on every page, and left again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor, citizen
from tests.rooms.identity.delegation.helping import (
    HOME,
    agreed,
    as_parent,
    child_of,
    enterprise_of,
    lists,
)

PAGE = "/me/delegations"
IDS = re.compile(r"/me/delegations/([0-9a-f-]{36})/(\w+)\"")


async def can(someone: Visitor, what: str) -> list[str]:
    """The delegations that a page offers to do this with."""
    return [one for one, verb in IDS.findall(await someone.get(PAGE)) if verb == what]


async def test_a_mother_proves_switches_and_comes_back(city: City) -> None:
    mother, child = await citizen(city, "school_mother"), child_of(city, "school_mother")
    assert "acting" not in await mother.get("/")
    spaced = f"{child.id_number[:6]} {child.id_number[6:].lower()}"
    assert await mother.to(f"{PAGE}/child", name=child.name, id_number=spaced) == PAGE
    page = await mother.get(PAGE)
    assert "您可以代为办理" in page
    (known,) = await can(mother, "act")
    assert await mother.to(f"{PAGE}/{known}/act") == "/"
    for path in ("/", "/services", "/inbox", "/me", "/orders", "/cases", PAGE, "/nothing-here"):
        answer = await mother.client.get(path, headers={"accept": "text/html"})
        shown = "您正在代 刘** 办理" in answer.text
        assert shown == (path != "/nothing-here"), path
        assert child.name not in answer.text
    me = await mother.get("/me")
    assert "刘**" in me
    assert '<form method="post" action="/me/sessions' not in me, "the child's devices aren't hers"
    assert await mother.to("/me/acting/stop") == "/"
    assert "您正在代" not in (page := await mother.get("/"))
    assert "已切换回您本人" in page


async def test_english_words_too(city: City) -> None:
    mother = await citizen(city, "school_mother", "en")
    page = await mother.get(PAGE)
    for words in (
        "Acting for others",
        "For whom I may act",
        "your child",
        "look, apply and book, pay",
    ):
        assert words in page
    await mother.to(f"{PAGE}/{(await can(mother, 'act'))[0]}/act")
    assert "You act for 刘**" in (page := await mother.get("/"))
    assert "Back to myself" in page


async def test_who_acts_meets_a_closed_door_at_pages_about_the_account(city: City) -> None:
    mother = await citizen(city, "school_mother")
    await mother.to(f"{PAGE}/{(await can(mother, 'act'))[0]}/act")
    for answer in (
        await mother.client.get("/verify"),
        await mother.client.post("/verify", data={}, headers={"origin": city.url}),
        await mother.client.get("/verify/face"),
    ):
        assert answer.status_code == 403, answer.url
        assert "您不能代他人办理此事项" in answer.text
        assert "切换回本人" in answer.text
    hers = [
        one["id"]
        for one in (await (await city.citizen("school_mother")).get("/v1/me/sessions")).json()[
            "items"
        ]
    ]
    assert hers[0] in await mother.get("/me/devices"), "that page stays one's own"
    assert await mother.to("/logout") == "/"
    assert "/login" in (await mother.client.get("/me")).headers["location"]
    assert "cm_acting" not in dict(mother.client.cookies)


async def test_a_form_filled_in_for_somebody_is_not_done_for_oneself(city: City) -> None:
    """The right ends between page and form: nothing happens, and the page says why."""
    given = await agreed(city, "newlywed_wife", "newlywed_husband", ["view", "apply"])
    husband = await citizen(city, "newlywed_husband")
    await husband.to(f"{PAGE}/{given['id']}/act")
    assert "您正在代" in await husband.get("/me/facts")
    wife = await city.citizen("newlywed_wife")
    assert (await wife.delete(f"{HOME}/{given['id']}")).status_code == 204
    said = {"attribute": "pregnant", "value": "true"}
    answer = await husband.client.post("/me/facts", data=said, headers={"origin": city.url})
    assert answer.status_code == 409
    assert "该代办关系已终止" in answer.text
    for client in (wife, await city.citizen("newlywed_husband")):
        assert "pregnant" not in (await client.get("/v1/me")).json()["facts"]
    assert "您正在代" not in await husband.get("/me")


async def test_a_page_falls_back_to_oneself_with_a_word_about_it(city: City) -> None:
    given = await agreed(city, "newlywed_wife", "newlywed_husband", ["view", "apply"])
    husband = await citizen(city, "newlywed_husband")
    await husband.to(f"{PAGE}/{given['id']}/act")
    assert await husband.to(f"{PAGE}/{given['id']}/end") == PAGE
    assert "您正在代" not in await husband.get("/")
    given = await agreed(city, "newlywed_wife", "newlywed_husband", ["view"])
    await husband.to(f"{PAGE}/{given['id']}/act")
    wife = await city.citizen("newlywed_wife")
    await wife.delete(f"{HOME}/{given['id']}")
    page = await husband.get("/")
    assert "您已不能再代其办理" in page
    assert "您正在代" not in page
    assert "您已不能再代其办理" not in await husband.get("/")


async def test_what_is_done_is_the_principals_and_says_who_did_it(city: City, here: str) -> None:
    given = await agreed(city, "newborn_mother", "newborn_father", ["view", "apply", "pay"])
    father = await citizen(city, "newborn_father")
    await father.to(f"{PAGE}/{given['id']}/act")
    order = await father.to("/orders", key="abcdefgh", charge=[f"{here}/all/c-web"])
    order = order.partition("?")[0].replace("/sandbox/cashier/", "/orders/")
    name = (await city.people())["newborn_father"]["name"]
    assert f"由 {name[0]}{'*' * (len(name) - 1)} 代办" in await father.get(order)
    mother = await city.citizen("newborn_mother")
    made = (await mother.get(f"/v1{order}")).json()
    assert made["acted_by"] == given["agent"]


async def test_who_may_only_look_hands_nothing_in(city: City, here: str) -> None:
    given = await agreed(city, "newborn_mother", "graduate", ["view"], shops=[here])
    graduate = await citizen(city, "graduate")
    await graduate.to(f"{PAGE}/{given['id']}/act")
    assert (await graduate.client.get("/")).headers["location"] == f"/shops/{here}"
    assert "您正在代" in await graduate.get(f"/shops/{here}/all")
    assert (await graduate.client.get("/shops/utility_bills/water")).status_code == 403
    assert (await graduate.client.get("/inbox")).status_code == 403
    sent: dict[str, Any] = {"key": "abcdefgh", "charge": [f"{here}/all/c-look"]}
    assert (await graduate.post("/orders", 403, **sent)).status_code == 403


async def test_asking_and_accepting_by_page(city: City) -> None:
    son, father = await citizen(city, "graduate"), await citizen(city, "near_retirement_man")
    phone = (await city.people())["near_retirement_man"]["phone"]
    ask = {
        "key": "abcdefgh",
        "phone": f"{phone[:3]} {phone[3:]}",
        "whom": "principal",
        "far": "apply",
    }
    assert await son.to(f"{PAGE}/invite", **ask, until="2027-06-30") == PAGE
    (known,) = await can(father, "accept")
    assert await father.to(f"{PAGE}/{known}/accept") == PAGE
    assert known in await can(son, "act")
    (row,) = [
        one for one in (await lists(await city.citizen("graduate")))["held"] if one["id"] == known
    ]
    assert row["may"] == ["view", "apply"]
    assert row["valid_until"].startswith("2027-06-30T16:00")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("child", {"name": "没有", "id_number": "1"}), ("child", {"name": "刘乐乐", "id_number": "11010119900307109X"}),
        ("enterprise", {"name": "没有公司", "uscc": "x"}),
        ("invite", {"key": "abcdefgh", "phone": "1", "whom": "agent", "far": "view"}),
        ("invite", {"key": "abcdefgh", "phone": "13900001111", "whom": "agent", "far": "view", "until": "2020-01-01"}),
        ("invite", {"key": "abcdefgh", "phone": "13900001111", "whom": "agent", "far": "view", "until": "soon"}),
        ("invite", {"key": "abcdefgh", "phone": "13900001111", "whom": "agent", "far": "view", "shops": ["nobody"]}),
    ],
)  # fmt: skip
async def test_what_can_not_be_stands_beside_its_form(city: City, path: str, said: Any) -> None:
    someone = await citizen(city, "near_retirement_woman")
    answer = await someone.client.post(f"{PAGE}/{path}", data=said, headers={"origin": city.url})
    assert answer.status_code in {400, 422}, answer.text[:500]
    assert 'role="alert"' in answer.text


async def test_another_sites_form_switches_nothing(city: City) -> None:
    mother = await citizen(city, "school_mother")
    await as_parent(await city.citizen("school_mother"), child_of(city, "school_mother"))
    known = (await can(mother, "act"))[0]
    answer = await mother.client.post(
        f"{PAGE}/{known}/act", headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert "您正在代" not in await mother.get("/")


async def test_a_cookie_of_ones_own_making_is_nothing(city: City) -> None:
    mother = await citizen(city, "newborn_mother")
    for forged in ("x", "AAAA", "e30="):
        mother.client.cookies.set("cm_acting", forged)
        assert "您正在代" not in await mother.get("/me")


async def test_the_representative_names_an_agent_by_page(city: City) -> None:
    boss, firm = (
        await citizen(city, "near_retirement_man"),
        enterprise_of(city, "near_retirement_man"),
    )
    await boss.to(f"{PAGE}/enterprise", name=firm.name, uscc=firm.uscc)
    page = await boss.get(PAGE)
    assert firm.name in page
    of = re.findall(r'href="/me/delegations/([0-9a-f-]{36})"', page)[0]
    phone = (await city.people())["graduate"]["phone"]
    ask = {"key": "abcdefgh", "phone": phone, "whom": "agent", "far": "pay"}
    refused = await boss.post(f"{PAGE}/{of}/invite", 422, **ask)
    assert 'role="alert"' in refused.text
    assert await boss.to(f"{PAGE}/{of}/invite", **ask, until="2027-06-30") == f"{PAGE}/{of}"
    assert "待同意" in await boss.get(f"{PAGE}/{of}")
