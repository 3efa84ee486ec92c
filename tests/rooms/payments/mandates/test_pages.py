"""Mandates in the citizen app: from a bill's page to the bank and back, and revoked again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor, citizen

from civicmall.kernel.money import minor
from civicmall.payments import mandates
from civicmall.payments.mandates import Means, rules


@given(st.integers(0, 999_999_99))
def test_yuan_are_read_exactly(amount_minor: int) -> None:
    whole, part = divmod(amount_minor, 100)
    assert minor(f"{whole}.{part:02d}") == amount_minor
    assert minor(str(whole)) == whole * 100
    assert minor(f"{whole}.{part // 10}") == whole * 100 + part // 10 * 10


def by_day(_: Any) -> bool:
    """It is never night."""
    return True


async def form(who: Visitor, app: str = "utility_bills/water") -> tuple[str, dict[str, str]]:
    """The page that a bill's page leads to, and what its form would send."""
    shop, app_id, bill = (await who.bills(app))[0].split("/")
    page = await who.get(f"/shops/{shop}/{app_id}/bills/{bill}")
    link = re.search(r'href="(/mandates/new\?[^"]+)"', page)
    assert link
    path = link[1].replace("&amp;", "&")
    page = await who.get(path)
    fields = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', page))
    whom = re.search(r'<option value="([^"]+)">', page)
    assert whom
    return path, {**fields, "whom": whom[1], "cap": "500", "month_cap": "800.50", "ends_on": ""}


async def test_from_a_bill_to_the_bank_and_back(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "daytime", by_day)
    monkeypatch.setattr(rules, "REMIND_DAYS_MAX", 90)  # the sandbox's bills are due whenever
    who = await citizen(city, "newborn_mother")
    assert "尚未开通代扣" in await who.get("/mandates")
    _, said = await form(who)
    bank = await who.to("/mandates", **said)
    assert bank.startswith("/sandbox/agreements/")
    assert await who.to("/mandates", **said) == bank
    mandate_id = bank.removeprefix("/sandbox/agreements/").partition("?")[0]
    at, token = f"/mandates/{mandate_id}", bank.partition("token=")[2]
    assert "待您同意" in await who.get(bank)
    assert "前往银行确认" in await who.get(at)
    assert await who.to(bank.partition("?")[0], token=token, choice="sign") == at
    page = await who.get(at)
    assert "生效中" in page
    assert "800.50" in page
    assert said["whom"] in page
    parts: Any = city.parts
    await mandates.run(Means(parts.house, parts.gateway, parts.registry, parts.channels))
    await city.settled()
    assert "已提醒" in await who.get(at)
    assert "代扣提醒" in await who.get("/inbox")
    assert "按您的代扣授权查找账单" in await who.get("/me")
    assert await who.to(f"{at}/pause") == at
    assert "恢复之前不会扣款" in await who.get(at)
    await who.to(f"{at}/resume")
    await who.to(f"{at}/revoke")
    page = await who.get(at)
    assert "已撤销" in page
    assert "/revoke" not in page
    await who.post(f"{at}/resume")  # an old page's button changes nothing
    assert "已撤销" in await who.get(at)
    await who.post(f"{at}/end", 404)
    assert at in await who.get("/mandates")


async def test_what_does_not_fit_is_told_where_it_happened(city: City) -> None:
    who = await citizen(city, "graduate", "en")
    path, said = await form(who)
    assert await who.to("/mandates", **{**said, "month_cap": "499"}) == path
    assert "The cap of a month is below" in await who.get(path)
    assert await who.to("/mandates", **{**said, "ends_on": "2020-01-01"}) == path
    assert "The last day is too soon" in await who.get(path)
    await who.post("/mandates", 400, **{**said, "cap": "1e3"})
    await who.post("/mandates", 400, **{**said, "ends_on": "2027-02-30"})
    bank = await who.to("/mandates", **said)
    _, again = await form(who)
    other = await who.to("/mandates", **again)
    assert other == bank.replace("/sandbox/agreements/", "/mandates/").partition("?")[0]
    assert "debited by this mandate already" in await who.get(other)
    token = bank.partition("token=")[2]
    at = bank.partition("?")[0]
    assert await who.to(at, token=token, choice="no_funds") == bank
    assert "The account is empty ✓" in await who.get(bank)
    await who.post(at, 409, token="wrong", choice="sign")
    await who.to(at, token=token, choice="refuse")
    assert "You declined at the bank." in await who.get(other)
    stranger = await citizen(city, "newlywed_wife")
    await stranger.get(other, 404)
