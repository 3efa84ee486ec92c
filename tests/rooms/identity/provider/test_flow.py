"""Signing in at a partner, from its link to its tokens."""

from __future__ import annotations

import pytest
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor, visitor
from tests.rooms.identity.provider.steps import (
    Partner,
    agree,
    answer,
    citizen,
    info,
    onward,
    opened,
    own_app,
    path_of,
    refresh,
    register,
    seal,
    straight,
    waiting,
    words,
)

LEVEL: dict[str, dict[str, object]] = {"level": {"purpose": words("核验", "To check")}}


async def test_from_a_link_to_tokens_and_what_they_say(city: City) -> None:
    partner = await register(city)
    who = await citizen(city)
    back = await agree(who, partner.url(scope="openid profile phone"), "phone")
    assert back.startswith("https://partner.example/back?code=")
    said = answer(back)
    assert said["state"] == "the-state"
    assert said["iss"] == city.url
    got = await partner.redeem(back)
    assert got.status_code == 200, got.text
    assert got.headers["cache-control"] == "no-store"
    tokens = got.json()
    assert tokens["token_type"] == "Bearer"
    assert tokens["scope"] == "openid profile phone"
    head, claims = opened(tokens["id_token"])
    assert head["alg"] == "ES256"
    assert claims["iss"] == city.url
    assert claims["aud"] == claims["azp"] == partner.client_id
    assert claims["nonce"] == "the-nonce"
    assert claims["acr"] == "L2"
    assert claims["amr"] == ["otp", "sms"]
    assert {"auth_time", "iat", "exp", "sid", "at_hash"} <= claims.keys()
    head, access = opened(tokens["access_token"])
    assert head["typ"] == "at+jwt"
    assert access["aud"] == f"{city.url}/oauth/userinfo"
    assert access["client_id"] == partner.client_id
    assert access["sub"] == claims["sub"]
    info = await (await city.client(tokens["access_token"])).get("/oauth/userinfo")
    assert info.json().keys() == {
        "sub", "name", "phone_number", "phone_number_verified",
    }  # fmt: skip
    assert info.json()["sub"] == claims["sub"]


async def test_what_was_agreed_to_is_not_asked_again(city: City) -> None:
    partner = await register(city)
    who = await citizen(city)
    await partner.signed_in(who)
    again = await straight(who, partner.url())
    assert (await partner.redeem(again)).status_code == 200
    asked_anew = await waiting(who, partner.url(prompt="consent"))
    assert "市图书馆" in asked_anew[1]
    more = await waiting(who, partner.url(scope="openid profile offline_access"))
    assert "您不在场时的访问" in more[1]


async def log_in(city: City, who: Visitor, persona: str, path: str) -> str:
    """Through the sign-in page to which a request leads; answers where that leads."""
    first = await who.client.get(path)
    assert first.headers["location"] in {
        f"/login?next={path.replace('/', '%2F')}", f"/login?again=1&next={path.replace('/', '%2F')}",
    }  # fmt: skip
    return await who.sign_in((await city.people())[persona]["phone"], path)


async def test_from_nobody_to_the_sign_in_page_and_back(city: City) -> None:
    partner, who = (
        await register(city, min_level=1, scopes=["openid"], claims={}),
        await visitor(city),
    )
    first = await who.client.get(partner.url(scope="openid"))
    path = first.headers["location"]
    assert await log_in(city, who, "graduate", path) == path
    page = await who.get(path)
    assert "办理借书证" in page
    done = await who.post(path, 200, answer="allow", seal=seal(page))
    tokens = (await partner.redeem(onward(done.text))).json()
    assert opened(tokens["id_token"])[1]["acr"] == "L1"


@pytest.mark.parametrize("asked", ["acr_values", "claims", "min_level"])
async def test_a_level_more_in_the_middle_and_back(city: City, asked: str) -> None:
    """The citizen proves who they are, and is asked where they left off."""
    least = 2 if asked == "min_level" else 1
    partner = await register(city, min_level=least, scopes=["openid"], claims={})
    wish = {
        "acr_values": {"acr_values": "L3 L2"},
        "claims": {"claims": '{"id_token": {"acr": {"essential": true, "values": ["L2"]}}}'},
        "min_level": {},
    }[asked]
    persona = {
        "acr_values": "newborn_mother", "claims": "newlywed_wife", "min_level": "newlywed_husband",
    }[asked]  # fmt: skip
    personas = await city.people()
    who = await citizen(city, persona, level=1)
    path, page = await waiting(who, partner.url(scope="openid", **wish))
    assert f"/verify?next={path}" in page.replace("%2F", "/")
    said = answer(await straight(who, partner.url(scope="openid", prompt="none", **wish)))
    assert said["error"] == "interaction_required"
    got = await who.post(path, 400, answer="allow", seal=seal(page))
    assert "code=" not in got.text, "not by the form either"
    app, person = await own_app(city, persona), personas[persona]
    told = {name: person[name] for name in ("name", "id_number")}
    assert (await app.post("/v1/me/verification", json=told)).status_code == 200
    page = await who.get(path)
    done = await who.post(path, 200, answer="allow", seal=seal(page))
    tokens = (await partner.redeem(onward(done.text))).json()
    assert opened(tokens["id_token"])[1]["acr"] == "L2"


async def test_whoever_would_rather_not_goes_back_without(city: City) -> None:
    partner, who = await register(city), await citizen(city)
    said = answer(await agree(who, partner.url(), say="deny"))
    assert (said["error"], said["state"]) == ("access_denied", "the-state")
    low = await citizen(city, "graduate", level=1)
    said = answer(await agree(low, partner.url(acr_values="L3"), say="deny"))
    assert said["error"] == "access_denied"


@pytest.mark.parametrize(
    "asked", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}]
)
async def test_signing_in_anew(city: City, asked: dict[str, str]) -> None:
    """With a word of the citizen's own first, for it signs them out here."""
    partner, who = await register(city), await citizen(city)
    before = opened((await partner.signed_in(who))["id_token"])[1]
    path, page = await waiting(who, partner.url(**asked))
    assert 'value="again"' in page
    got = await who.post(path, 400, answer="allow", seal=seal(page))
    assert "code=" not in got.text, "not without signing in"
    path, page = await waiting(who, partner.url(**asked))
    assert await who.to(path, answer="again", seal=seal(page)) == path
    assert await log_in(city, who, "school_mother", path) == path
    tokens = (await partner.redeem(onward(await who.get(path)))).json()
    after = opened(tokens["id_token"])[1]
    assert after["auth_time"] >= before["auth_time"]
    assert after["sid"] != before["sid"]
    assert after["sub"] == before["sub"]


async def test_a_sign_in_that_is_young_enough_will_do(city: City) -> None:
    partner, who = await register(city), await citizen(city)
    await partner.signed_in(who)
    assert "code" in answer(await straight(who, partner.url(max_age="600")))
    assert "code" in answer(await straight(who, partner.url(max_age="600", prompt="none")))


async def test_an_optional_claim_is_given_or_not_and_can_be_taken_back(city: City) -> None:
    partner, who = await register(city), await citizen(city)
    asked = partner.url(scope="openid profile phone", prompt="consent")
    without = (await partner.redeem(await agree(who, asked))).json()

    async def known(tokens: dict[str, str]) -> set[str]:
        client = await city.client(tokens["access_token"])
        return set((await client.get("/oauth/userinfo")).json())

    assert await known(without) == {"sub", "name"}
    given = (await partner.redeem(await agree(who, asked, "phone"))).json()
    assert "phone_number" in await known(given)
    _, page = await waiting(who, asked)
    assert 'value="phone" checked' in page
    later = (await partner.redeem(await agree(who, asked))).json()
    assert await known(later) == {"sub", "name"}
    assert await info(city, given["access_token"]) == 401, "what had been given is over"


async def test_what_is_given_leaves_a_line_that_the_citizen_sees(city: City) -> None:
    partner, who = await register(city), await citizen(city)
    tokens = await partner.signed_in(who)
    assert await info(city, tokens["access_token"]) == 200
    lines = (await (await own_app(city)).get("/v1/me/accesses")).json()["items"]
    own = [line for line in lines if line["reader"] == f"client:{partner.client_id}"]
    assert any("name" in line["claims"] for line in own), lines


async def test_what_one_claim_is_asked_for_by_name(city: City) -> None:
    partner, who = (
        await register(city, scopes=["openid", "level"], claims=LEVEL),
        await citizen(city),
    )
    back = await agree(
        who, partner.url(scope="openid", claims='{"userinfo": {"level": null, "x": null}}')
    )
    tokens = (await partner.redeem(back)).json()
    client = await city.client(tokens["access_token"])
    assert (await client.get("/oauth/userinfo")).json()["level"] == "L2"


async def test_a_query_in_the_registered_address_is_kept(city: City) -> None:
    partner = await register(city, redirect_uris=["https://partner.example/back?kind=city"])
    back = await agree(await citizen(city, "newborn_father"), partner.url())
    assert back.startswith("https://partner.example/back?kind=city&code=")
    assert (await partner.redeem(back)).status_code == 200


async def test_the_page_is_in_the_language_that_the_client_wishes(city: City) -> None:
    partner = await register(city)
    who = Visitor(city, await city.client(lang="en"))
    await who.sign_in((await city.people())["graduate"]["phone"])
    first = await who.client.get(path_of(partner.url(ui_locales="zh-CN en")))
    assert first.headers["location"].endswith("?lang=zh-CN")
    assert "市图书馆" in await who.get(first.headers["location"])
    chosen = await who.client.get(path_of(partner.url(ui_locales="en")))
    assert "lang=" not in chosen.headers["location"], "they have chosen by now"


async def test_keys_of_id_tokens_are_where_discovery_says(city: City) -> None:
    client = await city.anonymous()
    first = await client.get("/.well-known/openid-configuration")
    second = await client.get("/.well-known/oauth-authorization-server")
    assert first.json() == second.json()
    assert first.headers["cache-control"] == "max-age=300, public"
    found = first.json()
    for name in [one for one in found if one.endswith("_endpoint")] + ["jwks_uri"]:
        path = found[name].removeprefix(city.url)
        assert (await client.get(path)).status_code != 404, name
    partner: Partner = await register(city)
    tokens = await partner.signed_in(await citizen(city, "newborn_father"))
    kids = [key["kid"] for key in (await client.get(found["jwks_uri"])).json()["keys"]]
    assert opened(tokens["id_token"])[0]["kid"] in kids
    assert (await refresh(partner, tokens["refresh_token"])).json()["id_token"]
