"""Clients: drafted by one operator, approved by another; and what can't be registered."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey
from tests.city import City
from tests.rooms.identity.provider.steps import (
    BACK,
    agree,
    b64,
    citizen,
    refused,
    register,
    registration,
    two,
    words,
)
from tests.rooms.identity.steps import problem


async def drafted(city: City, asked: dict[str, Any]) -> Any:
    operator, _ = await two(city)
    return await operator.put(f"/v1/desk/clients/{asked['client_id']}/draft", json=asked)


async def test_nobody_approves_what_they_drafted(city: City) -> None:
    operator, reviewer = await two(city)
    asked = registration()
    path = f"/v1/desk/clients/{asked['client_id']}"
    got = await drafted(city, asked)
    assert got.json() == {"client_id": asked["client_id"], "version": 1}
    own = await operator.post(f"{path}/approval", json={"version": 1})
    assert problem(own) == (403, "second-operator-needed")
    assert (await reviewer.post(f"{path}/approval", json={"version": 1})).status_code == 200
    again = await reviewer.post(f"{path}/approval", json={"version": 1})
    assert problem(again) == (409, "client-draft-moved")


async def test_a_change_needs_two_as_well_and_replaces_what_was(city: City) -> None:
    operator, reviewer = await two(city)
    partner = await register(city)
    asked = registration(client_id=partner.client_id, redirect_uris=["https://new.example/back"])
    who = await citizen(city)
    assert (await drafted(city, asked)).json()["version"] == 2
    got = await who.client.get(partner.url(redirect_uri="https://new.example/back"))
    assert got.status_code == 400, "not in force yet"
    looked_at = {"version": 2}
    assert (await drafted(city, asked | {"purpose": words("别的", "Other")})).json()["version"] == 3
    path = f"/v1/desk/clients/{partner.client_id}"
    stale = await reviewer.post(f"{path}/approval", json=looked_at)
    assert problem(stale) == (409, "client-draft-moved")
    assert (await reviewer.post(f"{path}/approval", json={"version": 3})).status_code == 200
    assert (await who.client.get(partner.url())).status_code == 400, "the old address is gone"
    listed = (await operator.get("/v1/desk/clients")).json()["items"]
    assert [one["version"] for one in listed if one["client_id"] == partner.client_id] == [3]


async def test_another_purpose_is_asked_anew(city: City) -> None:
    partner, who = await register(city), await citizen(city)
    await partner.signed_in(who)
    _, reviewer = await two(city)
    asked = registration(client_id=partner.client_id)
    asked["claims"]["name"]["purpose"] = words("广告", "Advertising")
    version = (await drafted(city, asked)).json()["version"]
    await reviewer.post(f"/v1/desk/clients/{partner.client_id}/approval", json={"version": version})
    assert (await partner.redeem(await agree(who, partner.url()))).status_code == 200


async def test_a_secret_is_shown_once_and_the_last_works_on_for_a_day(city: City) -> None:
    operator, _ = await two(city)
    partner = await register(city)
    path = f"/v1/desk/clients/{partner.client_id}"
    made = (await operator.post(f"{path}/secrets")).json()
    assert made["last_works_s"] == 86_400
    assert made["client_secret"] not in (await operator.get("/v1/desk/clients")).text

    async def works(secret: str) -> bool:
        partner.secret = secret
        return (await partner.post("/oauth/introspect", token="x")).status_code == 200

    first, second = partner.secret, made["client_secret"]
    assert await works(first)
    assert await works(second)
    third = (await operator.post(f"{path}/secrets")).json()["client_secret"]
    async with city.house.db.acquire() as db:
        await db.execute("update identity.client_secret set ends_at = ends_at - interval '1 day'")
        kept = await db.fetchval("select string_agg(hash::text, '') from identity.client_secret")
    assert await works(third)
    partner.secret = second
    assert refused(await partner.token(grant_type="refresh_token"), 401) == "invalid_client"
    assert third not in kept


@pytest.mark.parametrize("persona", ["agent", "citizen", "nobody"])
async def test_only_operators(city: City, persona: str) -> None:
    client = {
        "agent": lambda: city.department("housing_fund"),
        "citizen": lambda: city.newcomer("graduate"),
        "nobody": city.anonymous,
    }[persona]
    who = await client()
    asked = registration()
    path = f"/v1/desk/clients/{asked['client_id']}"
    answers = [
        await who.get("/v1/desk/clients"), await who.put(f"{path}/draft", json=asked),
        await who.post(f"{path}/approval", json={"version": 1}), await who.post(f"{path}/secrets"),
        await who.delete(path),
    ]  # fmt: skip
    assert {got.status_code for got in answers} == {401 if persona == "nobody" else 403}


def keys(*found: Any, private: bool = False) -> dict[str, Any]:
    return {
        "keys": [{"kid": str(n), **one.as_dict(private=private)} for n, one in enumerate(found)]
    }


EC = ECKey.generate_key("P-256")
SMALL = {"kty": "RSA", "kid": "a", "n": b64(b"\xff" * 128), "e": "AQAB"}
JWT: dict[str, Any] = {"auth_method": "private_key_jwt"}
UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"redirect_uris": ["http://partner.example/back"]}, "redirect_uris[0]"),
    ({"redirect_uris": [BACK, "https://*.example/back"]}, "redirect_uris[1]"),
    ({"redirect_uris": ["https://partner.example/back#x"]}, "redirect_uris[0]"),
    ({"redirect_uris": ["https://a@partner.example/back"]}, "redirect_uris[0]"),
    ({"redirect_uris": ["https://partner.example/../back"]}, "redirect_uris[0]"),
    ({"redirect_uris": ["https://partner.example/%2E%2e/back"]}, "redirect_uris[0]"),
    ({"redirect_uris": ["https://PARTNER.example/back"]}, "redirect_uris[0]"),
    ({"redirect_uris": ["https://localhost/back"]}, "redirect_uris[0]"),
    ({"redirect_uris": ["com.example.app:/back"]}, "redirect_uris[0]"),
    ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris[0]"),
    ({"redirect_uris": ["https://partner.example/bäck"]}, "redirect_uris[0]"),
    ({"redirect_uris": [BACK, "https://other.example/back"]}, "sector"),
    ({"post_logout_redirect_uris": ["http://partner.example/"]}, "post_logout_redirect_uris[0]"),
    ({"backchannel_logout_uri": "http://partner.example/out"}, "backchannel_logout_uri"),
    ({"auth_method": "none"}, "auth_method"),
    ({"kind": "public"}, "auth_method"),
    ({"native": True}, "native"),
    (JWT, "jwks"),
    (JWT | {"jwks": {"keys": []}}, "jwks"),
    (JWT | {"jwks": {"keys": ["x"]}}, "jwks"),
    (JWT | {"jwks": keys(EC, private=True)}, "jwks"),
    (JWT | {"jwks": {"keys": [SMALL]}}, "jwks"),
    (JWT | {"jwks": keys(OctKey.generate_key(256))}, "jwks"),
    (JWT | {"jwks": {"keys": [EC.as_dict(private=False) | {"kid": "a"}] * 2}}, "jwks"),
    (JWT | {"jwks": {"keys": [{"kty": "EC", "kid": "a"}]}}, "jwks"),
    ({"jwks": keys(EC)}, "jwks"),
    ({"scopes": ["profile", "phone", "offline_access"]}, "scopes"),
    ({"scopes": ["openid", "openid", "profile", "phone"]}, "scopes"),
    ({"claims": {}}, "claims"),
    ({"scopes": ["openid"]}, "claims"),
    ({"min_level": 1}, "min_level"),
]


@pytest.mark.parametrize(
    ("changes", "field"), UNFIT, ids=[f"{n}-{one[1]}" for n, one in enumerate(UNFIT)]
)
async def test_what_can_not_be_registered(city: City, changes: dict[str, Any], field: str) -> None:
    got = await drafted(city, registration(**changes))
    assert problem(got) == (422, "unfit-client")
    assert field in [one["field"] for one in got.json()["errors"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "Big"}, {"kind": "secret"}, {"owner": ""}, {"name": {"zh-CN": "只有中文"}},
        {"redirect_uris": []}, {"redirect_uris": [BACK] * 21}, {"scopes": ["everything"]},
        {"claims": {"wealth": {"purpose": words("好奇", "Curiosity")}}}, {"min_level": 4},
        {"id_token_alg": "none"}, {"made_up": 1}, {"sector": "Partner.Example"},
        {"claims": {"name": {"purpose": words("", "")}}}, {"owner": "a\x00b"},
    ],
    ids=str,
)  # fmt: skip
async def test_what_can_not_be_read(city: City, changes: dict[str, Any]) -> None:
    got = await drafted(city, registration() | changes)
    assert problem(got) == (400, "bad-request")


async def test_another_client_in_the_address(city: City) -> None:
    operator, _ = await two(city)
    got = await operator.put("/v1/desk/clients/another/draft", json=registration())
    assert problem(got) == (400, "bad-request")
    for path in ("/v1/desk/clients/nobody-knows", "/v1/desk/clients/x"):
        assert (await operator.delete(path)).status_code in {400, 404}
    assert (await operator.post("/v1/desk/clients/nobody-knows/secrets")).status_code == 404
