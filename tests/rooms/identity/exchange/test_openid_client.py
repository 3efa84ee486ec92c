"""The certified library asks, gives back and signs out: npm's openid-client, against a running city."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest_asyncio
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor
from tests.rooms.identity.provider.node import Failed, Library, installed, library
from tests.rooms.identity.provider.steps import Partner, agree, citizen, path_of, register

BYE = "https://partner.example/bye"


@pytest_asyncio.fixture(loop_scope="session")
async def node() -> AsyncGenerator[Library]:
    installed()
    async with library() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def who(city: City) -> Visitor:
    return await citizen(city)


async def signed_in(
    node: Library, partner: Partner, who: Visitor, scope: str = "openid profile"
) -> dict[str, Any]:
    """Tokens, by the library's own flow."""
    await node(
        "configure", issuer=partner.city.url, client_id=partner.client_id,
        method="client_secret_basic", secret=partner.secret,
    )  # fmt: skip
    began = await node("begin", redirect_uri=partner.redirect_uri, scope=scope)
    return await node("finish", url=await agree(who, began["url"]))


async def test_introspection_and_revocation(city: City, node: Library, who: Visitor) -> None:
    partner = await register(city)
    tokens = await signed_in(node, partner, who, "openid profile offline_access")
    for token in (tokens["access_token"], tokens["refresh_token"]):
        said = await node("introspect", token=token)
        assert (said["active"], said["client_id"], said["sub"]) == (
            True, partner.client_id, tokens["claims"]["sub"],
        )  # fmt: skip
    info = await node("userinfo", token=tokens["access_token"], sub=tokens["claims"]["sub"])
    assert info["sub"] == tokens["claims"]["sub"]
    await node("revoke", token=tokens["refresh_token"])
    await node("revoke", token="never given out")
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert await node("introspect", token=token) == {"active": False}
    for command, said in (
        ("refresh", {"token": tokens["refresh_token"]}),
        ("userinfo", {"token": tokens["access_token"], "sub": tokens["claims"]["sub"]}),
    ):
        try:
            await node(command, **said)
        except Failed:
            continue
        raise AssertionError(command)


async def test_logout_ends_here_and_comes_back(city: City, node: Library, who: Visitor) -> None:
    partner = await register(city, post_logout_redirect_uris=[BYE])
    tokens = await signed_in(node, partner, who)
    assert (await node("introspect", token=tokens["access_token"]))["active"]
    built = await node(
        "logout", id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE, state="st-1"
    )
    answer = await who.client.get(path_of(built["url"]))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BYE}?state=st-1")
    page = await who.client.get("/me")
    assert page.headers["location"].startswith("/login")
    assert await node("introspect", token=tokens["access_token"]) == {"active": False}
