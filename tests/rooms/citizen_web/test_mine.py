"""Pages of what is known, life events, taking one's data along, and leaving: without a script."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor

from civicmall import identity
from shopkit.contract import Attestation

PHONES = iter(range(19600000000, 19600001000))


@pytest_asyncio.fixture(loop_scope="session")
async def who(city: City) -> AsyncGenerator[tuple[Visitor, str]]:
    """Somebody new, signed in, and their phone."""
    phone = str(next(PHONES))
    visitor = Visitor(city, await city.client(lang="en"))
    await visitor.sign_in(phone)
    yield visitor, phone


async def test_a_fact_with_its_source_its_switch_and_an_objection(
    city: City, who: tuple[Visitor, str]
) -> None:
    visitor, phone = who
    await visitor.post("/me/facts", attribute="housing", value="tenant")
    citizen = await identity.account(city.house, phone)
    said = Attestation("housing", "owner", city.house.clock.today())
    await identity.attributes.service.attest(city.house, citizen, "housing_fund", said, {"housing"})
    page = await visitor.get("/me/facts")
    fund = city.parts.registry.name("housing_fund")["en"]
    assert fund in page
    assert "your own word says: " in page  # the conflict is shown
    ask: dict[str, Any] = {"attribute": "housing", "source": "housing_fund", "words": "sold"}
    assert await visitor.to("/me/facts/objection", **ask) == "/me/facts"
    page = await visitor.get("/me/facts")
    assert "You objected to this" in page
    assert "Your objection is on its way" in page
    await visitor.post("/me/facts/objection", **ask, back="1")
    assert "You objected to this" not in await visitor.get("/me/facts")
    await visitor.post("/me/facts/switch", attribute="housing", on="0")
    assert "not for recommendations" in await visitor.get("/me/facts")
    seen, _ = await identity.recommendable(city.house, citizen)
    assert seen == {}


async def test_an_event_is_told_corrected_and_removed(who: tuple[Visitor, str]) -> None:
    visitor, _ = who
    key = await visitor.key("/me/events")
    for _ in range(2):  # pressed twice
        await visitor.post("/me/events", key=key, kind="married", on="2026-05-20")
    page = await visitor.get("/me/events")
    (event,) = set(re.findall(r'action="/me/events/([0-9a-f-]{36})"', page))
    await visitor.post(f"/me/events/{event}", kind="married", on="2026-05-21")
    assert 'value="2026-05-21"' in await visitor.get("/me/events")
    await visitor.post(f"/me/events/{event}", kind="married", on="2026-05-21", remove="1")
    assert event not in await visitor.get("/me/events")
    await visitor.post("/me/events", 422, key=key, kind="married", on="9999-01-01")
    await visitor.post("/me/events", 400, key=key, kind="king", on="2026-05-20")


async def test_the_file_is_downloaded_from_a_page(who: tuple[Visitor, str]) -> None:
    visitor, phone = who
    assert "/me/data/my-data.zip" in await visitor.get("/me/data")
    answer = await visitor.client.get("/me/data/my-data.zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.zip"'
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert phone in archive.read("my-data.json").decode()


async def code(visitor: Visitor, phone: str) -> str:
    await visitor.post("/me/deletion/code", 200)
    sent = (await (await visitor.city.anonymous()).get("/v1/sandbox/messages")).json()["items"]
    return next(re.findall(r"\d{6}", m["text"])[0] for m in sent if m["to"] == phone)


async def test_leaving_says_what_stays_and_wants_a_code(who: tuple[Visitor, str]) -> None:
    visitor, phone = who
    page = await visitor.get("/me/deletion")
    assert "E-commerce Law, art. 31" in page
    assert "art. 47" in page
    right = await code(visitor, phone)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    assert "not right" in (await visitor.post("/me/deletion", 422, code=wrong)).text
    assert "six digits" in (await visitor.post("/me/deletion", 422, code="x")).text
    assert await visitor.to("/me/deletion", code=right) == "/"
    assert "Your account is deleted" in await visitor.get("/")
    assert (await visitor.client.get("/me")).headers["location"].startswith("/login")


@pytest.mark.parametrize(
    "path",
    ["/me/deletion", "/me/deletion/code", "/me/facts/switch", "/me/facts/objection", "/me/events"],
)
async def test_no_other_site_sends_these_forms(who: tuple[Visitor, str], path: str) -> None:
    visitor, _ = who
    answer = await visitor.client.post(
        path, data={"code": "123456"}, headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert (await visitor.client.get("/me")).status_code == 200
