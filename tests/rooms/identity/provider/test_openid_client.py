"""A certified library signs citizens in: npm's openid-client, against a running city."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from joserfc.jwk import ECKey, RSAKey
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor
from tests.rooms.identity.provider.node import Failed, Library, installed, library
from tests.rooms.identity.provider.steps import Partner, agree, citizen, register, straight


@pytest_asyncio.fixture(loop_scope="session")
async def node() -> AsyncGenerator[Library]:
    installed()
    async with library() as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def who(city: City) -> Visitor:
    return await citizen(city)


async def configured(node: Library, partner: Partner, method: str, **said: Any) -> dict[str, Any]:
    return await node(
        "configure", issuer=partner.city.url, client_id=partner.client_id, method=method,
        secret=partner.secret, **said,
    )  # fmt: skip


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
async def test_code_and_pkce(city: City, node: Library, who: Visitor, method: str) -> None:
    kind = "public" if method == "none" else "confidential"
    partner = await register(city, auth_method=method, kind=kind)
    await configured(node, partner, method)
    began = await node("begin", redirect_uri=partner.redirect_uri, scope="openid profile phone")
    tokens = await node("finish", url=await agree(who, began["url"], "phone"))
    claims = tokens["claims"]
    assert claims["nonce"] == began["expectedNonce"]
    assert claims["acr"] == "L2"
    info = await node("userinfo", token=tokens["access_token"], sub=claims["sub"])
    assert info["phone_number"].startswith("+861")
    assert info["name"] == (await city.people())["school_mother"]["name"]


@pytest.mark.parametrize("kind", [ECKey, RSAKey])
async def test_private_key_jwt(
    city: City, node: Library, who: Visitor, kind: type[ECKey | RSAKey]
) -> None:
    size: Any = "P-256" if kind is ECKey else 2048
    algorithm = "ES256" if kind is ECKey else "RS256"
    key = kind.generate_key(size, {"kid": "mine", "alg": algorithm})
    partner = await register(
        city, auth_method="private_key_jwt", jwks={"keys": [key.as_dict(private=False)]}
    )
    await configured(node, partner, "private_key_jwt", jwk=key.as_dict(private=True))
    began = await node(
        "begin", redirect_uri=partner.redirect_uri, scope="openid profile", push=True
    )
    assert "request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A" in began["url"]
    assert "nonce" not in began["url"]
    tokens = await node("finish", url=await agree(who, began["url"]))
    assert tokens["claims"]["aud"] == partner.client_id


async def test_a_client_that_knows_only_rs256(city: City, node: Library, who: Visitor) -> None:
    partner = await register(city, id_token_alg="RS256")
    await configured(node, partner, "client_secret_basic", algorithm="RS256")
    began = await node("begin", redirect_uri=partner.redirect_uri, scope="openid")
    assert (await node("finish", url=await agree(who, began["url"])))["claims"]["sub"]


async def test_refresh_rotates_and_the_old_one_ends_it_all(
    city: City, node: Library, who: Visitor
) -> None:
    partner = await register(city)
    await configured(node, partner, "client_secret_basic")
    began = await node("begin", redirect_uri=partner.redirect_uri, scope="openid profile")
    first = await node("finish", url=await agree(who, began["url"]))
    second = await node("refresh", token=first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert second["claims"]["sub"] == first["claims"]["sub"]
    third = await node("refresh", token=second["refresh_token"], scope="openid")
    assert third["scope"] == "openid"
    with pytest.raises(Failed, match="invalid_grant"):
        await node("refresh", token=first["refresh_token"])
    with pytest.raises(Failed, match="invalid_grant"):
        await node("refresh", token=third["refresh_token"])
    with pytest.raises(Failed):
        await node("userinfo", token=third["access_token"], sub=first["claims"]["sub"])


async def test_silently_and_not(city: City, node: Library, who: Visitor) -> None:
    partner = await register(city)
    await configured(node, partner, "client_secret_basic")
    asked = {"redirect_uri": partner.redirect_uri, "scope": "openid profile"}
    began = await node("begin", **asked, prompt="none")
    with pytest.raises(Failed, match="consent_required"):
        await node("finish", url=await straight(who, began["url"]))
    began = await node("begin", **asked, max_age="3600")
    first = await node("finish", url=await agree(who, began["url"]))
    began = await node("begin", **asked, prompt="none", id_token_hint=first["id_token"])
    again = await node("finish", url=await straight(who, began["url"]))
    assert again["claims"]["sub"] == first["claims"]["sub"]
    assert again["claims"]["auth_time"] == first["claims"]["auth_time"]


async def test_as_a_plain_oauth_server_it_is_found_too(city: City, node: Library) -> None:
    partner = await register(city)
    found = await configured(node, partner, "client_secret_basic", oauth=True)
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"]
