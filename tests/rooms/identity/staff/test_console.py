"""The same in a browser: two steps, the set-up with its picture, accounts, looking citizens up."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from tests.city import City
from tests.rooms.console.steps import shown, signed_in, stranger, words
from tests.rooms.identity.staff.steps import PASSWORD, account, forget_steps, set_up
from tests.rooms.identity.steps import new_phone, pair_for


async def login(browser: httpx.AsyncClient, username: str) -> httpx.Response:
    return await browser.post("/console/login", data={"username": username, "password": PASSWORD})


def ticket_in(html: str) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', html)
    assert found is not None
    return found[1]


async def test_from_the_password_to_the_second_factor(city: City) -> None:
    username = await account(city, "operator")
    async with stranger(city, "en") as browser:
        assert (await login(browser, username)).status_code == 303
        assert "Not set up" in words(await shown(browser, "/console/account"))
        phone, codes = await set_up(city, browser)
        assert "Recovery codes left: 10" in words(await shown(browser, "/console/account"))
        assert codes[0] not in await shown(browser, "/console/account")  # shown once
    await forget_steps(city)
    async with stranger(city, "en") as browser:
        step = await browser.post(
            "/console/login",
            data={"username": username, "password": PASSWORD, "next": "/console/ledger"},
        )
        assert step.status_code == 200
        assert "cm_staff_access" not in browser.cookies
        form = {"ticket": ticket_in(step.text), "next": "/console/ledger"}
        wrong = await browser.post("/console/login/code", data={**form, "code": phone.wrong()})
        assert wrong.status_code == 401
        assert 'role="alert"' in wrong.text
        right = await browser.post("/console/login/code", data={**form, "code": phone.code()})
        assert (right.status_code, right.headers["location"]) == (303, "/console/ledger")
        await shown(browser, "/console/ledger")
        over = await browser.post("/console/login/code", data={**form, "code": phone.code(1)})
        assert (over.status_code, over.headers["location"]) == (
            303, "/console/login?next=%2Fconsole%2Fledger",
        )  # fmt: skip
    async with stranger(city, "en") as browser:
        step = await login(browser, username)
        form = {"ticket": ticket_in(step.text), "code": codes[3], "next": "//evil.example"}
        right = await browser.post("/console/login/code", data=form)
        assert (right.status_code, right.headers["location"]) == (303, "/console/")


@pytest.mark.parametrize(
    "form",
    [{}, {"ticket": "", "code": ""}, {"ticket": "x" * 200, "code": "123456"},
     {"ticket": '"><script>alert(1)</script>' * 2, "code": "a" * 50}, {"code": "\x00" * 6}],
)  # fmt: skip
async def test_a_bent_form_is_told_on_the_page(city: City, form: dict[str, Any]) -> None:
    async with stranger(city) as browser:
        answer = await browser.post("/console/login/code", data=form)
        assert answer.status_code in {303, 401}
        assert "<script>alert" not in answer.text


async def test_ones_own_password(city: City) -> None:
    username = await account(city, "agent", "utility_bills")
    async with stranger(city, "en") as browser:
        await login(browser, username)
        change = "/console/account/password"
        new = "seven ripe pears tonight"
        form = {"current": PASSWORD, "new": new, "again": new}
        for bent, status in (
            ({**form, "again": "another one"}, 422), ({**form, "new": "short", "again": "short"}, 422),
            ({**form, "current": "wrong"}, 401), ({}, 422),
        ):  # fmt: skip
            answer = await browser.post(change, data=bent)
            assert answer.status_code == status
            assert 'role="alert"' in answer.text
        done = await browser.post(change, data=form)
        assert done.headers["location"] == "/console/account?done=password"
        assert "The password is changed" in words(await shown(browser, "/console/account", done="password"))  # fmt: skip


async def test_two_operators_at_the_accounts_page(city: City) -> None:
    username = await account(city, "agent", "utility_bills", name="遗失者")
    async with signed_in(city, "operator", "en") as one, signed_in(city, "reviewer", "en") as two:
        asked = await one.post("/console/staff/reset", data={"username": username, "reason": "手机遗失"})  # fmt: skip
        assert asked.headers["location"] == "/console/staff?done=reset"
        mine, theirs = await shown(one, "/console/staff"), await shown(two, "/console/staff")
        found = re.search(r"/console/staff/resets/([0-9a-f-]{36})/approve", theirs)
        assert found is not None
        assert found[0] not in mine
        refused = await one.post(found[0])
        assert refused.status_code == 403
        assert 'role="alert"' in refused.text
        done = await two.post(found[0])
        assert done.headers["location"] == "/console/staff?done=approve"
        closed = await one.post("/console/staff/disable", data={"username": username})
        assert closed.headers["location"] == "/console/staff?done=disable"
        assert (await one.post("/console/staff/disable", data={})).status_code == 400
        own = await one.post("/console/staff/disable", data={"username": "operator"})
        assert own.status_code == 403
    async with signed_in(city, "auditor", "en") as auditor:
        seen = await shown(auditor, "/console/staff")
        assert "Closed" in words(seen)
        assert '<form method="post" action="/console/staff' not in seen


async def test_a_look_up_with_two(city: City) -> None:
    phone = new_phone()
    await pair_for(city, phone)
    async with signed_in(city, "operator", "en") as one, signed_in(city, "reviewer", "en") as two:
        form = {"whom": phone, "reason": "safety", "words": "家属报警寻人"}
        assert (await one.post("/console/citizens", data={**form, "whom": "1"})).status_code == 400
        asked = await one.post("/console/citizens", data=form)
        assert asked.headers["location"] == "/console/citizens?done=ask"
        theirs = await shown(two, "/console/citizens")
        assert phone not in theirs
        found = re.search(r"/console/citizens/([0-9a-f-]{36})/approve", theirs)
        assert found is not None
        look = f"/console/citizens/{found[1]}/look"
        assert (await one.post(look)).status_code == 403
        assert (await two.post(found[0])).headers["location"] == "/console/citizens?done=approve"
        masked = await one.post(look)
        assert masked.status_code == 200
        assert phone not in masked.text
        clear = await one.post(look, data={"claim": "phone"})
        assert phone in clear.text
        assert (await two.post(look)).status_code == 404
        assert (await one.get(look)).status_code == 303


@pytest.mark.parametrize(
    ("who", "closed"),
    [
        ("auditor", {"/console/citizens"}),
        ("utility_bills", {"/console/citizens", "/console/staff", "/console/ledger", "/console/tickets", "/console/statements"}),
        ("operator", set[str]()),
    ],
)  # fmt: skip
async def test_a_menu_shows_what_the_role_may(city: City, who: str, closed: set[str]) -> None:
    paths = {"/console/citizens", "/console/staff", "/console/ledger", "/console/tickets",
             "/console/statements", "/console/refunds", "/console/account"}  # fmt: skip
    async with signed_in(city, who) as browser:
        menu = set(re.findall(r'<li><a href="(/console/[a-z-]+)"', await shown(browser, "/console/")))  # fmt: skip
        assert menu & paths == paths - closed
        for path in paths:
            assert (await browser.get(path)).status_code == (403 if path in closed else 200), path


async def test_an_agent_and_an_auditor_decide_no_refund(city: City) -> None:
    agent = await account(city, "agent", "utility_bills")
    async with stranger(city) as browser, signed_in(city, "auditor") as auditor:
        await login(browser, agent)
        some = "/console/refunds/01890000-0000-7000-8000-000000000000"
        for who in (browser, auditor):
            for move in ("approve", "decline"):
                assert (await who.post(f"{some}/{move}")).status_code == 403
            form = {"order": "01890000-0000-7000-8000-000000000000", "no": "1", "key": "abcdefgh"}
            assert (await who.post("/console/refunds", data=form)).status_code == 403
