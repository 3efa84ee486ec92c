"""What is tried through a citizen's browser: each attack has a test that it fails (RFC 9700)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor
from tests.rooms.identity.provider.steps import (
    BACK,
    Partner,
    agree,
    answer,
    citizen,
    code,
    onward,
    opened,
    refused,
    register,
    seal,
    straight,
    waiting,
)

from civicmall.identity import Caller, account
from civicmall.identity.models import Actor


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def who(city: City) -> Visitor:
    return await citizen(city)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def partner(city: City) -> Partner:
    return await register(city)


# Where answers go


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/back", "https://partner.example/", "https://partner.example/back/",
        "https://partner.example/back#x", "https://partner.example/back?x=1",
        "https://partner.example/back/../evil", "https://partner.example/%2e%2e/back",
        "https://partner.example//back", "https://partner.example/Back",
        "https://PARTNER.example/back", "HTTPS://partner.example/back",
        "http://partner.example/back", "https://partner.example:443/back",
        "https://partner.example@evil.example/back", "https://evil@partner.example/back",
        "https://partner.example.evil.example/back", "https://partner.example%00.evil.example/back",
        "https://pаrtner.example/back", "https://partner.example\\@evil.example/back",
        "//partner.example/back", "javascript:alert(1)", "data:text/html,x", "/back",
        " https://partner.example/back", "https://partner.example/back\t", "",
    ],
)  # fmt: skip
async def test_no_answer_goes_anywhere_else(who: Visitor, partner: Partner, address: str) -> None:
    got = await who.client.get(partner.url(redirect_uri=address))
    assert got.status_code == 400
    assert "location" not in got.headers
    assert "https:" not in got.text, "nor does the page lead there"


async def test_a_loopback_port_is_free_for_native_apps_alone(city: City, who: Visitor) -> None:
    there = {"redirect_uris": ["http://127.0.0.1/back"]}
    public = {"kind": "public", "auth_method": "none"}
    app = await register(city, **there, **public, native=True)
    back = await agree(who, app.url(redirect_uri="http://127.0.0.1:51004/back"))
    assert back.startswith("http://127.0.0.1:51004/back?code=")
    got = await app.redeem(back, redirect_uri="http://127.0.0.1:51005/back")
    assert refused(got) == "invalid_grant", "the code is of the very address"
    for wrong in ("http://127.0.0.1:51004/other", "http://localhost:51004/back",
                  "http://127.0.0.2:51004/back", "https://127.0.0.1:51004/back",
                  "http://127.0.0.1:99999/back", "http://127.0.0.1:/back",
                  "http://127.0.0.1:51004@evil.example/back"):  # fmt: skip
        assert (await who.client.get(app.url(redirect_uri=wrong))).status_code == 400, wrong
    page = await register(city, **there, **public)
    other_port = page.url(redirect_uri="http://127.0.0.1:51004/back")
    assert (await who.client.get(other_port)).status_code == 400


async def test_a_native_app_is_asked_about_each_time(city: City, who: Visitor) -> None:
    app = await register(
        city,
        redirect_uris=["com.example.app:/back"],
        kind="public",
        auth_method="none",
        native=True,
    )
    back = await agree(who, app.url())
    assert back.startswith("com.example.app:/back?code=")
    assert (await app.redeem(back)).status_code == 200
    await waiting(who, app.url())
    said = answer(await straight(who, app.url(prompt="none")))
    assert said["error"] == "consent_required"


async def test_every_answer_says_whose_it_is(city: City, who: Visitor, partner: Partner) -> None:
    """A client of several servers can tell them apart (mix-up, RFC 9207)."""
    good = answer(await code(who, partner))
    bad = answer(await straight(who, partner.url(response_type="token")))
    assert good["iss"] == bad["iss"] == city.url
    found = (await who.client.get("/.well-known/openid-configuration")).json()
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["issuer"] == city.url


# The question


async def test_another_site_can_not_answer_for_the_citizen(who: Visitor, partner: Partner) -> None:
    path, page = await waiting(who, partner.url(prompt="consent"))
    form = {"answer": "allow", "seal": seal(page)}
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        got = await who.client.post(path, data=form, headers=headers)
        assert got.status_code == 403
    assert (await who.client.get(path)).status_code == 200, "it is still open"


@pytest.mark.parametrize("forged", ["", "0" * 64, "é"])
async def test_a_form_without_its_seal(who: Visitor, partner: Partner, forged: str) -> None:
    path, _ = await waiting(who, partner.url(prompt="consent"))
    got = await who.post(path, 400, answer="allow", seal=forged)
    assert "code=" not in got.text


async def test_an_answer_can_not_be_swapped_between_tabs(
    city: City, who: Visitor, partner: Partner
) -> None:
    other = await register(city, name={"zh-CN": "另一个应用", "en": "Another"})
    _, page = await waiting(who, partner.url(prompt="consent"))
    path, other_page = await waiting(who, other.url(prompt="consent"))
    got = await who.post(path, 400, answer="allow", seal=seal(page))
    assert "code=" not in got.text
    assert (await who.post(path, 200, answer="allow", seal=seal(other_page))).status_code == 200


async def test_an_answer_is_given_once(who: Visitor, partner: Partner) -> None:
    path, page = await waiting(who, partner.url(prompt="consent"))
    await who.post(path, 200, answer="allow", seal=seal(page))
    again = await who.post(path, 400, answer="allow", seal=seal(page))
    assert "code=" not in again.text
    assert (await who.client.get(path)).status_code == 400


async def test_a_question_is_answered_where_it_was_asked(
    city: City, who: Visitor, partner: Partner
) -> None:
    """Neither in another's browser, nor after somebody else has signed in."""
    path, page = await waiting(who, partner.url(prompt="consent"))
    stranger = await citizen(city, "graduate")
    assert (await stranger.client.get(path)).status_code == 400
    await stranger.post(path, 400, answer="allow", seal=seal(page))
    for cookie in who.client.cookies.jar:
        if cookie.name == "cm_oauth":
            stranger.client.cookies.set("cm_oauth", cookie.value or "")
    await stranger.post(path, 400, answer="allow", seal=seal(page))


async def test_what_is_asked_is_what_is_agreed_to(city: City, who: Visitor) -> None:
    """A tick more in the form gives nothing that wasn't asked for."""
    partner = await register(city)
    back = await agree(who, partner.url(scope="openid profile"), "phone", "id_number", "sign_in")
    tokens = (await partner.redeem(back)).json()
    found = (await (await city.client(tokens["access_token"])).get("/oauth/userinfo")).json()
    assert found.keys() == {"sub", "name"}


async def test_nobody_can_frame_the_question(who: Visitor, partner: Partner) -> None:
    path, _ = await waiting(who, partner.url(prompt="consent"))
    got = await who.client.get(path)
    assert got.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in got.headers["content-security-policy"]
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["referrer-policy"] == "same-origin"


async def test_a_code_never_waits_in_a_page_that_a_script_of_ours_could_leak(
    who: Visitor, partner: Partner
) -> None:
    """The way on is escaped, and the state of somebody hostile stays text."""
    hostile = '"><script>alert(1)</script>'
    path, page = await waiting(who, partner.url(prompt="consent", state=hostile))
    done = await who.post(path, 200, answer="deny", seal=seal(page))
    assert "<script>alert" not in done.text
    said = answer(onward(done.text))
    assert said["state"] == hostile
    assert said["error"] == "access_denied"


# Pushed requests


async def push(partner: Partner, **changes: Any) -> str:
    got = await partner.post("/oauth/par", **partner.parameters(**changes))
    assert got.status_code == 201, got.text
    assert got.json()["expires_in"] == 90
    uri: str = got.json()["request_uri"]
    return uri


async def test_a_pushed_request_is_used_once_by_its_own_client(
    city: City, who: Visitor, partner: Partner
) -> None:
    uri = await push(partner, prompt="consent")
    thief = await register(city)
    stolen = f"/oauth/authorize?client_id={thief.client_id}&request_uri={uri}"
    assert (await who.client.get(stolen)).status_code == 400
    own = f"/oauth/authorize?client_id={partner.client_id}&request_uri={uri}"
    back = await agree(who, own)
    assert answer(back)["state"] == "the-state"
    assert (await partner.redeem(back)).status_code == 200
    assert (await who.client.get(own)).status_code == 400


async def test_a_pushed_request_that_is_over(city: City, who: Visitor, partner: Partner) -> None:
    uri = await push(partner)
    async with city.house.db.acquire() as db:
        await db.execute("update identity.par set expires_at = now() - interval '1 s'")
    own = f"/oauth/authorize?client_id={partner.client_id}&request_uri={uri}"
    assert (await who.client.get(own)).status_code == 400


async def test_what_stands_beside_a_pushed_request_does_not_count(
    who: Visitor, partner: Partner
) -> None:
    uri = await push(partner, prompt="consent", state="pushed")
    beside = partner.url(request_uri=uri, redirect_uri="https://evil.example/", state="beside")
    back = await agree(who, beside)
    assert back.startswith(BACK)
    assert answer(back)["state"] == "pushed"


async def test_a_client_that_must_push_can_not_do_without(city: City, who: Visitor) -> None:
    partner = await register(city, par_required=True)
    said = answer(await straight(who, partner.url()))
    assert said["error"] == "invalid_request"
    uri = await push(partner)
    await waiting(who, f"/oauth/authorize?client_id={partner.client_id}&request_uri={uri}")


# Acting for others


async def test_nobody_signs_in_elsewhere_as_somebody_else(city: City, partner: Partner) -> None:
    """A token to act with signs nobody in: whoever acts is themselves, or nobody."""
    graduate = await citizen(city, "graduate")
    before = await partner.signed_in(graduate, prompt="consent")
    own = opened(before["id_token"])[1]["sub"]
    mother = await account(city.house, (await city.people())["school_mother"]["phone"])
    me = city.parts.tokens.check(graduate.client.cookies["cm_access"])
    actor = Actor(me.citizen_id, uuid4(), frozenset({"view", "apply", "pay"}))
    acting = Caller(mother, me.session_id, 2, actor=actor)
    graduate.client.cookies.delete("cm_access")
    graduate.client.cookies.set("cm_access", city.parts.tokens.access(acting))
    got = await partner.redeem(await straight(graduate, partner.url(prompt="none")))
    assert opened(got.json()["id_token"])[1]["sub"] == own, "by their own refresh token"
    graduate.client.cookies.delete("cm_access")
    graduate.client.cookies.delete("cm_refresh")
    graduate.client.cookies.set("cm_access", city.parts.tokens.access(acting))
    said = answer(await straight(graduate, partner.url(prompt="none")))
    assert said["error"] == "login_required"
    first = await graduate.client.get(partner.url())
    page = await graduate.client.get(first.headers["location"])
    assert page.headers["location"].startswith("/login")
