"""A release through the console in a real browser: read, found good, tried, published, taken back."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.async_api import Browser, expect
from tests.browser.screen import DESK, PHONE, screen
from tests.browser.test_journey import staff
from tests.city import City
from tests.rooms.releases.steps import Shop, passed, said
from tests.workshop import app, text

from civicmall import releases
from civicmall.kernel import ids, outbox
from civicmall.ratings.events import RectificationMoved
from civicmall.releases import Submission

pytestmark = pytest.mark.browser


async def test_a_release_is_reviewed_on_a_phone_and_published_at_a_desk(
    city: City, browser: Browser
) -> None:
    shop = Shop(city.house, city.parts.registry)
    await shop.live("1.0.0")
    claims = [{"name": n, "purpose": text("to compare names")} for n in ("phone", "name")]
    changed = said(
        shop.id, "1.1.0", apps=[app("permits", "progress", claims=claims, min_level=2)],
        egress=["a-rather-long-name-of-a-host.departments.city.example"],
    )  # fmt: skip
    made = await releases.submit(
        city.house, shop.registry, shop.author, Submission(changed, passed("permits")), f"{uuid4()}"
    )
    page = f"/console/releases/{made.id}"

    reader = await screen(browser, city.url, "reader", size=PHONE, lang="en", dark=True)
    await staff(reader, "operator")
    await reader.goto("/console/releases")
    await reader.look("waiting")
    await reader.goto(page)
    await expect(reader.page.locator(".changes li").first).to_contain_text("Asks more of citizens")
    await reader.look("changes")
    await reader.page.click("summary:has-text('Find it good')")
    await reader.page.fill("form[action$='/approve'] textarea", "read")
    await reader.page.check("form[action$='/approve'] input[name=sure]")
    await reader.look("sure")
    await reader.page.click("form[action$='/approve'] button")
    await expect(reader.page.locator("main")).to_contain_text("Found good")
    await reader.close()

    publisher = await screen(browser, city.url, "publisher", size=DESK)
    await staff(publisher, "reviewer")
    for move, told in (("canary", "试运行"), ("publish", "已发布"), ("rollback", "已回退")):
        await publisher.goto(page)
        form = f"form[action$='/{move}']"
        await (
            publisher.page.locator("details", has=publisher.page.locator(form))
            .locator("summary")
            .click()
        )
        await publisher.page.fill(f"{form} textarea", "按计划")
        await publisher.page.check(f"{form} input[name=sure]")
        await publisher.page.click(f"{form} button")
        await expect(publisher.page.locator("main")).to_contain_text(told)
        await publisher.look(move)
    await publisher.goto(f"/console/shops/{shop.id}")
    await publisher.look("versions")
    await publisher.close()
    assert await shop.states() == {"1.0.0": "live", "1.1.0": "withdrawn"}


async def test_what_was_given_up_on_is_sent_again(city: City, browser: Browser) -> None:
    kind, body = outbox.row(RectificationMoved(ids.new(4), "utility_bills", "remind"))
    await city.house.db.execute(
        "insert into kernel.outbox (bucket, id, type, body, dead, attempts, error)"
        " values (4, $1, $2, $3, true, 20, 'TimeoutError')",
        *(ids.new(4), kind, body),
    )
    operator = await screen(browser, city.url, "letters", lang="en")
    await staff(operator, "operator")
    for path in ("/console/shops", "/console/dead-letters"):
        await operator.goto(path)
        await operator.look(path.rpartition("/")[2])
    await operator.page.click("form[action$='/replay'] button")
    await expect(operator.page.locator("main")).to_contain_text("It is on its way again.")
    await operator.look("again")
    await operator.close()
    await city.settled()
    assert await outbox.dead(city.house.db, 1) == []
