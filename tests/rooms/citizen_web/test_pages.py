"""Every page, for a citizen with something on each of them and for a stranger, in both languages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec import Struct
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor, citizen, visitor

PUBLIC = (
    "/", "/login", "/shops", "/shops/utility_bills", "/shops/public_security", "/services",
    "/services?stage=birth", "/services?q=落户", "/services?q=xyzzy", "/services/birth_registration",
    "/services/water_payment", "/satisfaction", "/dev/inbox", "/dev/people", "/docs",
)  # fmt: skip
OWN = (
    "/verify", "/logout", "/me", "/me/facts", "/me/events", "/me/data", "/me/deletion", "/bills", "/orders", "/inbox", "/rectifications",
    "/shops/utility_bills/water", "/shops/utility_bills/water?paid=true",
    "/shops/utility_bills/power", "/shops/utility_bills/gas", "/shops/utility_bills/heating",
    "/shops/public_security/id_card", "{bill}", "{order}", "{order}?from=bank", "{order}/receipt",
    "{order}/rate", "{unrated}", "{unrated}/rate", "{call}", "{ticket}",
)  # fmt: skip
HAN = re.compile(r"[\u4e00-\u9fff]")


class Walked(Struct, frozen=True):
    """A citizen who has done everything once, and the pages that came of it."""

    who: Visitor
    paths: dict[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def walked(city: City) -> AsyncIterator[Walked]:
    who = await citizen(city, "newborn_mother")
    water = (await who.bills("utility_bills/water"))[0]
    order = await who.order(water)
    assert await who.pay(order) == f"{order}?from=bank"
    await who.until(order, f"{order}/receipt")
    key = await who.key(f"{order}/rate")
    ticket = await who.to(f"{order}/rate", key=key, stars=1, tags_1="too_slow", comment="慢")
    unrated = await who.order((await who.bills("utility_bills/power"))[0])
    progress = await who.get("/shops/public_security/id_card")
    call = re.search(r"/calls/[0-9a-f-]{36}/rate", progress)
    assert call
    shop, app, bill = water.split("/")
    yield Walked(who, {
        "bill": f"/shops/{shop}/{app}/bills/{bill}", "order": order, "unrated": unrated,
        "call": call[0], "ticket": ticket,
    })  # fmt: skip


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize("path", PUBLIC + OWN)
async def test_a_citizen_sees_it(walked: Walked, path: str, lang: str) -> None:
    walked.who.client.headers["accept-language"] = lang
    if path == "/login":
        answer = await walked.who.client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        return
    page = await walked.who.get(path.format(**walked.paths))
    assert f'<html lang="{lang}">' in page
    assert page.count("<h1>") == 1
    assert page.count("<main") == 1
    assert "style=" not in page  # the content security policy forbids it
    assert not re.search(r"<script(?! src=)|\son\w+=", page)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
@pytest.mark.parametrize("path", PUBLIC + OWN)
async def test_a_stranger_sees_it_or_is_asked_to_sign_in(
    walked: Walked, city: City, path: str, lang: str
) -> None:
    stranger = await visitor(city, lang)
    asked = path.format(**walked.paths)
    answer = await stranger.client.get(asked)
    if path in PUBLIC:
        assert answer.status_code == 200
        assert f'<html lang="{lang}">' in answer.text
    else:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=%2F")


async def test_the_frame_has_no_chinese_in_english(city: City) -> None:
    """Names of people and documents may; what the program says may not."""
    stranger = await visitor(city, "en")
    for path in ("/", "/login", "/shops", "/services", "/satisfaction", "/docs"):
        page = await stranger.get(path)
        page = page.replace('rel="nofollow">中文</a>', "")
        assert not HAN.search(page), (path, HAN.search(page))


async def test_the_language_link_keeps_the_page_and_is_remembered(city: City) -> None:
    stranger = await visitor(city)
    page = await stranger.get("/services?stage=birth")
    assert 'href="/services?stage=birth&amp;lang=en"' in page
    english = await stranger.get("/services?stage=birth&lang=en")
    assert '<html lang="en">' in english
    assert '<html lang="en">' in await stranger.get("/shops")


async def test_static_files_are_kept_for_a_year_under_their_digest(city: City) -> None:
    stranger = await visitor(city)
    page = await stranger.get("/")
    found = re.findall(r'(?:href|src)="(/static/citizen/[^"#]+)', page)
    assert len(set(found)) >= 6
    for address in set(found):
        answer = await stranger.client.get(address)
        assert answer.status_code == 200, address
        assert re.search(r"\?v=[0-9a-f]{12}$", address)
        assert "max-age=31536000" in answer.headers["cache-control"]


async def test_unknown_things_are_pages_too(walked: Walked) -> None:
    who = walked.who
    who.client.headers["accept-language"] = "zh-CN"
    none = "01900000-0000-7000-8000-000000000000"
    for path in (
        "/services/nope", "/shops/nope", "/shops/utility_bills/nope", f"/rectifications/{none}",
        f"/orders/{none}", f"/inbox/{none}", "/shops/utility_bills/water/bills/nope",
    ):  # fmt: skip
        page = await who.get(path, 404)
        assert "<h1>没能完成</h1>" in page
        assert re.search(r'class="mono">[0-9a-f]{32}<', page), path  # the trace id


async def test_other_peoples_things_are_not_there(walked: Walked, city: City) -> None:
    other = await citizen(city, "graduate")
    for path in ("order", "unrated", "ticket"):
        await other.get(walked.paths[path], 404)
    await other.get(walked.paths["order"] + "/receipt", 404)
    await other.get(walked.paths["order"] + "/rate", 404)
    await other.get(walked.paths["call"], 404)
    await other.get(walked.paths["bill"], 404)


async def test_the_inbox_marks_what_is_unread_and_opening_reads_it(walked: Walked) -> None:
    who = walked.who
    who.client.headers["accept-language"] = "zh-CN"
    await who.city.settled()
    page = await who.get("/inbox")
    unread = page.count("message unread")
    assert unread >= 2
    assert f'<span class="count">{unread}' in page
    first = re.findall(r'message unread" href="(/inbox/[0-9a-f-]{36})"', page)[0]
    answer = await who.client.get(first)
    assert answer.status_code == 303
    assert re.match(r"/(orders|rectifications)/", answer.headers["location"])
    assert (await who.get("/inbox")).count("message unread") == unread - 1
    await who.post("/inbox/read")
    assert "message unread" not in await who.get("/inbox")
