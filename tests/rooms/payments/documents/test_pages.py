"""The console's page of the settlement, and the citizen's file: as browsers get them."""

from __future__ import annotations

import re

from tests.city import City
from tests.rooms.console.steps import shown, signed_in, words
from tests.rooms.payments.documents.steps import (
    BOOTH,
    KIOSK,
    PDF,
    at,
    days,
    flat,
    ledger_owes,
    pages,
    paid,
    yesterday,
)

HOME = "/console/settlement"


async def test_a_department_sees_its_sums_and_gets_its_files(city: City) -> None:
    await paid(city, at(KIOSK, 765_43), at(BOOTH, 1))
    said = days(city)
    at_days = {"first": said["from"], "last": said["to"]}
    for lang, names in (
        ("zh-CN", ("期末应付余额", "暂计")),
        ("en", ("Carried forward", "Provisional")),
    ):
        async with signed_in(city, KIOSK, lang) as browser:
            html = await shown(browser, HOME, 200, **at_days)
            for name in (*names, "¥765.43", f"{KIOSK}.account"):
                assert name in words(html)
            assert 'name="amount"' not in html, "only operators record payouts"
            files = dict(re.findall(r'href="(/console/settlement\.(\w+)\?[^"]+)"', html))
            got = {
                ending: await browser.get(path.replace("&amp;", "&"))
                for path, ending in files.items()
            }
            assert got["pdf"].headers["content-type"] == PDF
            assert "¥765.43" in flat("".join(pages(got["pdf"].content)))
            assert got["csv"].content.startswith(b"\xef\xbb\xbf")
            assert "attachment" in got["csv"].headers["content-disposition"]
            for answer in got.values():
                assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
            other = await browser.get(HOME, params={**at_days, "shop": BOOTH})
            assert other.status_code == 404
            refused = await browser.post(
                f"{HOME}/payout",
                data={"shop": KIOSK, **at_days, "amount": "1", "reference": "r", "key": "k" * 12},
            )
            assert refused.status_code == 403


async def test_an_operator_records_a_payout_on_the_page(city: City) -> None:
    await paid(city, at(BOOTH, 50_000))
    await yesterday(city)
    said = days(city, 20)
    over = {"shop": BOOTH, "first": said["from"]}
    async with signed_in(city, "operator") as browser:
        today = await shown(browser, HOME, 200, **over, last=said["to"])
        assert 'name="amount"' not in today, "the period is not over"
        over["last"] = days(city)["from"]
        html = await shown(browser, HOME, 200, **over)
        key = re.findall(r'name="key" value="([\w-]+)"', html)[0]
        amount = re.findall(r'name="amount"[^>]* value="([\d.,]+)"', html)[0]
        owed = await ledger_owes(city, BOOTH)
        assert amount == f"{owed / 100:,.2f}"
        form = {**over, "key": key, "reference": "GH-7"}
        much = await browser.post(f"{HOME}/payout", data={**form, "amount": "99,999.00"})
        assert much.status_code == 409
        assert "超出应付金额" in words(much.text)
        assert 'value="99,999.00"' in much.text, "what was typed is kept"
        odd = await browser.post(f"{HOME}/payout", data={**form, "amount": "all"})
        assert odd.status_code == 400
        for _ in range(2):
            done = await browser.post(f"{HOME}/payout", data={**form, "amount": amount})
            assert done.status_code == 303, done.text
            assert done.headers["location"].startswith(f"{HOME}?shop={BOOTH}&")
        page = words(await shown(browser, HOME, 200, **over, done="payout"))
        assert "拨付已登记" in page
        assert page.count("GH-7") == 1
    assert await ledger_owes(city, BOOTH) == 0


async def test_what_is_wrong_is_said_on_the_page(city: City) -> None:
    async with signed_in(city, "operator") as browser:
        assert await shown(browser, HOME)
        html = await shown(browser, HOME, 422, shop=KIOSK, first="2026-01-01", last="2026-11-01")
        assert "1至31天" in words(html)
        assert 'name="first"' in html
        assert (await browser.get(f"{HOME}.csv")).status_code == 400
        assert (await browser.get(HOME, params={"first": "soon"})).status_code == 400
        assert (await browser.get(f"{HOME}/payout")).headers["location"] == HOME
