"""Acting for a child in a real browser: proved, switched to, seen on each page, left again."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser
from tests.browser.screen import screen
from tests.city import City
from tests.rooms.identity.delegation.helping import child_of

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("lang", "scheme"), [("zh-CN", "light"), ("en", "dark")])
async def test_a_mother_acts_for_her_child(
    city: City, browser: Browser, lang: str, scheme: str
) -> None:
    mother = await screen(
        browser, city.url, f"acting-{lang}-{scheme}", lang=lang, dark=scheme == "dark"
    )
    page, child = mother.page, child_of(city, "school_mother")
    people = await city.people()
    await mother.goto("/dev/people")
    await page.click("button[value=school_mother]")
    await mother.goto("/verify")
    if await page.query_selector("#id_number"):
        await page.fill("#name", people["school_mother"]["name"])
        await page.fill("#id_number", people["school_mother"]["id_number"])
        await page.click("form[action='/verify'] button")
    await mother.goto("/me/delegations")
    for fold in await page.query_selector_all("details.card > summary"):
        await fold.click()
    await mother.look("acting-forms")
    await page.fill("#child-name", child.name)
    await page.fill("#child-number", child.id_number)
    await page.click("form[action='/me/delegations/child'] button")
    await mother.look("acting-proved")
    await page.click("form[action$='/act'] button")
    assert await page.text_content(".acting span")
    await mother.look("acting-home")
    await mother.goto("/me")
    await mother.look("acting-me")
    await page.click(".acting button")
    assert await page.query_selector(".acting") is None
    await mother.close()
