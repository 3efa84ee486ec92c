"""Signing in to the console and out of it; and that no form of another site is taken."""

from __future__ import annotations

import pytest
from tests.city import City
from tests.rooms.console.steps import shown, sign_in, signed_in, stranger, words

PAGES = (
    "/console/", "/console", "/console/ratings", "/console/rectifications",
    "/console/rectifications/01a20fa4-0389-75e7-a514-6944de78c0d3", "/console/payments",
    "/console/tickets", "/console/ledger", "/console/shops", "/console/shops/utility_bills",
    "/console/nothing/of/this/kind",
)  # fmt: skip


async def test_the_right_password_leads_to_the_first_page(city: City) -> None:
    async with stranger(city) as browser:
        page = await shown(browser, "/console/login")
        assert "登录工作台" in page
        answer = await sign_in(browser, "operator")
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/")
        kept = answer.headers.get_list("set-cookie")
        assert {c.partition("=")[0] for c in kept} == {"cm_staff_access", "cm_staff_refresh"}
        for cookie in kept:
            assert "HttpOnly" in cookie
            assert "Path=/console" in cookie
            assert "SameSite=lax" in cookie
        assert "运营 周敏" in words(await shown(browser, "/console/"))


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("operator", "wrong"),
        ("nobody", "sandbox-only"),
        ("", ""),
        ("operator", "x" * 300),
        ("\x00", "sandbox-only"),
        ('"><script>', "sandbox-only"),
    ],
)
async def test_another_password_does_not(city: City, username: str, password: str) -> None:
    async with stranger(city) as browser:
        answer = await sign_in(browser, username, password)
        assert answer.status_code == 401
        assert "账号或密码不正确" in answer.text
        assert "<script>" not in answer.text
        assert f'value="{password}"' not in answer.text or not password
        assert "set-cookie" not in answer.headers
        again = await browser.get("/console/")
        assert again.status_code == 303


async def test_who_must_sign_in_comes_back_to_where_they_were_going(city: City) -> None:
    async with stranger(city) as browser:
        for path in PAGES:
            answer = await browser.get(path)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/console/login")
        answer = await browser.get("/console/rectifications", params={"overdue": "1", "lang": "en"})
        login = answer.headers["location"]
        assert login == "/console/login?next=/console/rectifications%3Foverdue%3D1"
        assert 'value="/console/rectifications?overdue=1"' in await shown(browser, login)
        answer = await sign_in(browser, "operator", next="/console/rectifications?overdue=1")
        assert answer.headers["location"] == "/console/rectifications?overdue=1"


@pytest.mark.parametrize(
    "next_path", ["//evil.example", "https://evil.example/console/", "/\\evil.example", "/me"]
)
async def test_nobody_is_sent_elsewhere_after_signing_in(city: City, next_path: str) -> None:
    async with stranger(city) as browser:
        page = await shown(browser, "/console/login", next=next_path)
        assert 'name="next" value="/console/"' in page
        answer = await sign_in(browser, "operator", next=next_path)
        assert answer.headers["location"] == "/console/"


async def test_signing_out_ends_the_session_and_forgets_it(city: City) -> None:
    async with signed_in(city, "operator") as browser:
        kept = dict(browser.cookies)
        answer = await browser.post("/console/logout")
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")
        assert not browser.cookies
        for name, value in kept.items():  # a copy made before is no use either
            browser.cookies.set(name, value, path="/console")
        assert (await browser.get("/console/")).status_code == 303


async def test_a_session_is_renewed_on_the_way(city: City) -> None:
    async with signed_in(city, "operator") as browser:
        before = browser.cookies["cm_staff_refresh"]
        browser.cookies.delete("cm_staff_access")
        # Also where the page itself is refused: the new pair must not get lost with it.
        answer = await browser.get("/console/rectifications/none")
        assert answer.status_code == 404
        assert browser.cookies["cm_staff_refresh"] != before
        assert (await browser.get("/console/")).status_code == 200


async def test_a_made_up_session_is_none(city: City) -> None:
    async with stranger(city) as browser:
        for name, value in (("cm_staff_access", "a.b.c"), ("cm_staff_refresh", "A" * 48)):
            browser.cookies.set(name, value, path="/console")
        answer = await browser.get("/console/")
        assert answer.status_code == 303
        forgotten = answer.headers.get_list("set-cookie")
        assert len(forgotten) == 2
        assert all("Max-Age=0" in cookie for cookie in forgotten)


async def test_a_citizens_token_opens_no_console(city: City) -> None:
    client = await city.citizen("graduate")
    token = client.headers["authorization"].removeprefix("Bearer ")
    async with stranger(city) as browser:
        browser.cookies.set("cm_staff_access", token, path="/console")
        assert (await browser.get("/console/")).status_code == 303
        bearer = await browser.get("/console/", headers={"authorization": f"Bearer {token}"})
        assert bearer.status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_forms_of_another_site_are_refused(city: City, headers: dict[str, str]) -> None:
    async with signed_in(city, "utility_bills") as browser:
        ticket = "/console/rectifications/01a20fa4-0389-75e7-a514-6944de78c0d3"
        for path in (
            "/console/login", "/console/logout", f"{ticket}/answer", f"{ticket}/appeal",
            f"{ticket}/review", f"{ticket}/remind",
        ):  # fmt: skip
            answer = await browser.post(path, data={"text": "x"}, headers=headers)
            assert answer.status_code == 403, path
            assert "您没有权限进行此操作" in answer.text
        assert (await browser.get("/console/")).status_code == 200


async def test_sign_out_is_no_link(city: City) -> None:
    async with signed_in(city, "operator") as browser:
        assert (await browser.get("/console/logout")).status_code in {404, 405}
        assert (await browser.get("/console/")).status_code == 200


async def test_a_stranger_cannot_make_the_house_read_for_a_second(city: City) -> None:
    async with stranger(city) as browser:
        headers = {"origin": city.url, "content-type": "application/x-www-form-urlencoded"}
        for body, status in ((b"a=&" * 300_000, 413), (b"a=&" * 80_000, 400), (b"a=&" * 10, 401)):
            answer = await browser.post("/console/login", content=body, headers=headers)
            assert answer.status_code == status
            assert "text/html" in answer.headers["content-type"]
