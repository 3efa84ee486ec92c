"""Passkeys in a real browser, with the authenticator that Chromium keeps for tests (its DevTools'
WebAuthn domain).
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Browser, expect
from tests.browser.screen import DESK, Screen, screen
from tests.city import City

pytestmark = pytest.mark.browser
INTERNAL = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def at_home(city: City) -> str:
    """The city under a name: browsers give no passkey to an address."""
    return city.url.replace("127.0.0.1", "localhost")


async def authenticator(at: Screen, *, in_field: bool = False) -> tuple[Any, str]:
    """A device's own authenticator behind this window. It is touched whenever it asks, which it would
    do at once for what is offered in the field (`in_field`), as if somebody had chosen there.
    """
    if not in_field:
        await at.page.add_init_script(
            "delete globalThis.PublicKeyCredential?.isConditionalMediationAvailable"
        )
    cdp: Any = await at.page.context.new_cdp_session(at.page)
    await cdp.send("WebAuthn.enable", {"enableUI": False})
    made = await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": INTERNAL})
    return cdp, made["authenticatorId"]


async def keys(cdp: Any, device: str) -> list[dict[str, Any]]:
    """What the device keeps."""
    found = await cdp.send("WebAuthn.getCredentials", {"authenticatorId": device})
    return list(found["credentials"])


async def by_code(citizen: Screen, city: City, phone: str) -> None:
    """Through the login page that is open, with a code."""
    page = citizen.page
    await page.fill("#phone", phone)
    await page.click("form[action='/login/code'] button")
    nobody = await city.anonymous()
    sent = (await nobody.get("/v1/sandbox/messages")).json()["items"]
    code = next(re.findall(r"\d{6}", m["text"])[0] for m in sent if m["to"] == phone)
    await page.fill("#code", code)
    await page.click("form[action='/login'] button")


async def test_a_citizen_adds_a_passkey_signs_in_by_it_and_removes_it(
    city: City, browser: Browser
) -> None:
    citizen = await screen(browser, at_home(city), "citizen-passkeys")
    page = citizen.page
    cdp, device = await authenticator(citizen)
    phone = (await city.people())["graduate"]["phone"]
    await citizen.goto("/login?next=/me/passkeys")
    await citizen.look("sign-in")
    await by_code(citizen, city, phone)
    await page.wait_for_url("**/me/passkeys")
    await page.fill("#name", "我的手机")
    await citizen.look("none-yet")
    await page.click("form[data-passkey=create] button")
    await expect(page.get_by_role("status").first).to_contain_text("通行密钥已添加")
    await expect(page.locator("li strong")).to_have_text("我的手机")
    (kept,) = await keys(cdp, device)
    assert kept["isResidentCredential"] is True
    assert kept["rpId"] == "localhost"
    await citizen.look("one")

    await page.click("form[data-passkey=create] button")
    await expect(page.locator("form[data-passkey=create] [role=status]")).to_contain_text(
        "此设备上已有您的通行密钥"
    )

    await citizen.goto("/logout")
    await page.click("form[action='/logout'] button")
    await citizen.goto("/login?next=/me/devices")
    await page.click("form[data-passkey=get] button")
    await page.wait_for_url(f"{citizen.url}/me/devices")
    await expect(page.locator("main li").filter(has_text="本机")).to_contain_text("通行密钥")
    await citizen.look("devices")

    await citizen.goto("/me/passkeys")
    await page.click("summary")
    await citizen.look("change")
    await page.click("form[action$='/remove'] button")
    await expect(page.get_by_role("status").first).to_contain_text("通行密钥已移除")
    await citizen.goto("/logout")
    await page.click("form[action='/logout'] button")
    await citizen.goto("/login")
    await page.click("form[data-passkey=get] button")
    await expect(page.get_by_role("alert")).to_contain_text("该通行密钥无法在此使用")
    citizen.faults.clear()  # the refusal's status is one
    await citizen.look("removed")
    await citizen.close()


async def test_a_passkey_is_offered_in_the_field_for_the_phone(
    city: City, browser: Browser
) -> None:
    citizen = await screen(browser, at_home(city), "citizen-passkeys-field")
    page = citizen.page
    await authenticator(citizen, in_field=True)
    await citizen.goto("/login?next=/me/passkeys")
    await by_code(citizen, city, (await city.people())["newlywed_husband"]["phone"])
    await page.click("form[data-passkey=create] button")
    await expect(page.get_by_role("status").first).to_contain_text("通行密钥已添加")
    await citizen.goto("/logout")
    await page.click("form[action='/logout'] button")
    await citizen.goto("/login?next=/me/devices")
    await page.wait_for_url(f"{citizen.url}/me/devices")
    await citizen.close()


async def test_without_scripts_or_under_an_address_the_pages_stay_whole(
    city: City, browser: Browser
) -> None:
    plain = await screen(browser, at_home(city), "citizen-passkeys-plain", scripts=False)
    await plain.goto("/login")
    await expect(plain.page.locator("#phone")).to_be_visible()
    await expect(plain.page.locator("form[data-passkey]")).to_be_hidden()
    phone = (await city.people())["newlywed_wife"]["phone"]
    await by_code(plain, city, phone)
    await plain.goto("/me/passkeys")
    await expect(plain.page.locator("form[data-passkey]")).to_be_hidden()
    await expect(plain.page.locator("[data-without]")).to_contain_text("脚本")
    await plain.close()

    numbered = await screen(browser, city.url, "citizen-passkeys-address")
    await numbered.goto("/login?next=/me/passkeys")
    await expect(numbered.page.locator("form[data-passkey]")).to_be_hidden()
    await by_code(numbered, city, phone)
    await expect(numbered.page.locator("[data-elsewhere]")).to_contain_text(at_home(city))
    await numbered.look("elsewhere")
    await numbered.close()


async def test_staff_sign_in_to_work_by_their_own(city: City, browser: Browser) -> None:
    desk = await screen(browser, at_home(city), "staff-passkeys", size=DESK)
    page = desk.page
    cdp, device = await authenticator(desk)
    await desk.goto("/console/login?next=/console/passkeys")
    await page.fill("input[name=username]", "reviewer")
    await page.fill("input[name=password]", "sandbox-only")
    await page.click("form[action='/console/login'] button")
    await page.wait_for_url("**/console/passkeys")
    await desk.look("none-yet")
    await page.click("form[data-passkey=create] button")
    await expect(page.get_by_role("status").first).to_contain_text("通行密钥已添加")
    await desk.look("one")
    assert len(await keys(cdp, device)) == 1
    await page.click("form[action='/console/logout'] button")

    await desk.goto("/console/login?next=/console/shops")
    await page.click("a[href^='/console/login/passkey']")
    await desk.look("sign-in")
    await page.click("form[data-passkey=get] button")
    await page.wait_for_url("**/console/shops")
    await expect(page.locator(".who")).to_be_visible()

    await desk.goto("/console/passkeys")
    await page.click("summary")
    await page.click("form[action$='/remove'] button")
    await expect(page.get_by_role("status").first).to_contain_text("通行密钥已移除")
    await page.click("form[action='/console/logout'] button")
    await desk.goto("/console/login/passkey")
    await page.click("form[data-passkey=get] button")
    await expect(page.get_by_role("alert")).to_contain_text("该通行密钥无法在此使用")
    await desk.close()
