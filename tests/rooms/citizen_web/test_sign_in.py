"""Signing in, staying signed in, and what other sites can't do to somebody who is."""

from __future__ import annotations

import re

import pytest
from tests.city import City
from tests.rooms.citizen_web.visitor import citizen, visitor

HOSTILE = ("//evil.example", "/\\evil.example", "https://evil.example/", "/\t/evil.example",
           "javascript:alert(1)", "\\\\evil.example", "/x\r\nset-cookie: a=b", "evil", "")  # fmt: skip


async def test_from_a_page_to_the_login_and_back(city: City) -> None:
    who = await visitor(city)
    answer = await who.client.get("/shops/utility_bills/water?paid=true")
    login = answer.headers["location"]
    assert login == "/login?next=%2Fshops%2Futility_bills%2Fwater%3Fpaid%3Dtrue"
    page = await who.get(login)
    assert 'value="/shops/utility_bills/water?paid=true"' in page
    phone = (await city.people())["school_mother"]["phone"]
    back = await who.sign_in(phone, "/shops/utility_bills/water?paid=true")
    assert back == "/shops/utility_bills/water?paid=true"
    # Level 1 isn't enough there: on to the real name, which leads back again.
    answer = await who.client.get(back)
    assert (
        answer.headers["location"]
        == f"/verify?next={back.replace('/', '%2F').replace('?', '%3F').replace('=', '%3D')}"
    )
    person = (await city.people())["school_mother"]
    number = f" {person['id_number'].lower()} "
    there = await who.to("/verify", name=person["name"], id_number=number, next=back)
    assert there == back
    assert "市公用事业服务中心需要" in await who.get(back)
    assert await who.to("/shops/utility_bills/water/consent", claim="id_number", next=back) == back
    assert "已缴账单" in await who.get(back)


@pytest.mark.parametrize("target", HOSTILE)
async def test_no_way_out_through_next(city: City, target: str) -> None:
    who = await visitor(city)
    page = (await who.client.get("/login", params={"next": target})).text
    assert 'name="next" value="/"' in page
    assert await who.sign_in((await city.people())["graduate"]["phone"], target) == "/"
    answer = await who.client.get("/login", params={"next": target})
    assert answer.headers["location"] == "/"
    assert await who.to("/me/facts", attribute="student", value="true", next=target) in {
        "/", "/me/facts",
    }  # fmt: skip


async def test_the_phone_is_in_no_address_and_the_code_page_shows_little_of_it(city: City) -> None:
    who = await visitor(city)
    answer = await who.post("/login/code", phone="19900009004")
    assert answer.headers["location"] == "/login?next=%2F"
    assert "19900009004" not in str(answer.headers)
    page = await who.get("/login")
    assert "199 **** 9004" in page
    assert "19900009004" not in page
    assert 'id="phone"' in await who.get("/login?other=1")


async def test_wrong_input_is_told_where_it_happened(city: City) -> None:
    who = await visitor(city)
    page = (await who.post("/login/code", 422, phone="123")).text
    assert "请输入 11 位手机号。" in page
    assert "验证码已失效" in (await who.post("/login", 422, code="123456")).text
    await who.post("/login/code", phone="19900009008")
    assert "请输入六位验证码。" in (await who.post("/login", 422, code="12")).text
    right = (await city.people())["near_retirement_woman"]["code"]
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for left in (4, 3, 2, 1, 0):
        assert f"还可再试 {left} 次" in (await who.post("/login", 422, code=wrong)).text
    assert "验证码已失效" in (await who.post("/login", 422, code=right)).text


async def test_wrong_names_are_told(city: City) -> None:
    who = await visitor(city)
    people = await city.people()
    await who.sign_in(people["newlywed_wife"]["phone"])
    other = people["newlywed_husband"]
    page = (await who.post("/verify", 422, name="无此人", id_number=other["id_number"])).text
    assert "姓名" in page
    assert 'role="alert"' in page
    assert 'value="无此人"' in page
    page = (await who.post("/verify", 422, name="李", id_number="12")).text
    assert "18 位身份证号" in page


async def test_an_expired_session_is_renewed_on_the_way(city: City) -> None:
    who = await citizen(city, "newlywed_husband")
    who.client.cookies.delete("cm_access")  # browsers drop it when its ten minutes are over
    answer = await who.client.get("/me")
    assert answer.status_code == 200
    assert "cm_access=" in answer.headers["set-cookie"]
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("cm_refresh"))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    # Also where the page itself fails: a renewed session must not be lost with it.
    who.client.cookies.set("cm_access", "rubbish", domain="127.0.0.1", path="/")
    answer = await who.client.get("/services/nope")
    assert answer.status_code == 404
    assert any(c.startswith("cm_access=") for c in answer.headers.get_list("set-cookie"))
    await who.get("/me")


async def test_rubbish_cookies_are_strangers(city: City) -> None:
    who = await visitor(city)
    for name in ("cm_access", "cm_refresh", "cm_code_sent", "cm_said", "lang"):
        who.client.cookies.set(name, "rubbish", domain="127.0.0.1", path="/")
    assert "手机号登录" in await who.get("/")
    assert 'id="phone"' in await who.get("/login")


async def test_forms_of_other_sites_are_refused(city: City) -> None:
    who = await citizen(city, "newborn_father")
    for headers in (
        {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"},
        {"origin": "null"}, {"origin": city.url, "sec-fetch-site": "same-site"},
    ):  # fmt: skip
        for path, form in (
            ("/orders", {"key": "a" * 12, "charge": "utility_bills/water/W00009002-202608"}),
            ("/me/consents/revoke", {"grantee": "utility_bills/water"}),
            ("/logout", {}),
            ("/login/code", {"phone": "19900009002"}),
            ("/dev/people/sign-in", {"persona": "graduate"}),
        ):
            answer = await who.client.post(path, data=form, headers=headers)
            assert answer.status_code == 403, (path, headers)
            assert "您无权" in answer.text or "没能完成" in answer.text
    assert "撤回" in await who.get("/me")


async def test_signing_out_here_and_elsewhere(city: City) -> None:
    phone = (await city.people())["school_mother"]["phone"]
    here, there = await visitor(city), await visitor(city)
    for who in (here, there):
        who.client.headers["user-agent"] = "Mozilla/5.0 (Linux; Android 15) Chrome/130.0"
        await who.sign_in(phone)
    page = await here.get("/me")
    assert "Chrome · Android" in page
    for end in re.findall(r'action="(/me/sessions/[0-9a-f-]+/end)"', page):
        assert await here.to(end) == "/me"
    answer = await there.client.get("/me")
    assert answer.status_code == 303
    assert await here.to("/logout") == "/"
    assert (await here.client.get("/me")).status_code == 303
    assert "已退出登录" in await here.get("/")


async def test_one_tap_in_the_sandbox(city: City) -> None:
    who = await visitor(city)
    assert await who.to("/dev/people/sign-in", persona="near_retirement_man") == "/"
    page = await who.get("/")
    assert "登录成功" in page
    assert "登录成功" not in await who.get("/")  # said once
    await who.post("/dev/people/sign-in", 404, persona="nobody")
