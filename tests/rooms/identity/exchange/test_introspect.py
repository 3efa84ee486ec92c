"""Introspection and revocation: who may ask, what is said, how soon an end is known, what it costs."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.city import City
from tests.rooms.gateway.wire import token_of
from tests.rooms.identity.exchange.steps import (
    App,
    Given,
    give,
    introspected,
    refused,
    register,
    someone,
    tokens_of,
)

from civicmall import identity
from civicmall.identity import Tokens, agreements
from civicmall.identity.exchange import introspect, proven
from civicmall.identity.provider import grants, registering
from civicmall.kernel import ids

NO: Final = {"active": False}
_numbers = iter(range(1_000))


async def client_of(city: City, **more: Any) -> App:
    """A client that no other test knows."""
    return await register(city, f"clinic-{next(_numbers)}", **more)


async def test_a_client_is_told_of_its_own_tokens(city: City) -> None:
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen, "name", scope="openid profile")
    said = await introspected(city, app, given.access)
    claims = json.loads(base64.urlsafe_b64decode(given.access.split(".")[1] + "=="))
    for name in (
        "iss",
        "aud",
        "sub",
        "client_id",
        "scope",
        "exp",
        "iat",
        "jti",
        "acr",
        "auth_time",
    ):
        assert said.pop(name) == claims[name], name
    assert said == {"active": True, "token_type": "Bearer"}

    again = await introspected(city, app, given.refresh, token_type_hint="refresh_token")
    assert (again["active"], again["sub"], again["scope"]) == (
        True, claims["sub"], "openid profile",
    )  # fmt: skip
    assert "token_type" not in again, "nobody takes it for an access token"
    assert str(given.citizen) not in json.dumps([again, claims])


async def test_of_others_tokens_nothing_is_said(city: City) -> None:
    app, other, citizen = await client_of(city), await client_of(city), await someone(city)
    given = await give(city, app, citizen)
    for token in (given.access, given.refresh, given.id_token, token_of(citizen)):
        assert await introspected(city, other, token) == NO
    narrow = tokens_of(city).narrow(
        tokens_of(city).check(token_of(citizen)),  # pyright: ignore[reportArgumentType] (a citizen's)
        "utility_bills/water",
        frozenset(),
    )
    for token in (given.id_token, token_of(citizen), narrow, "x", "x.y.z", given.access[:-6]):
        assert await introspected(city, app, token) == NO


async def by_session(city: City, citizen: httpx.AsyncClient, _: App, __: Given) -> None:
    assert (await citizen.delete("/v1/me/session")).status_code == 204


async def by_consent(city: City, citizen: httpx.AsyncClient, app: App, given: Given) -> None:
    for ended in await agreements.take_back(city.house, given.citizen, app.client.grantee):
        tokens_of(city).end(ended)


async def by_the_client(city: City, citizen: httpx.AsyncClient, app: App, given: Given) -> None:
    assert (await revoked(city, app, given.refresh)).status_code == 200


async def by_reuse(city: City, citizen: httpx.AsyncClient, app: App, given: Given) -> None:
    await grants.revoke(city.house, tokens_of(city), given.grant, "refresh_reused")


End = Callable[[City, httpx.AsyncClient, App, Given], Awaitable[None]]


@pytest.mark.parametrize("end", [by_session, by_consent, by_the_client, by_reuse])
async def test_an_end_is_known_at_once_here_and_within_seconds_elsewhere(
    city: City, end: End
) -> None:
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen, "name", scope="openid")
    elsewhere = Tokens(city.house.keys, city.url, city.house.clock)
    await identity.learn_keys(city.house, elsewhere)
    form = {"token": given.access}
    headers = {"authorization": _basic(app)}

    async def there() -> bool:
        said = await introspect.introspect(city.house, elsewhere, headers, form)
        return said[1].active

    assert (await introspected(city, app, given.access))["active"]
    assert await there()
    await end(city, citizen, app, given)
    assert await introspected(city, app, given.access) == NO
    assert await introspected(city, app, given.refresh) == NO
    await identity.learn_ended(city.house, elsewhere)
    assert not await there()
    beat = next(j for j in city.parts.jobs if j.name == "identity.ended")
    assert beat.every_s + proven.KEPT_S <= 5
    assert beat.everywhere


def _basic(app: App) -> str:
    said = f"{app.client.client_id}:{app.secret}".encode()
    return "Basic " + base64.b64encode(said).decode()


async def test_an_offline_grant_outlives_the_session(city: City) -> None:
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen, scope="openid offline_access")
    await by_session(city, citizen, app, given)
    assert (await introspected(city, app, given.access))["active"]


async def test_a_token_that_is_asked_about_often_costs_no_look_at_the_database(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen)
    await city.settled()  # clients of other tests are told of logouts, and looked up for it
    asked: list[str] = []
    inner: Any = asyncpg.connection.Connection
    execute = inner._execute

    async def counted(self: Any, query: str, *args: Any, **more: Any) -> Any:
        if "identity.client" in query or "identity.grant_" in query or "identity.session" in query:
            asked.append(query)
        return await execute(self, query, *args, **more)

    monkeypatch.setattr(inner, "_execute", counted)
    await introspected(city, app, given.access)
    first = len(asked)
    assert first, "the client proves who it is, once"
    monkeypatch.setattr(proven, "KEPT_S", 60.0)
    before = [query for query in asked if "revoked_at > now()" not in query]
    answers = await asyncio.gather(*(introspected(city, app, given.access) for _ in range(50)))
    assert all(said["active"] for said in answers)
    # Only the job of every two seconds asks, for all tokens at once.
    assert [query for query in asked if "revoked_at > now()" not in query] == before


async def test_who_asks_is_believed_for_a_moment_only(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen)
    assert (await introspected(city, app, given.access))["active"]
    await registering.retire(city.house, ids.new(0), app.client.client_id)
    monkeypatch.setattr(proven, "KEPT_S", 0.0)
    nobody = await city.anonymous()
    answer = await nobody.post("/oauth/introspect", data={"token": given.access}, auth=app.basic)
    assert refused(answer) == (401, "invalid_client")


async def test_the_answer_may_be_signed(city: City) -> None:
    """RFC 9701."""
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen)
    nobody = await city.anonymous()
    answer = await nobody.post(
        "/oauth/introspect", data={"token": given.access}, auth=app.basic,
        headers={"accept": "application/token-introspection+jwt"},
    )  # fmt: skip
    assert answer.headers["content-type"] == "application/token-introspection+jwt"
    jwks = (await nobody.get("/.well-known/jwks.json")).json()
    keys = KeySet.import_key_set({"keys": [k for k in jwks["keys"] if k["kty"] == "EC"]})
    read = jwt.decode(answer.text, keys, algorithms=["ES256"])
    assert read.header["typ"] == "token-introspection+jwt"
    said = read.claims.pop("token_introspection")
    assert said == await introspected(city, app, given.access)
    assert read.claims.keys() == {"iss", "aud", "iat"}
    assert (read.claims["iss"], read.claims["aud"]) == (city.url, app.client.client_id)
    # It can't be used as what it speaks of.
    as_token = await nobody.get(
        "/oauth/userinfo", headers={"authorization": f"Bearer {answer.text}"}
    )
    assert as_token.status_code == 401


async def test_who_may_not_ask(city: City) -> None:
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen)
    public = await client_of(city, kind="public", auth_method="none")
    nobody = await city.anonymous()
    body = {"token": given.access}
    name, post = app.client.client_id, nobody.post
    for path in ("/oauth/introspect", "/oauth/revoke"):
        wrong = httpx.BasicAuth(name, "wrong")
        for answer in (
            await post(path, data=body),
            await post(path, data=body, auth=wrong),
            await post(path, data={**body, "client_id": name}),
            await post(path, data={**body, "client_id": name, "client_secret": app.secret}),
            await post(path, data=body, headers={"authorization": f"Bearer {token_of(citizen)}"}),
            await post(path, data=body, auth=httpx.BasicAuth("nobody", app.secret)),
        ):
            assert refused(answer) == (401, "invalid_client")
            assert answer.headers["www-authenticate"].startswith("Basic")
    as_public = {**body, "client_id": public.client.client_id}
    assert refused(await post("/oauth/introspect", data=as_public)) == (401, "invalid_client")
    assert (await introspected(city, app, given.access))["active"]


async def revoked(city: City, app: App, token: str, **form: str) -> httpx.Response:
    nobody = await city.anonymous()
    return await nobody.post("/oauth/revoke", data={"token": token, **form}, auth=app.basic)


@pytest.mark.parametrize("which", ["access", "refresh"])
async def test_a_client_gives_back_all_that_it_was_given(city: City, which: str) -> None:
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen, scope="openid offline_access")
    other = await give(city, app, citizen)
    answer = await revoked(city, app, getattr(given, which), token_type_hint="colour")
    assert (answer.status_code, answer.content) == (200, b"")
    for token in (given.access, given.refresh):
        assert await introspected(city, app, token) == NO
        assert (await revoked(city, app, token)).status_code == 200
    assert (await introspected(city, app, other.access))["active"], "of another signing in"
    assert (await citizen.get("/v1/me")).status_code == 200
    nobody = await city.anonymous()
    form = {"grant_type": "refresh_token", "refresh_token": given.refresh}
    assert refused(await nobody.post("/oauth/token", data=form, auth=app.basic)) == (
        400, "invalid_grant",
    )  # fmt: skip


async def test_a_public_client_gives_its_own_back(city: City) -> None:
    app, citizen = await client_of(city, kind="public", auth_method="none"), await someone(city)
    given = await give(city, app, citizen, scope="openid offline_access")
    nobody = await city.anonymous()
    form = {"token": given.refresh, "client_id": app.client.client_id}
    assert (await nobody.post("/oauth/revoke", data=form)).status_code == 200
    assert await grants.live(city.house, given.grant) is None


async def test_another_clients_token_is_not_ended(city: City) -> None:
    app, other, citizen = await client_of(city), await client_of(city), await someone(city)
    given = await give(city, app, citizen, scope="openid offline_access")
    for token in (given.access, given.refresh):
        assert refused(await revoked(city, other, token)) == (400, "unauthorized_client")
        assert (await introspected(city, app, token))["active"]
    for token in ("x", "x.y.z", given.id_token, token_of(citizen), given.refresh[:-4]):
        assert (await revoked(city, other, token)).status_code == 200
    assert (await citizen.get("/v1/me")).status_code == 200
    assert (await introspected(city, app, given.access))["active"]


WRONG: Final[list[dict[str, Any]]] = [
    {}, {"token": ""}, {"Token": "a"}, {"token": ["a", "b"]}, {"token": "a" * 9_000},
    {"token": "a", "token_type_hint": ["access_token", "access_token"]}, {"token": "a\x00"},
    {"token": "a", "x" * 200: "1"}, {"token": "a", "token_type_hint": "a" * 2_000},
]  # fmt: skip


@pytest.mark.parametrize("form", WRONG)
@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
async def test_what_is_sent_wrongly(city: City, path: str, form: dict[str, Any]) -> None:
    app = await client_of(city)
    nobody = await city.anonymous()
    answer = await nobody.post(
        path, data=form, auth=app.basic, headers={"content-type": "application/x-www-form-urlencoded"}
    )  # fmt: skip
    assert refused(answer) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
async def test_forms_only_and_by_post(city: City, path: str) -> None:
    app, nobody = await client_of(city), await city.anonymous()
    assert refused(await nobody.post(path, json={"token": "a"}, auth=app.basic)) == (
        400, "invalid_request",
    )  # fmt: skip
    assert (await nobody.get(path, params={"token": "a"}, auth=app.basic)).status_code == 405
    in_query = await nobody.post(
        f"{path}?token=a", auth=app.basic,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert refused(in_query) == (400, "invalid_request")
