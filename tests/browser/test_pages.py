"""Pages that the journey doesn't pass, in the dark and in English too."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser
from tests.browser.screen import screen
from tests.city import City

pytestmark = pytest.mark.browser
PAGES = (
    "/", "/bills", "/me", "/me/facts", "/me/events", "/me/data", "/me/deletion", "/services", "/services?q=宝宝", "/services/birth_registration",
    "/shops", "/shops/public_security/id_card", "/shops/utility_bills/gas?paid=true", "/orders",
    "/rectifications", "/inbox", "/verify", "/logout", "/dev/inbox", "/dev/people",
    "/shops/housing_fund/loan_calculator", "/shops/housing_fund/loan_calculator/calculate",
    "/shops/public_security/household_booking/appointments", "/shops/medical_insurance/enrolment/apply",
    "/shops/medical_insurance/account/enquire", "/cases", "/services/nope",
)  # fmt: skip


@pytest.mark.parametrize(("lang", "scheme"), [("zh-CN", "light"), ("en", "dark")])
async def test_everybody_can_use_it(city: City, browser: Browser, lang: str, scheme: str) -> None:
    dark = scheme == "dark"
    citizen = await screen(browser, city.url, f"citizen-{lang}-{scheme}", lang=lang, dark=dark)
    page = citizen.page
    people = await city.people()
    persona = "school_mother" if dark else "newlywed_wife"
    await citizen.goto("/dev/people")
    await page.click(f"button[value={persona}]")
    await citizen.goto("/verify")
    await page.fill("#name", people[persona]["name"])
    await page.fill("#id_number", people[persona]["id_number"])
    await page.click("form[action='/verify'] button")
    for app in (
        "utility_bills/gas", "public_security/id_card", "medical_insurance/enrolment", "medical_insurance/account",
    ):  # fmt: skip
        await citizen.goto(f"/shops/{app}")
        await page.click("form[action$='/consent'] button")
    for path in (*PAGES, *([] if dark else ["/docs"])):  # the longest page by far: once
        await citizen.goto(path)
        if path == "/services/nope":
            citizen.faults.clear()  # the console names the page's own 404
        await citizen.look(path.strip("/").replace("/", "-").partition("?")[0] or "home")
    await citizen.close()
