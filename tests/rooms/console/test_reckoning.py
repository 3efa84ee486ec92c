"""The pages of tickets and of reconciled days, for operators only."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.city import City
from tests.rooms.console.steps import shown, signed_in, words

from civicmall.payments import Channels, reconcile

DAY = date(2026, 11, 18)
HEAD = "kind,txn,merchant_no,original_no,amount_minor,fee_minor,at\n"
ROW = f"payment,<b>TXN,{'0' * 30}05,,1234,7,2026-11-18T03:00:00Z\n"


async def test_a_day_its_ticket_and_its_end(city: City, tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    path.write_text(HEAD + ROW)
    found = await reconcile.read(city.house, "sandbox", DAY, path)
    await reconcile.conclude(city.house, Channels(), found)
    async with signed_in(city, "operator") as browser:
        text = words(await shown(browser, "/console/statements"))
        assert "1 笔待查" in text
        day = f"/console/statements/sandbox/{DAY}"
        page = await shown(browser, day)
        assert "渠道有、平台无的付款" in words(page)
        assert "差额 ¥12.34" in words(page)
        assert "Difference" in words(await shown(browser, day + "?lang=en"))
        await shown(browser, "/console/?lang=zh-CN")
        tickets = await shown(browser, f"/console/tickets?state=all&channel=sandbox&day={DAY}")
        assert "<b>TXN" not in tickets
        home = tickets.split('class="row" href="')[1].split('"')[0]
        ticket = await shown(browser, home)
        assert f'href="{day}"' in ticket
        assert "第 2 行" in words(ticket)
        empty = await browser.post(home + "/resolve", data={"note": ""})
        assert (empty.status_code, "1 至 1000 字" in words(empty.text)) == (400, True)
        back = await browser.post(home + "/return", data={})
        assert (back.status_code, "不能退款" in words(back.text)) == (409, True)
        done = await browser.post(home + "/resolve", data={"note": "已核实"})
        assert (done.status_code, done.headers["location"]) == (303, home + "?done=resolve")
        settled = words(await shown(browser, home + "?done=resolve"))
        assert "已处理完结" in settled
        assert "已核实" in settled
        assert "没有待处理的款项" in words(await shown(browser, "/console/tickets"))
        again = await browser.post(home + "/resolve", data={"note": "再次"})
        assert (again.status_code, "该事项已处理完结" in words(again.text)) == (409, True)


@pytest.mark.parametrize(
    "path",
    ["/console/statements/sandbox/2026-01-01", "/console/statements/sandbox/today",
     "/console/tickets/01900000-0000-7000-8000-000000000000", "/console/tickets/x",
     "/console/tickets/x/y/z"],
)  # fmt: skip
async def test_what_is_not_there(city: City, path: str) -> None:
    async with signed_in(city, "operator") as browser:
        assert (await browser.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/console/tickets", "/console/statements"])
async def test_a_department_sees_none_of_it(city: City, path: str) -> None:
    async with signed_in(city, "utility_bills") as browser:
        assert (await browser.get(path)).status_code == 403
