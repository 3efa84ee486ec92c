"""The desks of a department in a real browser: a case and an objection, opened with a reason."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.async_api import Browser, expect
from tests.browser.screen import DESK, PHONE, screen
from tests.browser.test_journey import staff
from tests.citizens import caller, verified
from tests.city import City
from tests.rooms.identity.steps import new_phone

from civicmall import cases, identity
from civicmall.cases import CaseItem, MaterialRef, NewCase
from shopkit.contract import Attestation
from shopkit.sandbox import personas

pytestmark = pytest.mark.browser
FUND = "housing_fund"
SHOP, APP = "medical_insurance", "enrolment"
PNG = b"\x89PNG\r\n\x1a\n" + b"picture " * 20


@pytest.mark.parametrize(
    ("lang", "dark", "size"), [("zh-CN", False, DESK), ("en", True, PHONE)], ids=["desk", "phone"]
)
async def test_an_objection_is_answered(
    city: City, browser: Browser, lang: str, dark: bool, size: tuple[int, int]  # noqa: FBT001 (parametrised)
) -> None:  # fmt: skip
    client, citizen = await city.short(new_phone())
    as_of = city.house.clock.today() - timedelta(days=5)
    said = Attestation("housing", "owner", as_of)
    await identity.attributes.service.attest(city.house, citizen, FUND, said, {"housing"})
    ask = {"source": FUND, "words": "房子去年卖了"}
    await client.put("/v1/me/facts/housing/objection", json=ask)
    await city.settled()

    clerk = await screen(browser, city.url, f"disputes-{lang}", lang=lang, dark=dark, size=size)
    page = clerk.page
    await staff(clerk, FUND)
    await clerk.goto("/console/disputes")
    await clerk.look("list")
    await page.click("main a.row")
    await clerk.look("closed")
    await page.fill("input[name=words]", "核对公积金记录")
    await page.click("form[action$='/open'] button")
    await expect(page.locator("main")).to_contain_text("房子去年卖了")
    await clerk.look("open")
    await page.check("input[value=withdrawn]")
    await page.fill("textarea[name=text]", "已更正")
    await page.click("form[action$='/answer'] button")
    await expect(page.locator("main")).to_contain_text("已更正")
    await clerk.look("answered")
    await clerk.close()


async def enrolled(city: City) -> CaseItem:
    """The case of a newborn's enrolment, with its papers."""
    house, gateway, registry = city.house, city.parts.gateway, city.parts.registry
    today = house.clock.today()
    person = next(p for p in personas(today) if p.persona == "newborn_mother")
    parent = caller(await verified(house, registry, person, SHOP, [APP]), level=2)
    purposes = registry.purposes_asked(SHOP, APP, parent.citizen_id)
    await identity.give_consent(
        house, parent.citizen_id, SHOP, APP, ["id_number", "birth_date"], purposes
    )
    form = await cases.form(gateway, parent, SHOP, APP, "newborn", "zh-CN")
    papers = [
        MaterialRef(
            one.code, (await cases.hand_in(house, parent, uuid4().hex, "image/png", PNG)).id
        )
        for one in form.materials
        if one.required
    ]
    values = {
        "year": today.year, "category": "newborn", "birth_certificate": "T110000001",
        "birth_date": (today - timedelta(days=1)).isoformat(), "registered": "local",
    }  # fmt: skip
    ask = NewCase(SHOP, APP, values, "newborn", papers)
    return await cases.submit(house, gateway, registry, parent, uuid4().hex, ask, "zh-CN")


async def test_a_case_is_read_and_closes_by_itself(city: City, browser: Browser) -> None:
    made = await enrolled(city)
    await city.settled()
    clerk = await screen(browser, city.url, "cases", size=PHONE)
    page = clerk.page
    await staff(clerk, made.shop)
    await clerk.goto("/console/cases")
    await clerk.look("list")
    await page.click(f"main a[href$='{made.id}']")
    await clerk.look("closed")
    await page.fill("input[name=words]", "核对申请材料")
    await page.click("form[action$='/open'] button")
    await expect(page.locator("#answers")).to_be_visible()
    await clerk.look("open")
    await page.click("details.card > summary")
    await clerk.look("longer")
    async with page.expect_download() as saved:
        await page.click("main a[download]")
    assert (await saved.value).suggested_filename.endswith((".png", ".jpg", ".pdf"))
    await city.house.db.execute(
        "update identity.reading set expires_at = now() + interval '2 seconds'"
    )
    await page.reload()
    await expect(page.locator("form[action$='/open']")).to_be_visible()
    await expect(page.locator("#answers")).to_have_count(0)
    await clerk.look("over")
    await clerk.close()
