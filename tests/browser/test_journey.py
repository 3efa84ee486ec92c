"""From the sign-in to the index that moved, in a real browser on a phone's screen."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect
from tests.browser.screen import DESK, Screen, screen
from tests.city import City

pytestmark = pytest.mark.browser
ANSWER = "已核对抄表照片，读数无误；短信提醒已为您开通。"


async def sign_in(citizen: Screen, city: City, persona: str) -> None:
    """Phone, code from the developer's inbox, name and number, consents."""
    person = (await city.people())[persona]
    page = citizen.page
    await citizen.goto("/login")
    await page.fill("#phone", person["phone"])
    await page.click("button:has-text('获取验证码')")
    inbox = await page.context.new_page()
    await inbox.goto(f"{city.url}/dev/inbox")
    sent = await inbox.inner_text(f"li:has-text('{person['phone']}') p >> nth=0")
    await inbox.close()
    code = re.findall(r"\d{6}", sent)
    await page.fill("#code", code[0])
    await page.click("form[action='/login'] button")
    await page.wait_for_url(f"{city.url}/")


async def verify(citizen: Screen, city: City, persona: str) -> None:
    """From the home's hint to the real name and back."""
    person = (await city.people())[persona]
    page = citizen.page
    await page.click("a[href^='/verify']")
    await page.fill("#name", person["name"])
    await page.fill("#id_number", person["id_number"])
    await page.click("form[action='/verify'] button")
    await page.wait_for_url(f"{city.url}/")


async def test_one_star_and_what_became_of_it(city: City, browser: Browser) -> None:
    citizen = await screen(browser, city.url, "citizen")
    await comes_in(citizen, city)
    await pays_the_water_bill(citizen, city)
    ticket = await gives_one_star(citizen, city)
    assert "1.00" in await index(citizen, "before")
    await answered(city, browser, ticket)
    await accepts(citizen, city, ticket)
    assert "4.00" in await index(citizen, "after")
    await citizen.close()


async def comes_in(citizen: Screen, city: City) -> None:
    """Sign in, tell the real name, and see what an app asks for and what for."""
    page = citizen.page
    await citizen.goto("/")
    await citizen.look("welcome")
    await citizen.goto("/login")
    await citizen.look("phone")
    await sign_in(citizen, city, "newborn_mother")
    await citizen.look("home-unverified")
    await verify(citizen, city, "newborn_mother")
    await expect(page.get_by_role("heading", name="李")).to_be_visible()
    await citizen.look("home-verified")
    await page.click("a[href='/shops/utility_bills/water?next=/']")
    await citizen.look("consent")
    await page.click("form[action$='/consent'] button")
    await page.wait_for_url(f"{city.url}/")
    await citizen.look("home")


async def pays_the_water_bill(citizen: Screen, city: City) -> None:
    """The shop, the app, the bill with all that explains it; the bank, and back."""
    page = citizen.page
    await page.click("section >> a[href='/shops/utility_bills']")
    await citizen.look("shop")
    await page.click("a[href='/shops/utility_bills/water']")
    await citizen.look("bills")
    await page.click(".tick > a")
    await expect(page.locator("table").first).to_contain_text("×")
    await citizen.look("bill")
    owed = await page.inner_text(".big")
    await page.click("form[action='/orders'] button")
    await page.wait_for_url("**/sandbox/cashier/**")
    assert await page.inner_text(".big") == owed
    await citizen.look("cashier")
    await page.click("button[value=paid]")
    await page.wait_for_url(f"{city.url}/orders/**")
    await page.locator("a[href$='/receipt']").click()  # the page finds out by itself
    await expect(page.locator(".receipt")).to_contain_text("RW")
    assert await page.inner_text(".big") == owed
    await citizen.look("receipt")


async def gives_one_star(citizen: Screen, city: City) -> str:
    """One star with words; the ticket that it opens names a person and a day. Answers its path."""
    page = citizen.page
    await page.click("a[href$='/rate']")
    await citizen.look("rate")
    await page.check("#stars-1")
    await expect(page.locator(".tags-5")).to_be_hidden()
    await page.locator(".tags-1 label").first.click()
    await page.fill("#comment", "用水没变多，水费却涨了，也没有短信提醒。")
    await citizen.look("rate-one-star")
    await page.click("button:has-text('提交评价')")
    await page.wait_for_url("**/rectifications/**")
    await expect(page.locator("main")).to_contain_text("责任人")
    await expect(page.locator("main")).to_contain_text("个工作日")
    await citizen.look("ticket")
    await city.settled()
    return page.url.removeprefix(city.url)


async def index(citizen: Screen, when: str) -> str:
    """What the public index says of the shop."""
    await citizen.goto("/satisfaction")
    await citizen.look(f"index-{when}")
    return await citizen.page.inner_text("section[aria-labelledby='s-utility_bills']")


async def accepts(citizen: Screen, city: City, ticket: str) -> None:
    """The answer reaches the citizen, who accepts it and rates again."""
    page = citizen.page
    await citizen.goto("/inbox")
    await expect(page.locator(".message.unread").first).to_contain_text(ANSWER)
    await citizen.look("inbox")
    await page.locator(".message.unread").first.click()
    await page.wait_for_url(city.url + ticket)
    await expect(page.locator("main")).to_contain_text(ANSWER)
    await citizen.look("answered")
    await page.check("input[name=stars][value='4']")
    await page.click("form[action$='/confirm'] button")
    await expect(page.locator("main")).to_contain_text("整改后的评价")
    await citizen.look("confirmed")
    await city.settled()


async def answered(city: City, browser: Browser, ticket: str) -> None:
    """The operator sees the ticket in the console; the department answers it."""
    operator = await screen(browser, city.url, "operator", size=DESK)
    await staff(operator, "operator")
    await operator.look("board")
    await operator.goto(f"/console{ticket}")
    await expect(operator.page.locator("main")).to_contain_text("短信提醒")
    await operator.look("ticket")
    await operator.close()

    desk = await screen(browser, city.url, "department", size=DESK)
    await staff(desk, "utility_bills")
    await desk.goto(f"/console{ticket}")
    await desk.page.check("input[name=kind][value=fixed]")
    await desk.page.fill("textarea[name=text]", ANSWER)
    await desk.look("answering")
    await desk.page.click("form[action$='/answer'] button[type=submit]")
    await expect(desk.page.locator("main")).to_contain_text(ANSWER)
    await desk.look("answered")
    await desk.close()
    await city.settled()


async def staff(at: Screen, username: str) -> None:
    """Sign in at the console."""
    await at.goto("/console/login")
    await at.page.fill("input[name=username]", username)
    await at.page.fill("input[name=password]", "sandbox-only")
    await at.page.click("form[action='/console/login'] button[type=submit]")
    await at.page.wait_for_url(re.compile(r"/console/?$"))


async def test_paying_needs_no_scripts(city: City, browser: Browser) -> None:
    citizen = await screen(browser, city.url, "plain", scripts=False)
    page = citizen.page
    await sign_in(citizen, city, "near_retirement_man")
    await verify(citizen, city, "near_retirement_man")
    await page.click("a[href='/shops/utility_bills/power?next=/']")
    await page.click("form[action$='/consent'] button")
    await page.wait_for_url(f"{city.url}/")
    await page.click("form[action='/orders'] button:has-text('付款')")  # as ticked
    await page.click("button[value=paid]")
    await page.wait_for_url("**/orders/**")
    await page.locator("a[href$='/receipt']").click()  # the page reloads by itself
    await expect(page.locator(".receipt")).to_contain_text("部门收据")
    await page.click("a[href$='/rate']")
    await page.check("#stars-5")
    await page.click("button:has-text('提交评价')")
    await expect(page.locator("main")).to_contain_text("感谢您的评价")
    await citizen.close()
