"""Bad input at the doors of federation, and a city that has no upstream."""

from __future__ import annotations

from typing import Any

import pytest
from tests.city import City
from tests.rooms.citizen_web.visitor import visitor
from tests.rooms.identity.steps import pair_for, problem

from civicmall.identity import federation
from civicmall.kernel.config import BadSetting

GOOD: dict[str, Any] = {"flow": "AAAA", "state": "s", "code": "c"}


async def test_without_an_upstream_there_are_no_such_doors(city: City) -> None:
    nobody = await city.anonymous()
    assert problem(await nobody.get("/v1/sign-in/upstream")) == (404, "not-found")
    assert problem(await nobody.post("/v1/sign-in/upstream", json={})) == (404, "not-found")
    answer = await nobody.post("/v1/sign-in/upstream/tokens", json=GOOD)
    assert problem(answer) == (404, "not-found")
    one = await visitor(city)
    assert "federation" not in await one.get("/login")
    await one.post("/login/federation/start", 404, next="/")
    await one.get("/login/federation/callback?state=a&code=b", 404)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {**GOOD, "flow": ""},
        {**GOOD, "flow": 7},
        {**GOOD, "flow": "A" * 5000},
        {**GOOD, "flow": "with space"},
        {**GOOD, "Flow": "AAAA"},
        {"flow": "AAAA"},
        {**GOOD, "state": None},
        {**GOOD, "state": "s" * 2001},
        {**GOOD, "code": "c\n"},
        {**GOOD, "code": ["c"]},
        {**GOOD, "iss": 1},
        {**GOOD, "device": "d" * 81},
        {**GOOD, "device": "\x00"},
        {**GOOD, "more": 1},
        [],
        "flow",
    ],
)
async def test_a_finish_that_cannot_be_read(city: City, said: Any) -> None:
    answer = await (await city.anonymous()).post("/v1/sign-in/upstream/tokens", json=said)
    assert problem(answer) == (400, "bad-request")


@pytest.mark.parametrize("said", [{"link": "yes"}, {"link": None}, {"LINK": True}, []])
async def test_a_start_that_cannot_be_read(city: City, said: Any) -> None:
    answer = await (await city.anonymous()).post("/v1/sign-in/upstream", json=said)
    assert problem(answer) == (400, "bad-request")


@pytest.mark.parametrize(
    "said", [{}, {"ticket": ""}, {"ticket": 1}, {"ticket": "ü"}, {"ticket": "A" * 5000}]
)
async def test_a_ticket_that_cannot_be_read(city: City, said: Any) -> None:
    client = await city.client((await pair_for(city))["access_token"])
    assert problem(await client.post("/v1/me/links", json=said)) == (400, "bad-request")
    assert problem(await client.delete("/v1/me/links/not-an-id")) in {
        (404, "not-found"), (400, "bad-request"),
    }  # fmt: skip


async def test_links_are_the_citizens_own(city: City) -> None:
    nobody = await city.anonymous()
    assert problem(await nobody.get("/v1/me/links")) == (401, "sign-in-needed")
    staff = await city.operator()
    assert problem(await staff.get("/v1/me/links")) == (403, "not-allowed")


ENV = {
    "CIVICMALL_FEDERATION_ISSUER": "https://id.example", "CIVICMALL_FEDERATION_CLIENT_ID": "city",
    "CIVICMALL_FEDERATION_CLIENT_SECRET": "s", "CIVICMALL_FEDERATION_NAME": "省",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"ISSUER": "http://id.example"}, "ISSUER"),
        ({"ISSUER": "https://id.example?a=1"}, "ISSUER"),
        ({"ISSUER": "https://me:word@id.example"}, "ISSUER"),
        ({"ISSUER": ""}, "ISSUER"),
        ({"CLIENT_ID": ""}, "CLIENT_ID"),
        ({"NAME": ""}, "NAME"),
        ({"CLIENT_SECRET": ""}, "CLIENT_SECRET"),
        ({"PRIVATE_KEY": "/nowhere"}, "CLIENT_SECRET"),
        ({"CLIENT_SECRET": "", "PRIVATE_KEY": "/nowhere"}, "PRIVATE_KEY"),
        ({"CLIENT_SECRET": "", "PRIVATE_KEY": "-----BEGIN EC"}, "PRIVATE_KEY"),
        ({"TRUST": "everything"}, "TRUST"),
        ({"SCOPE": "profile"}, "SCOPE"),
        ({"ID_NUMBER_CLAIM": "a b"}, "ID_NUMBER_CLAIM"),
        ({"APP_REDIRECT": "nowhere"}, "APP_REDIRECT"),
    ],
)
def test_a_wrong_setting_is_named(city: City, change: dict[str, str], named: str) -> None:
    env = ENV | {f"CIVICMALL_FEDERATION_{name}": value for name, value in change.items()}
    untyped: Any = None
    with pytest.raises(BadSetting) as caught:
        federation.open_federation(city.house, untyped, env)
    assert caught.value.name == f"CIVICMALL_FEDERATION_{named}"
    assert "word" not in str(caught.value)
