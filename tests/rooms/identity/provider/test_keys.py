"""Tokens where they don't belong, keys that aren't registered, and other ways around."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from joserfc.jws import JWSRegistry
from tests.citizens import caller
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor, visitor
from tests.rooms.identity.provider.steps import (
    Partner,
    answer,
    b64,
    citizen,
    code,
    info,
    opened,
    own_app,
    path_of,
    refresh,
    refused,
    register,
    straight,
    two,
)
from tests.rooms.identity.steps import new_phone

from civicmall import identity
from civicmall.identity import account, provider
from civicmall.kernel import ids


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def who(city: City) -> Visitor:
    return await citizen(city)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def partner(city: City) -> Partner:
    return await register(city)


# Tokens for one thing are good for nothing else


async def test_a_clients_token_opens_none_of_our_own_doors(
    city: City, who: Visitor, partner: Partner
) -> None:
    tokens = await partner.signed_in(who, prompt="consent")
    for token in (tokens["access_token"], tokens["id_token"], tokens["refresh_token"]):
        client = await city.client(token)
        for path in ("/v1/me", "/v1/home", "/v1/staff/me", "/v1/me/consents"):
            assert (await client.get(path)).status_code == 401, path


async def test_a_citizens_own_token_is_none_of_a_clients(city: City, partner: Partner) -> None:
    own = city.parts.tokens.access(caller(await account(city.house, new_phone()), 2))
    assert await info(city, own) == 401
    asked = await partner.post("/oauth/introspect", token=own)
    assert asked.json() == {"active": False}


async def test_subjects_can_not_be_joined_between_sectors(
    city: City, who: Visitor, partner: Partner
) -> None:
    sister = await register(city)
    stranger = await register(city, redirect_uris=["https://other.example/back"])
    subs = [
        opened((await one.signed_in(who, prompt="consent"))["id_token"])[1]
        for one in (partner, sister, stranger)
    ]
    assert subs[0]["sub"] == subs[1]["sub"] != subs[2]["sub"]
    assert len({one["sid"] for one in subs}) == 3


async def test_nothing_that_a_client_gets_tells_the_bucket(
    city: City, who: Visitor, partner: Partner
) -> None:
    tokens = await partner.signed_in(who, prompt="consent")
    me = (await (await own_app(city)).get("/v1/me")).json()["id"]
    texts = json.dumps(tokens) + json.dumps(
        opened(tokens["access_token"]) + opened(tokens["id_token"])
    )
    assert me not in texts
    assert me[-2:] == f"{ids.bucket_of(UUID(me)):02x}"
    raw = base64.urlsafe_b64decode(
        tokens["refresh_token"] + "=" * (-len(tokens["refresh_token"]) % 4)
    )
    assert UUID(me).bytes not in raw


# Keys and signatures


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def signing(city: City) -> Partner:
    return await register(city, auth_method="private_key_jwt")


async def asserted(partner: Partner, assertion: str, path: str = "/oauth/introspect") -> Any:
    return await partner.post(path, token="x", client_assertion=assertion)


async def test_a_good_assertion(signing: Partner) -> None:
    for audience in (signing.city.url, signing.city.url + "/oauth/token", [signing.city.url]):
        got = await asserted(signing, signing.assertion(aud=audience))
        assert got.json() == {"active": False}, got.text


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"}, {"sub": "somebody"}, {"aud": "https://elsewhere.example"}, {"aud": None},
        {"aud": []}, {"exp": None}, {"exp": 1}, {"exp": 99_999_999_999}, {"exp": "soon"}, {"exp": True},
        {"jti": None}, {"jti": ""}, {"jti": 7}, {"jti": "j" * 201}, {"iat": 99_999_999_999},
        {"nbf": 99_999_999_999}, {"iat": "now"},
    ],
    ids=str,
)  # fmt: skip
async def test_an_assertion_of_wrong_claims(signing: Partner, changes: dict[str, Any]) -> None:
    got = await asserted(signing, signing.assertion(**changes))
    assert refused(got, 401) == "invalid_client"


async def test_an_assertion_that_others_could_bring_too(signing: Partner) -> None:
    both = [signing.city.url, "https://elsewhere.example"]
    assert refused(await asserted(signing, signing.assertion(aud=both)), 401) == "invalid_client"


async def test_an_assertion_works_once(signing: Partner) -> None:
    one = signing.assertion()
    answers = await asyncio.gather(*(asserted(signing, one) for _ in range(4)))
    assert sorted(got.status_code for got in answers) == [200, 401, 401, 401]


async def test_keys_are_the_registered_ones_alone(signing: Partner) -> None:
    """alg none, HMAC with the public key, keys in the header, another's key, tricks with kid."""
    assert signing.key is not None
    good = signing.assertion()
    _, claims = opened(good)
    own = {"iss": signing.client_id}
    thief = ECKey.generate_key("P-256", {"kid": str(signing.key.kid)})
    public = thief.as_dict(private=False)
    body = b64(json.dumps(claims).encode())

    def bare(header: dict[str, Any], key: bytes = b"") -> str:
        said = f"{b64(json.dumps(header).encode())}.{body}"
        return said + "." + (b64(hmac.digest(key, said.encode(), "sha256")) if key else "")

    def by_thief(**header: Any) -> str:
        said = {"alg": "ES256", "kid": signing.key.kid, **header}  # pyright: ignore[reportOptionalMemberAccess]
        registry = JWSRegistry(strict_check_header=False)
        return jwt.encode(said, claims | own, thief, registry=registry)

    pem = signing.key.as_pem(private=False)
    forged = [
        bare({"alg": "none"}), bare({"alg": "None"}), bare({"alg": "nOnE", "kid": signing.key.kid}),
        bare({"alg": "HS256", "kid": signing.key.kid}, pem),
        bare({"alg": "HS256"}, json.dumps(signing.key.as_dict(private=False)).encode()),
        by_thief(), by_thief(jwk=public), by_thief(jku="https://evil.example/jwks.json"),
        by_thief(x5u="https://evil.example/cert.pem"), by_thief(x5c=["MIIB"]),
        by_thief(kid="../../../../dev/null"), by_thief(kid="' or 1=1 --"), by_thief(kid=""),
        good.rsplit(".", 1)[0] + ".", good[:-4] + "AAAA", "x", "a.b.c", ".".join(good.split(".")[:2]),
        good.split(".")[0] + "." + b64(json.dumps(claims | {"jti": "new"}).encode()) + "." + good.split(".")[2],
    ]  # fmt: skip
    for one in forged:
        assert refused(await asserted(signing, one), 401) == "invalid_client", one
    header = {"jwk": signing.key.as_dict(private=False)}
    assert refused(await asserted(signing, signing.assertion(header)), 401) == "invalid_client"
    assert (await asserted(signing, good)).status_code == 200


async def test_an_id_token_hint_is_ours_and_of_this_client(
    city: City, who: Visitor, partner: Partner
) -> None:
    tokens = await partner.signed_in(who, prompt="consent")
    other = await register(city)
    _, claims = opened(tokens["id_token"])
    for hint in (
        jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, OctKey.import_key("k" * 32)),
        jwt.encode({"alg": "ES256", "typ": "JWT"}, claims, ECKey.generate_key("P-256")),
        tokens["access_token"], (await other.signed_in(who))["id_token"],
    ):  # fmt: skip
        said = answer(await straight(who, partner.url(id_token_hint=hint)))
        assert said["error"] == "invalid_request"


async def test_a_hint_at_somebody_else_is_not_answered_for_them(
    city: City, who: Visitor, partner: Partner
) -> None:
    tokens = await partner.signed_in(who, prompt="consent")
    graduate = await citizen(city, "graduate")
    await partner.signed_in(graduate, prompt="consent")
    said = answer(
        await straight(graduate, partner.url(prompt="none", id_token_hint=tokens["id_token"]))
    )
    assert said["error"] == "login_required"


# Ways around


async def test_a_client_proves_itself_in_its_own_way_alone(
    city: City, signing: Partner, partner: Partner
) -> None:
    client = await city.anonymous()
    form = {"token": "x", "client_id": partner.client_id}
    posted = await client.post("/oauth/introspect", data=form | {"client_secret": partner.secret})
    assert refused(posted, 401) == "invalid_client", "registered for Basic"
    assert refused(await client.post("/oauth/introspect", data=form), 401) == "invalid_client"
    assert posted.headers["www-authenticate"].startswith("Basic ")
    two = await client.post(
        "/oauth/introspect", data=form | {"client_secret": partner.secret},
        auth=(partner.client_id, partner.secret),
    )  # fmt: skip
    assert refused(two) == "invalid_request"
    other = await client.post(
        "/oauth/introspect", data={"token": "x", "client_id": signing.client_id},
        auth=(partner.client_id, partner.secret),
    )  # fmt: skip
    assert refused(other) == "invalid_request"


async def test_a_retired_client_gets_nothing_any_more(city: City, who: Visitor) -> None:
    partner = await register(city)
    tokens = await partner.signed_in(who, scope="openid profile offline_access")
    back = await code(who, partner)
    gone = await (await two(city))[0].delete(f"/v1/desk/clients/{partner.client_id}")
    assert gone.status_code == 204
    assert refused(await partner.redeem(back), 401) == "invalid_client"
    assert refused(await refresh(partner, tokens["refresh_token"]), 401) == "invalid_client"
    assert await info(city, tokens["access_token"]) == 401
    assert (await who.client.get(partner.url())).status_code == 400


async def test_a_stolen_sign_in_page_address_leads_nowhere(city: City, partner: Partner) -> None:
    """Whoever has no session signs in first; the ticket in the address is worth nothing elsewhere."""
    nobody = await visitor(city)
    first = await nobody.client.get(partner.url())
    ticket = first.headers["location"]
    login = await nobody.client.get(ticket)
    assert login.headers["location"].startswith("/login?next=%2Foauth%2Fauthorize%2F")
    elsewhere = await visitor(city)
    assert (await elsewhere.client.get(path_of(ticket))).status_code == 400


async def test_what_is_long_ago_is_forgotten(city: City, who: Visitor, partner: Partner) -> None:
    await partner.signed_in(who, prompt="consent")
    house = city.house
    async with house.db.acquire() as db:
        for table in ("par", "auth_code", "grant_", "assertion"):
            await db.execute(
                f"update identity.{table} set expires_at = now() - $1::interval",  # noqa: S608 (ours)
                timedelta(days=40),
            )
        await provider.grants.forget(house)
        for table in ("par", "auth_code", "grant_", "assertion"):
            assert await db.fetchval(f"select count(*) from identity.{table}") == 0  # noqa: S608 (ours)


# How soon an end is known


async def test_an_end_is_known_at_once_here_and_soon_elsewhere(city: City, who: Visitor) -> None:
    """Without a look at any table for each request: what ended is learned every two seconds."""
    partner = await register(city)
    tokens = await partner.signed_in(who)
    elsewhere = identity.Tokens(city.house.keys, city.url, city.house.clock)
    await identity.learn_ended(city.house, elsewhere)
    read = provider.issuing.read_access
    found = read(city.house, elsewhere, tokens["access_token"])
    assert await provider.grants.revoke(city.house, city.parts.tokens, found.grant_id, "test")
    with pytest.raises(provider.OAuthError):
        read(city.house, city.parts.tokens, tokens["access_token"])
    await identity.learn_ended(city.house, elsewhere)
    with pytest.raises(provider.OAuthError):
        read(city.house, elsewhere, tokens["access_token"])


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "civicmall"}, {"aud": "https://elsewhere.example"}, {"iss": "https://elsewhere.example"},
        {"exp": 1}, {"iat": 99_999_999_999}, {"grant": "x"}, {"grant": None}, {"scope": None},
    ],
    ids=str,
)  # fmt: skip
async def test_a_token_of_ours_for_something_else(
    city: City, who: Visitor, partner: Partner, changes: dict[str, Any]
) -> None:
    tokens = await partner.signed_in(who, prompt="consent")
    claims = opened(tokens["access_token"])[1] | changes
    signed = city.parts.tokens.signing.sign
    assert (
        await info(city, signed("at+jwt", {k: v for k, v in claims.items() if v is not None}))
        == 401
    )
    assert await info(city, signed("JWT", opened(tokens["access_token"])[1])) == 401
