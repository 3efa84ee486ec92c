"""Every page: for whom it is, in both languages, and what it shows of whose."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
import pytest_asyncio
from tests.city import City, running_city
from tests.rooms.console.steps import HOSTILE, shown, signed_in, stranger, ticket, words
from tests.rooms.ratings.steps import rated

from civicmall.kernel.config import Settings
from civicmall.shops import Registry, ShopEntry

LANGS = ("zh-CN", "en")
SHARED = (
    "/console", "/console/", "/console/ratings", "/console/ratings?bad=1",
    "/console/rectifications", "/console/rectifications?state=open&overdue=1",
    "/console/payments", "/console/payments?days=7", "/console/settlement", "/console/shops",
    "/console/releases", "/console/releases?state=all", "/console/dead-letters",
)  # fmt: skip
OPERATORS = ("/console/tickets", "/console/ledger")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def busy(settings: Settings, registry: Registry) -> AsyncGenerator[City]:
    """A city where people paid and rated, and two shops are broken."""
    parking = msgspec.structs.replace(
        registry.manifest("public_security"),
        id="street_parking",
        name={"zh-CN": "路侧停车", "en": "Street parking"},
    )
    reason = f"RuntimeError while importing: {HOSTILE}"
    broken = [
        ShopEntry("street_parking", "broken", parking, reason=reason),
        ShopEntry("unreadable", "broken", None, reason="shop.json: $: not JSON"),
    ]
    async with running_city(settings, Registry([*registry.all(), *broken])) as city:
        await _pay(city, "newborn_mother", "paid")
        await _pay(city, "newborn_father", "wrong_amount")
        for shop in ("utility_bills", "public_security"):
            await ticket(city, shop, comment=f"{shop} {HOSTILE}")
            await rated(city, await city.citizen("graduate"), 5, shop, comment="很快")
        await city.settled()
        yield city


async def _pay(city: City, persona: str, choice: str) -> None:
    client = await city.citizen(persona)
    bills = (await client.get("/v1/shops/utility_bills/apps/water/bills")).json()["items"]
    ask = {"shop": "utility_bills", "app": "water", "charge_id": bills[0]["id"]}
    order = await client.post(
        "/v1/orders", json={"charges": [ask]}, headers={"Idempotency-Key": f"{uuid4()}"}
    )
    assert order.status_code == 201, order.text
    path = order.json()["id"]
    cashier = (await client.post(f"/v1/orders/{path}/pay", json={})).json()
    paid = await client.post(
        f"/v1/sandbox/cashier/{path}", json={"token": cashier["token"], "choice": choice}
    )
    assert paid.status_code == 200, paid.text
    await city.settled()


def links(html: str) -> set[str]:
    """Where a page leads within the console, to other pages."""
    found = {h.replace("&amp;", "&") for h in re.findall(r'href="(/console[^"#]*)"', html)}
    return {path for path in found if not re.search(r"\.(?:csv|pdf)\?", path)}


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("who", ["operator", "utility_bills"])
async def test_every_page_in_both_languages(busy: City, who: str, lang: str) -> None:
    async with signed_in(busy, who, lang) as browser:
        seen: set[str] = set()
        due = {*SHARED, *(OPERATORS if who == "operator" else ())}
        while due:  # and every page that these lead to
            path = due.pop()
            seen.add(path)
            html = await shown(browser, path)
            assert f'<html lang="{lang}">' in html
            assert re.search(r"<h1[^>]*>[^<]+</h1>", html)
            assert "{{" not in html
            assert "None" not in words(html)
            due |= {p for p in links(html) if "lang=" not in p} - seen
        assert any("/console/rectifications/" in path for path in seen)
        assert "/console/shops/utility_bills" in seen
        assert ("/console/shops/unreadable" in seen) == (who == "operator")


async def test_no_chinese_of_ours_on_an_english_page(busy: City) -> None:
    async with signed_in(busy, "operator", "en") as browser:
        for path in (*SHARED, *OPERATORS, "/console/shops/public_security"):
            text = words(await shown(browser, path))
            for allowed in ("运营 周敏", "中文", "等了三个月", "很快"):
                text = text.replace(allowed, "")
            assert not re.findall(r"[\u4e00-\u9fff]+", text), path


async def test_the_language_is_kept_and_the_address_too(busy: City) -> None:
    async with signed_in(busy, "operator") as browser:
        html = await shown(browser, "/console/rectifications", state="open")
        assert 'href="/console/rectifications?state=open&amp;lang=en"' in html
        english = await browser.get("/console/rectifications?state=open&lang=en")
        assert "lang=en" in english.headers["set-cookie"]
        assert "Rectifications" in await shown(browser, "/console/rectifications")
        odd = await browser.get("/console/", params={"lang": "x-klingon"})
        assert odd.status_code == 200


async def test_a_department_sees_its_own_and_nothing_else(busy: City) -> None:
    async with signed_in(busy, "public_security") as browser:
        for path in SHARED:
            html = await shown(browser, path)
            assert "公用事业" not in html
            assert "utility_bills" not in html
            assert "street_parking" not in html
        for path in OPERATORS:
            html = await shown(browser, path, status=403)
            assert "您没有权限进行此操作" in html
            assert "公安局" in html  # the frame stays: they are signed in
        for shop in ("utility_bills", "street_parking", "nobody"):
            await shown(browser, f"/console/shops/{shop}", status=404)
        theirs = await ticket(busy, "utility_bills")
        await shown(browser, f"/console/rectifications/{theirs}", status=404)
        for query in ("shop=utility_bills", "shop=utility_bills&bad=1"):
            html = await shown(browser, f"/console/ratings?{query}")
            assert "utility_bills" not in words(html)
        home = await shown(browser, "/console/")
        assert not links(home) & set(OPERATORS)
        assert "总账" not in home


async def test_a_department_is_told_of_its_own_money(busy: City) -> None:
    async with signed_in(busy, "utility_bills") as browser:
        text = words(await shown(browser, "/console/payments"))
        assert "已出收据" in text
        assert re.search(r"¥[1-9][\d,]*\.\d\d 1 笔", text)
    async with signed_in(busy, "public_security") as browser:
        text = words(await shown(browser, "/console/payments"))
        assert "¥0.00 0 笔" in text
        assert "暂无收款" in text


async def test_the_operators_first_page_says_what_is_wrong(busy: City) -> None:
    async with signed_in(busy, "operator") as browser:
        text = words(await shown(browser, "/console/"))
        assert "2 家店铺故障" in text
        assert "¥0.00 总账合计，账目平衡" in text
        assert "1 待查款项未结" in text
        assert "0 / 0 事件待投递" in text
        for name in ("公安局", "公用事业缴费", "路侧停车", "unreadable"):
            assert name in text
        assert "shop.json: $: not JSON" in text
        assert "金额与订单不符" in words(await shown(browser, "/console/tickets"))
        ledger = words(await shown(browser, "/console/ledger"))
        assert "各科目合计为零，账目平衡" in ledger
        assert "−¥" in ledger


async def test_what_others_wrote_is_text(busy: City) -> None:
    async with signed_in(busy, "operator") as browser:
        pages = ["/console/", "/console/ratings", "/console/shops", "/console/shops/street_parking"]
        for path in pages:
            html = await shown(browser, path)
            assert "<script>alert" not in html
            assert "<img src=x" not in html
        assert HOSTILE in words(await shown(browser, "/console/ratings"))
        assert HOSTILE in words(await shown(browser, "/console/shops/street_parking"))


async def test_a_shops_page_shows_its_manifest(busy: City, registry: Registry) -> None:
    manifest = registry.manifest("utility_bills")
    async with signed_in(busy, "operator") as browser:
        text = words(await shown(browser, "/console/shops/utility_bills"))
        said: list[Any] = [manifest.version, manifest.contacts.phone, manifest.settlement_account,
                           manifest.contacts.responsible["zh-CN"], manifest.department["zh-CN"],
                           manifest.limits.timeout_ms, manifest.limits.concurrency]  # fmt: skip
        for app in manifest.apps:
            said += [app.name["zh-CN"], *(c.purpose["zh-CN"] for c in app.claims)]
            said += [part for f in app.fees for part in (f.code, f.basis["zh-CN"])]
        for part in said:
            assert " ".join(str(part).split()) in text, part
        pace = r"五分钟内 \d+ 次调用 · 故障率 0\.0% · p50 [\d.]+ ms · p95 [\d.]+ ms · p99 [\d.]+ ms"
        assert re.search(pace, text)
        board = words(await shown(browser, "/console/shops"))
        assert re.search(rf"公用事业缴费 \S+ · {manifest.version} {pace} 满意率：\d+%", board)


async def test_lists_go_on_where_the_page_before_ended(busy: City) -> None:
    client = await busy.citizen("school_mother")
    for n in range(33):
        await rated(busy, client, 2 if n % 2 else 4, "public_security", comment=f"第{n}条")
    await busy.settled()
    async with signed_in(busy, "public_security") as browser:
        for path, wanted in (("/console/ratings", 33), ("/console/rectifications?shop=x_y", 16)):
            found: set[str] = set()
            following: str | None = path
            while following:
                html = await shown(browser, following)
                ids = set(
                    re.findall(r"/console/rectifications/([0-9a-f-]{36})|id=\"r-([^\"]+)", html)
                )
                fresh = {a or b for a, b in ids}
                assert fresh
                assert not fresh & found
                found |= fresh
                more = re.search(r'href="([^"]+)" rel="next"', html)
                following = more[1].replace("&amp;", "&") if more else None
            assert len(found) >= wanted


WRONG = (
    ("/console/ratings?after=x", 400),
    ("/console/ratings?shop=A'B", 400),
    ("/console/rectifications?state=lost", 400),
    ("/console/rectifications?after=WzFd", 400),
    ("/console/payments?days=0", 400),
    ("/console/payments?days=many", 400),
    ("/console/tickets?after=", 200),
    ("/console/?after=WyJ6enoiXQ", 200),
    ("/console/?after=%00", 400),
    ("/console/shops/nobody", 404),
    ("/console/shops/a%00b", 404),
    ("/console/rectifications/none", 404),
    ("/console/rectifications/01a20fa4-0389-75e7-a514-6944de78c0d3", 404),
    ("/console/releases?state=lost", 400),
    ("/console/releases?after=x", 400),
    ("/console/releases/none", 404),
    ("/console/releases/none/publish", 404),
    ("/console/releases/01a20fa4-0389-75e7-a514-6944de78c0d3", 404),
    ("/console/releases/none/otherwise", 404),
    ("/console/dead-letters?after=x", 400),
    ("/console/dead-letters/none/replay", 404),
    ("/console/nothing", 404),
    ("/console/shops/utility_bills/more", 404),
    ("/console/rectifications/none/answer", 404),
    ("/console/rectifications/none/otherwise", 404),
    ("/console/%2e%2e/console/nothing", 404),
)


async def test_what_is_wrong_is_told_on_a_page(busy: City) -> None:
    async with signed_in(busy, "operator", "en") as browser:
        for path, status in WRONG:
            html = await shown(browser, path, status=status)
            if status >= 400:
                assert re.search(r"<code>[0-9a-f]{32}</code>", html), path
                assert 'href="/console/"' in html


async def test_pages_hold_nothing_of_other_sites_and_no_inline_code(busy: City) -> None:
    async with signed_in(busy, "operator") as browser:
        for path in (*SHARED, *OPERATORS, "/console/shops/utility_bills", "/console/login"):
            answer = await browser.get(path)
            assert "default-src 'self'" in answer.headers["content-security-policy"]
            html = answer.text
            tags = "".join(re.findall(r"<[^>]*>", html))
            assert not re.search(r"\son\w+=|\sstyle=|javascript:", tags)
            assert not re.search(r'(src|href|action)="(?!/|#)', tags)
            assert re.findall(r"<script[^>]*>[^<]+</script>", html) == []


async def test_static_files_are_kept_and_change_their_address(busy: City) -> None:
    async with stranger(busy) as browser:
        html = await shown(browser, "/console/login")
        found = re.findall(r'(?:href|src)="(/static/console/[^"]+)"', html)
        assert len(found) == 5
        for path in found:
            assert re.search(r"\?v=[0-9a-f]{12}$", path)
            answer = await browser.get(path)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]


async def test_a_page_of_a_failing_part_says_so(
    busy: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> Any:
        raise TimeoutError

    async with signed_in(busy, "operator", "en") as browser:
        monkeypatch.setattr("civicmall.payments.ledger.service.q.balances", away)
        answer = await browser.get("/console/ledger")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert "The service is busy; try again soon." in answer.text
        monkeypatch.setattr("civicmall.payments.ledger.service.q.balances", _broken)
        fault: httpx.Response = await browser.get("/console/ledger")
        assert fault.status_code == 500
        assert "secret" not in fault.text


async def _broken(*_: object, **__: object) -> Any:
    raise RuntimeError("a secret of ours")
