"""No cache keeps an answer that is somebody's own, and no other site's script reads one."""

from __future__ import annotations

import pytest
from tests.city import City
from tests.rooms.citizen_web.visitor import visitor
from tests.rooms.identity.steps import new_phone, pair_for, problem

FOREIGN = {"origin": "https://elsewhere.example"}


@pytest.mark.parametrize("path", ["/", "/me", "/me/data", "/me/devices", "/me/consents", "/inbox"])
async def test_a_citizens_page(city: City, path: str) -> None:
    one = await visitor(city)
    await one.sign_in(new_phone())
    answer = await one.client.get(path, headers=FOREIGN)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/login", "/console/login", "/me"])
async def test_a_strangers_page_or_the_way_to_it(city: City, path: str) -> None:
    answer = await (await visitor(city)).client.get(path, headers=FOREIGN)
    assert answer.status_code in {200, 303}
    assert answer.headers["cache-control"] == "no-store"


async def test_tokens_and_what_they_open(city: City) -> None:
    pair = await pair_for(city)
    client = await city.client(pair["access_token"])
    again = {"refresh_token": pair["refresh_token"]}
    for answer in (
        await client.get("/v1/me", headers=FOREIGN),
        await client.get("/v1/me/sessions", headers=FOREIGN),
        await client.post("/v1/sign-in/refresh", json=again, headers=FOREIGN),
    ):
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers


async def test_the_api_takes_no_cookies(city: City) -> None:
    """So no other site's form or script can use one there."""
    one = await visitor(city)
    await one.sign_in(new_phone())
    assert one.client.cookies["cm_access"]
    assert problem(await one.client.get("/v1/me")) == (401, "sign-in-needed")


async def test_what_was_sent_is_not_sent_back(city: City) -> None:
    nobody = await city.anonymous()
    answer = await nobody.request("TRACE", "/v1/me", headers={"authorization": "Bearer secret"})
    assert answer.status_code == 405
    assert "secret" not in answer.text
