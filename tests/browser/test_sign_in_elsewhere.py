"""Signing in at a partner in a real browser: its own rules hold for redirects behind forms too."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Browser, expect
from tests.browser.screen import screen
from tests.city import City
from tests.rooms.identity.provider.steps import answer, register, words
from tests.serving import served

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("lang", "scripts"), [("zh-CN", True), ("en", False)])
async def test_there_and_back(city: City, browser: Browser, lang: str, scripts: bool) -> None:  # noqa: FBT001 (a table)
    async with served(partners_page, lifespan="off") as elsewhere:
        await _there_and_back(city, browser, f"{elsewhere}/back", lang, scripts=scripts)


async def partners_page(scope: Any, receive: Any, send: Any) -> None:
    """What a partner's site answers to whatever comes."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"signed in"})


async def _there_and_back(
    city: City, browser: Browser, address: str, lang: str, *, scripts: bool
) -> None:
    back = re.escape(address) + r"\?code="
    partner = await register(
        city, scopes=["openid", "phone"], min_level=1, redirect_uris=[address],
        claims={"phone": {"purpose": words("到期提醒", "To remind you"), "optional": True}},
    )  # fmt: skip
    there = await screen(browser, city.url, f"elsewhere-{lang}", lang=lang, scripts=scripts)
    page = there.page
    phone = (await city.people())["graduate" if scripts else "newborn_father"]["phone"]

    async def sign_in() -> None:
        await expect(page).to_have_url(re.compile("/login"))
        await page.fill("input[name=phone]", phone)
        await page.click("form[action='/login/code'] button")
        sent = (await (await city.anonymous()).get("/v1/sandbox/messages")).json()["items"]
        code = next(re.findall(r"\d{6}", m["text"])[0] for m in sent if m["to"] == phone)
        await page.fill("input[name=code]", code)
        await page.click("form[action='/login'] button")

    await page.goto(city.url + partner.url(scope="openid phone"))
    await sign_in()
    await expect(page).to_have_url(re.compile("/oauth/authorize/"))
    await there.look("question", axe=scripts)
    await page.check("input[value=phone]")
    await page.click("button[value=allow]")
    await expect(page).to_have_url(re.compile(back))
    got = await partner.redeem(page.url)
    assert got.status_code == 200, got.text
    assert got.json()["scope"] == "openid phone"
    # Nothing is left to ask: it leads there by itself, also behind the form of the sign-in page.
    await page.goto(city.url + partner.url(scope="openid", state="again"))
    await expect(page).to_have_url(re.compile(back + ".*state=again"))
    assert answer(page.url)["iss"] == city.url
    await page.goto(city.url + partner.url(scope="openid", state="anew", prompt="login"))
    await there.look("again", axe=scripts)
    await page.click("button[value=again]")
    await sign_in()
    await expect(page).to_have_url(re.compile(back + ".*state=anew"))
    await there.close()
