"""Level 3 by one's face: the browser carries nothing that counts."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import msgspec
import pytest
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor, visitor
from tests.rooms.identity.levels.people import HOMES, Somebody, somebody
from tests.rooms.identity.steps import new_phone, problem, refreshed

from civicmall import identity
from civicmall.identity.levels import rules
from civicmall.shops import Registry


async def begun(one: Somebody) -> dict[str, Any]:
    answer = await one.post("/v1/me/face-checks")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def camera(city: City, check: dict[str, Any], choice: str) -> None:
    """What happens on the authority's page."""
    page = await visitor(city)
    url = urlsplit(str(check["url"]))
    assert "<form" in await page.get(f"{url.path}?{url.query}")
    token = parse_qs(url.query)["token"][0]
    assert await page.to(url.path, token=token, choice=choice) == f"/verify/face/{check['id']}"


async def result(one: Somebody, check: dict[str, Any]) -> httpx.Response:
    return await one.post(f"/v1/me/face-checks/{check['id']}/result")


async def test_a_face_raises_to_level_3(city: City) -> None:
    one = await somebody(city, HOMES[80])
    check = await begun(one)
    assert problem(await result(one, check)) == (409, "face-check-waiting")
    await camera(city, check, "passed")
    done = await result(one, check)
    assert done.json()["profile"]["level"] == 3
    assert city.parts.tokens.check(done.json()["access_token"]).level == 3
    renewed = (await refreshed(one.client, one.pair["refresh_token"])).json()
    assert city.parts.tokens.check(renewed["access_token"]).level == 3
    await city.settled()
    kinds = [m["kind"] for m in (await one.client.get("/v1/inbox")).json()["items"]]
    assert kinds.count("identity.level_raised") == 2
    assert problem(await result(one, check)) == (409, "face-check-over"), "a result is used once"


async def test_a_result_used_many_times_at_once_is_used_once(city: City) -> None:
    one = await somebody(city, HOMES[81])
    check = await begun(one)
    await camera(city, check, "passed")
    answers = await asyncio.gather(*(result(one, check) for _ in range(6)))
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409, 409, 409]


@pytest.mark.parametrize(
    ("choice", "name"),
    [("failed", (422, "face-check-failed")), ("another", (409, "face-of-another"))],
)
async def test_another_face_raises_nobody(city: City, choice: str, name: tuple[int, str]) -> None:
    one = await somebody(city, HOMES[82 if choice == "failed" else 83])
    check = await begun(one)
    await camera(city, check, choice)
    assert problem(await result(one, check)) == name
    assert problem(await result(one, check)) == (409, "face-check-over")
    assert await one.level() == 2


async def test_a_check_is_its_citizens_own(city: City) -> None:
    one, two = await somebody(city, HOMES[84]), await somebody(city, HOMES[85])
    check = await begun(one)
    await camera(city, check, "passed")
    assert problem(await result(two, check)) == (409, "face-check-over")
    assert [await one.level(), await two.level()] == [2, 2]
    assert (await result(one, check)).is_success, "and a stranger's asking took nothing"
    assert problem(await result(two, {"id": str(uuid4())})) == (409, "face-check-over")


async def test_a_check_ends(city: City) -> None:
    one = await somebody(city, HOMES[86])
    check = await begun(one)
    await camera(city, check, "passed")
    await city.house.db.execute(
        "update identity.face_check set expires_at = now() - interval '1 second' where id = $1::text::uuid",
        check["id"],
    )
    assert problem(await result(one, check)) == (409, "face-check-over")
    assert await one.level() == 2


async def test_the_name_comes_first(city: City) -> None:
    one = await somebody(city)
    assert problem(await one.post("/v1/me/face-checks")) == (403, "real-name-first")


async def test_checks_end_with_the_day(city: City) -> None:
    one = await somebody(city, HOMES[87])
    for _ in range(rules.FACES_DAY):
        await begun(one)
    answer = await one.post("/v1/me/face-checks")
    assert problem(answer) == (429, "too-many-verifications")


@pytest.mark.parametrize("token", ["", "0" * 32, "x" * 65, "中"])
async def test_the_sandboxs_page_is_for_who_has_its_token(city: City, token: str) -> None:
    one = await somebody(city, HOMES[88] if token == "" else None)
    check = await begun(one) if token == "" else {"id": str(uuid4())}
    page = await visitor(city)
    path = f"/sandbox/face/{check['id']}"
    assert (await page.client.get(path, params={"token": token})).status_code in {400, 404}
    form = {"token": token, "choice": "passed"}
    answer = await page.client.post(path, data=form, headers={"origin": city.url})
    assert answer.status_code in {400, 404}


async def test_a_choice_is_made_once(city: City) -> None:
    one = await somebody(city, HOMES[89])
    check = await begun(one)
    await camera(city, check, "failed")
    url = urlsplit(str(check["url"]))
    page = await visitor(city)
    form = {"token": parse_qs(url.query)["token"][0], "choice": "passed"}
    await page.post(url.path, 409, **form)
    assert problem(await result(one, check)) == (422, "face-check-failed")


@pytest.fixture
def strict(registry: Registry) -> Generator[str]:
    """The page of an app that wants level 3."""
    app = registry.app("public_security", "id_card")
    before = app.min_level
    msgspec.structs.force_setattr(app, "min_level", 3)
    yield "/shops/public_security/id_card"
    msgspec.structs.force_setattr(app, "min_level", before)


async def at_level_2(city: City, home: int) -> Visitor:
    one = await visitor(city, "en")
    await one.sign_in(new_phone())
    person = HOMES[home]
    await one.to("/verify", name=person.name, id_number=person.id_number, next="/")
    return one


async def test_the_api_names_the_way(city: City, strict: str) -> None:
    one = await somebody(city, HOMES[90])
    renewed = (await refreshed(one.client, one.pair["refresh_token"])).json()
    client = await city.client(renewed["access_token"])
    answer = await client.get("/v1/shops/public_security/apps/id_card/progress")
    assert problem(answer) == (403, "level-too-low")
    assert (answer.json()["needed"], answer.json()["ways"]) == (3, ["face", "counter"])
    other = await client.get("/v1/shops/public_security/apps/residence_permit/progress")
    assert other.json()["type"] == "/problems/consent-needed"


async def test_from_a_page_to_the_face_check_and_back_to_that_page(city: City, strict: str) -> None:
    one = await at_level_2(city, 91)
    await one.agree("public_security/id_card")
    wanted = f"{strict}?from=test"
    way = "/verify/face?next=" + wanted.replace("/", "%2F").replace("?", "%3F").replace("=", "%3D")
    assert "To the face check" in await one.get(way)
    there = await one.to("/verify/face", next=wanted)
    assert there.startswith("/sandbox/face/")
    token = parse_qs(urlsplit(there).query)["token"][0]
    back = await one.to(urlsplit(there).path, token=token, choice="away")
    waiting = await one.client.get(back)
    assert waiting.status_code == 409
    assert "isn&#39;t finished yet" in waiting.text
    await one.to(urlsplit(there).path, token=token, choice="passed")
    done = await one.client.get(f"{back}?state=failed&result=whatever")
    assert (done.status_code, done.headers["location"]) == (303, wanted)
    assert city.parts.tokens.check(one.client.cookies["cm_access"]).level == 3
    assert "You proved that it is you." in await one.get(wanted)
    assert "Level 3" in await one.get("/me")


async def test_from_level_1_both_steps_lead_on(city: City) -> None:
    one = await visitor(city, "en")
    await one.sign_in(new_phone())
    first = (await one.client.get("/verify/face?next=/orders")).headers["location"]
    assert first.startswith("/verify?next=%2Fverify%2Fface")
    next_path = parse_qs(urlsplit(first).query)["next"][0]
    person = HOMES[92]
    second = await one.to("/verify", name=person.name, id_number=person.id_number, next=next_path)
    assert second == "/verify/face?next=%2Forders"
    page = await one.get(second)
    assert 'name="next" value="/orders"' in page


async def test_a_next_that_leads_out_leads_home(city: City) -> None:
    one = await at_level_2(city, 93)
    there = await one.to("/verify/face", next="https://elsewhere.example/")
    token = parse_qs(urlsplit(there).query)["token"][0]
    back = await one.to(urlsplit(there).path, token=token, choice="passed")
    one.client.cookies.set("cm_face_next", "%2F%2Felsewhere.example", path="/verify/face")
    assert (await one.client.get(back)).headers["location"] == "/"


async def test_a_face_check_of_another_browsers_citizen(city: City) -> None:
    one, two = await at_level_2(city, 94), await at_level_2(city, 95)
    there = await one.to("/verify/face", next="/")
    token = parse_qs(urlsplit(there).query)["token"][0]
    back = await one.to(urlsplit(there).path, token=token, choice="passed")
    assert (await two.client.get(back)).status_code == 409
    stranger = await visitor(city)
    assert (await stranger.client.get(back)).headers["location"].startswith("/login")
    assert city.parts.tokens.check(two.client.cookies["cm_access"]).level == 2


def test_the_ways_are_named() -> None:
    assert identity.levels.ways(2) == ["register"]
    assert identity.levels.ways(3) == ["face", "counter"]
    assert identity.levels.ways(7) == []
