"""Userinfo: only what was agreed to, under its OpenID names, and the citizen sees that it was read."""

from __future__ import annotations

from typing import Any, Final

import httpx
import pytest
from tests.city import City
from tests.rooms.gateway.wire import token_of
from tests.rooms.identity.exchange.steps import (
    App,
    give,
    register,
    someone,
    tokens_of,
)

from civicmall import identity
from civicmall.identity import Caller, Verification, agreements
from civicmall.identity.provider import grants

_numbers = iter(range(1_000))
BEARER: Final = 'Bearer realm="civicmall"'


async def client_of(city: City) -> App:
    return await register(city, f"info-{next(_numbers)}")


async def info(city: City, token: str, method: str = "GET") -> httpx.Response:
    nobody = await city.anonymous()
    headers = {"authorization": f"Bearer {token}"}
    return await nobody.request(method, "/oauth/userinfo", headers=headers)


async def known(city: City, persona: str) -> tuple[httpx.AsyncClient, dict[str, str]]:
    """A citizen whose name and number a register vouches for."""
    person = (await city.people())[persona]
    client = await someone(city, 2, person["phone"])
    caller = tokens_of(city).check(token_of(client))
    assert isinstance(caller, Caller)
    said = Verification(person["name"], person["id_number"])
    await identity.verify(city.house, caller.citizen_id, said)
    return client, person


async def test_what_was_agreed_to_is_told_and_noted(city: City) -> None:
    app = await client_of(city)
    citizen, person = await known(city, "graduate")
    given = await give(
        city, app, citizen, "name", "id_number", "phone", "birth_date", "sex", "level"
    )
    for method in ("GET", "POST"):
        answer = await info(city, given.access, method)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        said = answer.json()
        number = person["id_number"]
        assert (said["name"], said["id_number"]) == (person["name"], number)
        assert said["phone_number"] == f"+86{person['phone']}"
        assert said["phone_number_verified"] is True
        assert said["birthdate"].replace("-", "") == number[6:14]
        assert said["level"] == "L2"
        assert said["gender"] in {"male", "female"}
        assert said["sub"] != str(given.citizen)
    rows = (await citizen.get("/v1/me/accesses")).json()["items"]
    (row,) = [one for one in rows if one["reader"] == app.client.grantee]
    assert set(row["claims"]) == {"birth_date", "id_number", "level", "name", "phone", "sex"}
    assert (row["purpose"], row["times"]) == ("userinfo", 2)


async def test_no_more_than_was_agreed_to(city: City) -> None:
    app, other = await client_of(city), await client_of(city)
    citizen, person = await known(city, "newlywed_husband")
    given = await give(city, app, citizen, "name")
    assert (await info(city, given.access)).json().keys() == {"sub", "name"}
    # What another client may know is nothing of this one's.
    await give(city, other, citizen, "phone", "id_number")
    assert (await info(city, given.access)).json().keys() == {"sub", "name"}
    bare = await give(city, app, citizen)
    assert (await info(city, bare.access)).json().keys() == {"sub"}
    unagreed = await give(city, app, citizen, "id_number", agreed=False)
    assert (await info(city, unagreed.access)).json().keys() == {"sub"}
    assert person["id_number"] not in (await info(city, unagreed.access)).text


async def test_what_is_taken_back_is_told_no_more(city: City) -> None:
    app = await client_of(city)
    citizen, _ = await known(city, "newlywed_wife")
    given = await give(city, app, citizen, "name", "phone")
    await agreements.take_back(city.house, given.citizen, app.client.grantee)
    answer = await info(city, given.access)
    assert answer.status_code == 401 or answer.json().keys() == {"sub"}


async def test_what_is_not_known_is_left_out(city: City) -> None:
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen, "name", "id_number", "birth_date", "level")
    said = (await info(city, given.access)).json()
    assert said.keys() == {"sub", "level"}
    assert said["level"] == "L1"
    (row,) = (await citizen.get("/v1/me/accesses")).json()["items"]
    assert row["claims"] == ["level"], "nor does the line say that it was told"


async def test_two_clients_know_one_citizen_by_two_names(city: City) -> None:
    app, citizen = await client_of(city), await someone(city)
    other = await register(city, f"info-{next(_numbers)}", sector="other.example")
    subs = [
        (await info(city, (await give(city, one, citizen)).access)).json()["sub"]
        for one in (app, app, other)
    ]
    assert subs[0] == subs[1] != subs[2]


async def test_an_ended_grant_gets_nothing(city: City) -> None:
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen)
    await grants.revoke(city.house, tokens_of(city), given.grant, "test")
    answer = await info(city, given.access)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


async def test_other_tokens_get_nothing(city: City) -> None:
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen)
    caller = tokens_of(city).check(token_of(citizen))
    assert isinstance(caller, Caller)
    narrow = tokens_of(city).narrow(caller, "utility_bills/water", frozenset())
    for token in (token_of(citizen), narrow, given.id_token, given.refresh, given.access[:-5]):
        answer = await info(city, token)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
        challenge = answer.headers["www-authenticate"]
        assert challenge.startswith(f'{BEARER}, error="invalid_token", error_description="')


async def test_openid_must_be_in_the_scope(city: City) -> None:
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen, scope="profile")
    answer = await info(city, given.access)
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
    assert answer.headers["www-authenticate"].endswith('scope="openid"')


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Basic YTpi"}, {"authorization": "Bearer"}]
)
async def test_without_a_token_nothing_is_said_of_why(city: City, headers: dict[str, str]) -> None:
    nobody = await city.anonymous()
    for answer in (
        await nobody.get("/oauth/userinfo", headers=headers),
        await nobody.post("/oauth/userinfo", headers=headers),
        await nobody.post("/oauth/userinfo", headers=headers, data={"Access_Token": "a"}),
    ):
        assert (answer.status_code, answer.json()) == (401, {})
        assert answer.headers["www-authenticate"] == BEARER


async def test_the_token_may_come_in_a_form_and_never_in_an_address(city: City) -> None:
    app, citizen = await client_of(city), await someone(city)
    token = (await give(city, app, citizen)).access
    nobody = await city.anonymous()
    post = nobody.post
    assert (await post("/oauth/userinfo", data={"access_token": token})).status_code == 200
    for method in ("GET", "POST"):
        answer = await nobody.request(method, "/oauth/userinfo", params={"access_token": token})
        assert answer.status_code == 401


WRONG: Final[dict[str, dict[str, Any]]] = {
    "both ways": {"data": {"access_token": "a"}, "headers": {"authorization": "Bearer a"}},
    "twice": {"data": {"access_token": ["a", "a"]}},
    "too long": {"data": {"access_token": "a" * 70_000}},
    "no form": {"json": {"access_token": "a"}},
    "two headers": {"headers": [("authorization", "Bearer a"), ("authorization", "Bearer b")]},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
async def test_what_is_sent_wrongly(city: City, wrong: dict[str, Any]) -> None:
    nobody = await city.anonymous()
    answer = await nobody.post("/oauth/userinfo", **wrong)
    assert answer.status_code in {400, 413}
    assert answer.json()["error"] == "invalid_request"
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]
