"""An application, a sum and an appointment in a real browser, with scripts and without."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from tests.browser.screen import Screen, screen
from tests.city import City

pytestmark = pytest.mark.browser
PNG = b"\x89PNG\r\n\x1a\n" + b"picture " * 20
ENROL = "/shops/medical_insurance/enrolment"
SUMS = "/shops/housing_fund/loan_calculator/calculate"


async def arrive(city: City, citizen: Screen, persona: str) -> None:
    """Sign in as a persona, verified."""
    page, person = citizen.page, (await city.people())[persona]
    await citizen.goto("/dev/people")
    await page.click(f"button[value={persona}]")
    await citizen.goto("/verify")
    await page.fill("#name", person["name"])
    await page.fill("#id_number", person["id_number"])
    await page.click("form[action='/verify'] button")


@pytest.mark.parametrize(
    ("persona", "lang", "dark", "scripts"),
    [("newborn_mother", "zh-CN", False, True), ("newborn_father", "en", True, False)],
    ids=["light-zh", "dark-en-no-scripts"],
)
async def test_a_child_is_enrolled(
    city: City, browser: Browser, tmp_path: Path, persona: str, lang: str, dark: bool, scripts: bool  # noqa: FBT001 (parametrised)
) -> None:  # fmt: skip
    name = f"citizen-apply-{lang}"
    citizen = await screen(browser, city.url, name, lang=lang, dark=dark, scripts=scripts)
    page = citizen.page
    await arrive(city, citizen, persona)
    await citizen.goto(f"{ENROL}/apply?variant=newborn")
    await page.click("form[action$='/consent'] button")
    await citizen.goto(f"{ENROL}/apply?variant=newborn")
    await page.click("main form button[type=submit]")
    await expect(page.locator("[role=alert]")).to_be_visible()
    citizen.faults.clear()  # the console names the page's own 422
    await citizen.look("errors", axe=scripts)
    picture = tmp_path / "picture.png"
    picture.write_bytes(PNG)
    today = city.house.clock.today()
    await page.check(f"input[name=f_year][value='{today.year}']")
    await page.check("input[name=f_category][value=newborn]")
    await page.check("input[name=f_registered][value=local]")
    number = {"newborn_mother": "T110000001", "newborn_father": "T110000002"}[persona]
    await page.fill("#f-birth_certificate", number)
    await page.fill("#f-birth_date", (today - timedelta(days=1)).isoformat())
    for at in range(await page.locator("input[type=file]").count()):
        await page.locator("input[type=file]").nth(at).set_input_files(picture)
    await page.click("main form button[type=submit]")
    await page.wait_for_url("**/cases/**")
    await citizen.look("case", axe=scripts)
    await citizen.goto("/cases")
    await citizen.look("cases", axe=scripts)
    await citizen.close()


async def test_three_hundred_and_sixty_rows_fit_a_phone(city: City, browser: Browser) -> None:
    citizen = await screen(browser, city.url, "citizen-sums")
    page = citizen.page
    await arrive(city, citizen, "graduate")
    await citizen.goto(SUMS)
    form = city.parts.registry.manifest("housing_fund").app("loan_calculator").forms.calculate
    for field in form.required:
        kind, example = form.properties[field], form.properties[field].example
        if kind.enum:
            await page.check(f"input[name=f_{field}][value='{example}']")
        else:
            await page.fill(f"#f-{field}", str(example // 100 if kind.kind == "money" else example))
    await page.click("main form button[type=submit]")
    await expect(page.locator("#result")).to_be_visible()
    await citizen.look("result")
    await page.click("details > summary")
    await citizen.look("rows")
    await citizen.close()


async def test_a_time_is_booked(city: City, browser: Browser) -> None:
    citizen = await screen(browser, city.url, "citizen-visit", scripts=False)
    page = citizen.page
    await arrive(city, citizen, "newlywed_husband")
    await citizen.goto("/shops/public_security/household_booking/appointments")
    await page.locator("#matter").select_option(index=1)
    await page.click("main form[method=get] button")
    await page.locator("main form[method=post] button").first.click()
    await expect(page.locator("#mine")).to_be_visible()
    await citizen.look("booked", axe=False)
    await citizen.close()
