"""Money in a real browser: paid, a part asked back, the desk that lets it go, the papers."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect
from tests.browser.screen import DESK, screen
from tests.city import City

PAGES = (
    "payments", "refunds?state=all", "tickets", "statements", "settlement?shop=utility_bills", "ledger",
)  # fmt: skip
pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("lang", "scheme"), [("zh-CN", "light"), ("en", "dark")])
async def test_a_part_goes_back(city: City, browser: Browser, lang: str, scheme: str) -> None:
    name, dark = f"money-{lang}-{scheme}", scheme == "dark"
    persona = "graduate" if dark else "newborn_mother"
    citizen = await screen(browser, city.url, f"citizen-{name}", lang=lang, dark=dark)
    page, person = citizen.page, (await city.people())[persona]
    await citizen.goto("/dev/people")
    await page.click(f"button[value={persona}]")
    await citizen.goto("/verify")
    await page.fill("#name", person["name"])
    await page.fill("#id_number", person["id_number"])
    await page.click("form[action='/verify'] button")
    await citizen.goto("/shops/utility_bills/gas")
    await page.click("form[action$='/consent'] button")
    bill = (await page.get_attribute("a[href*='/bills/']", "href")) or ""
    await citizen.goto(bill)
    await page.click("a[href^='/mandates/new']")
    await citizen.look("mandate")
    await citizen.goto("/bills")
    await page.click("form[action='/orders'] button[type=submit]")
    await page.click("button[value=paid]")
    await expect(page.locator("a[href$='/receipt']")).to_be_visible(timeout=10_000)
    order = page.url.partition("?")[0].removeprefix(city.url)
    await citizen.goto(order)
    await page.click("details summary >> nth=0")
    await page.fill("input[name=amount]", "1.50")
    await citizen.look("wish")
    await page.click("form[action$='/refund'] button")
    await citizen.look("wished")

    desk = await screen(browser, city.url, f"desk-{name}", size=DESK, lang=lang, dark=dark)
    await desk.goto("/console/login")
    await desk.page.fill("input[name=username]", "operator")
    await desk.page.fill("input[name=password]", "sandbox-only")
    await desk.page.click("form[action='/console/login'] button[type=submit]")
    await desk.page.wait_for_url(re.compile(r"/console/?$"))
    await city.settled()
    await desk.goto("/console/refunds")
    await desk.look("waiting")
    await desk.page.click("form[action$='/approve'] button >> nth=0")
    await city.settled()
    for path in PAGES:
        await desk.goto(f"/console/{path}")
        await desk.look(path.partition("?")[0])

    await citizen.goto(order)
    await expect(page.locator("#refunds")).to_be_visible()
    for path in (f"{order}/receipt", "/mandates", "/receipt-check"):
        await citizen.goto(path)
        await citizen.look(path.rpartition("/")[2])
    await desk.close()
    await citizen.close()
