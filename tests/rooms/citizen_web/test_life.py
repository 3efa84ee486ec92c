"""The home, what people tell about themselves, consents, ratings and what follows."""

from __future__ import annotations

import re

from tests.city import City
from tests.rooms.citizen_web.visitor import citizen, visitor

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>&amp;'


async def test_each_life_sees_another_home(city: City) -> None:
    titles: list[frozenset[str]] = []
    for persona in ("newborn_mother", "school_mother", "graduate", "newlywed_wife",
                    "near_retirement_man"):  # fmt: skip
        page = await (await citizen(city, persona)).get("/")
        found = frozenset(re.findall(r'<h3><a href="/services/(\w+)"', page))
        assert found, persona
        titles.append(found)
    assert len(set(titles)) == len(titles)


async def test_tiles_tell_what_mends_them(city: City) -> None:
    who = await visitor(city)
    await who.sign_in((await city.people())["newborn_father"]["phone"])
    page = await who.get("/")
    assert 'href="/verify?next=/"' in page
    await who.verify("newborn_father")
    page = await who.get("/")
    manifests = [entry.manifest for entry in city.parts.registry.all() if entry.manifest]
    asking = sum("bills" in a.capabilities and bool(a.claims) for m in manifests for a in m.apps)
    assert asking >= 4
    assert page.count("查看并同意") == asking
    assert 'href="/shops/utility_bills/water?next=/"' in page
    assert "首页" in page
    assert await who.to("/shops/utility_bills/water/consent", claim="id_number", next="/") == "/"
    assert (await who.get("/")).count("查看并同意") == asking - 1
    # An app that asks for less gets no more than it asks for.
    await who.post("/shops/utility_bills/water/consent", 403, claim="name", next="/")
    assert await who.to("/me/consents/revoke", grantee="utility_bills/water") == "/me/consents"
    assert (await who.get("/")).count("查看并同意") == asking
    answer = await who.client.get("/shops/utility_bills/water/bills/x")
    assert answer.headers["location"].startswith("/shops/utility_bills/water?next=%2F")


async def test_a_broken_shop_costs_its_tiles_and_nothing_else(city: City) -> None:
    who = await citizen(city, "newlywed_husband")
    charge = (await who.bills("utility_bills/power"))[0]
    key = await who.key("/bills")
    gateway = city.parts.gateway
    gateway._cache = type(gateway._cache)()
    gate = next(way.gate for way in gateway.gates.all() if way.deployed.shop == "utility_bills")
    gate.fault = "out for a moment"
    try:
        for path in ("/", "/bills"):
            page = await who.get(path)
            assert "恢复中" in page
            assert ">重试<" in page
        assert "为您推荐" in await who.get("/")
        page = await who.get("/shops/utility_bills/heating?paid=true", 503)
        assert "恢复中" in page
        assert ">重试</a>" in page
        page = (await who.post("/orders", 503, key=key, charge=charge)).text
        assert "您的数据没有丢失" in page
    finally:
        gate.fault = ""
    assert (await who.to("/orders", key=key, charge=charge)).startswith("/sandbox/cashier/")


async def test_the_question_is_answered_in_place_and_taken_back(city: City) -> None:
    who = await visitor(city)
    await who.sign_in("19912345678")
    page = await who.get("/")
    attribute = re.findall(r'name="attribute" value="(\w+)"', page)[0]
    assert attribute == "employment"
    assert await who.to("/me/facts", attribute=attribute, value="retired", next="/") == "/"
    me = await who.get("/me")
    assert "已退休" in me
    assert "本人填写" in me
    assert await who.to("/me/facts", attribute=attribute, value="", next="/me") == "/me"
    assert "已退休" not in await who.get("/me")
    await who.post("/me/facts", 422, attribute=attribute, value="king")
    await who.post("/me/facts", 422, attribute="birth_date", value="2000-01-01")
    await who.post("/me/facts", attribute="insured_pension_years", value="15")
    assert "15年" in await who.get("/me")
    await who.post("/me/facts", attribute="veteran", value="true")
    assert "是退役军人" in await who.get("/me")
    assert 'value="15"' in await who.get("/me/facts")


async def test_cards_are_put_away_and_recommendations_switched_off(city: City) -> None:
    who = await citizen(city, "newborn_mother")
    assert "/services/birth_registration" in await who.get("/")
    assert await who.to("/cards/birth_registration", action="dismiss") == "/"
    assert "/services/birth_registration" not in await who.get("/")
    await who.post("/cards/nope", 404, action="dismiss")
    await who.post("/cards/birth_registration", 400, action="eat")
    assert await who.to("/me/recommend", on="0") == "/me"
    assert "推荐已关闭，我们不会查看您的任何信息" in await who.get("/")
    assert await who.to("/me/recommend", on="1") == "/me"


async def test_who_looked_is_shown(city: City) -> None:
    who = await citizen(city, "school_mother")
    await who.get("/bills")
    page = await who.get("/me")
    looks = page.split("谁查过我的信息")[1]
    assert "查询账单" in looks
    assert "身份证号" in looks


async def test_a_hostile_comment_stays_words(city: City) -> None:
    who = await citizen(city, "near_retirement_woman")
    call = re.findall(r"/calls/[0-9a-f-]{36}/rate", await who.get("/shops/public_security/id_card"))
    key = await who.key(call[0])
    ticket = await who.to(call[0], key=key, stars=2, tags_2="too_slow", tags_5="quick",
                          comment=HOSTILE)  # fmt: skip
    assert ticket.startswith("/rectifications/")
    page = await who.get(ticket)
    assert HOSTILE not in page
    assert "<script>" not in page
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in page
    assert "您的差评已生成整改单" in page
    assert "<img src=x" not in page
    # Rated once: the form is gone, and a second form changes nothing.
    assert "您已评价过" in await who.get(call[0])
    assert "您已评价过" in (await who.post(call[0], 200, key="another-key-1", stars=5)).text


async def test_wrong_ratings_are_told(city: City) -> None:
    who = await citizen(city, "graduate")
    call = re.findall(r"/calls/[0-9a-f-]{36}/rate", await who.get("/shops/public_security/id_card"))
    key = await who.key(call[0])
    for form in ({}, {"stars": 6}, {"stars": 5, "comment": "长" * 501}, {"stars": "five"}):
        page = (await who.post(call[0], 422, key=key, **form)).text
        assert "评语不超过 500 字" in page
    assert await who.to(call[0], key=key, stars=5, tags_5=["quick", "easy"]) == "/"
    assert "感谢您的评价" in await who.get("/")


async def test_a_ticket_goes_back_and_forth(city: City) -> None:
    who = await citizen(city, "newlywed_wife")
    call = re.findall(r"/calls/[0-9a-f-]{36}/rate", await who.get("/shops/public_security/id_card"))
    key = await who.key(call[0])
    ticket = await who.to(call[0], key=key, stars=1, comment="太慢")
    number = ticket.rpartition("/")[2]
    desk = await city.department("public_security")

    async def answered(text: str) -> None:
        said = {"kind": "fixed", "text": text}
        given = await desk.post(f"/v1/desk/rectifications/{number}/answer", json=said)
        assert given.status_code == 200, given.text

    assert f"{ticket}/confirm" not in await who.get(ticket)
    await answered("已安排专人加急")
    page = await who.get(ticket)
    assert "已安排专人加急" in page
    await who.post(f"{ticket}/reopen", 400, reason="  ")
    assert await who.to(f"{ticket}/reopen", reason="还是没有") == ticket
    assert "还是没有" in await who.get(ticket)
    await answered("证件已到派出所")
    again = {"stars": "4", "comment": "这次快"}
    assert await who.to(f"{ticket}/confirm", **again) == ticket
    page = await who.get(ticket)
    assert "整改后的评价" in page
    assert "这次快" in page
    await who.post(f"{ticket}/confirm", 409, stars="")
    assert "共 " not in await who.get(ticket)  # no due date once it is closed
    assert "满意率" in await who.get("/satisfaction")
