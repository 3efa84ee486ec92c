"""Codes, proof keys and refresh tokens: each attack has a test that it fails (RFC 6819, RFC 9700)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor
from tests.rooms.identity.provider.steps import (
    BACK,
    VERIFIER,
    Partner,
    answer,
    citizen,
    code,
    info,
    opened,
    own_app,
    refresh,
    refused,
    register,
    s256,
    straight,
)

from civicmall.identity import provider


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def who(city: City) -> Visitor:
    return await citizen(city)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def partner(city: City) -> Partner:
    return await register(city)


# Codes


async def test_a_code_that_is_replayed_ends_what_came_of_it(
    city: City, who: Visitor, partner: Partner
) -> None:
    back = await code(who, partner)
    tokens = (await partner.redeem(back)).json()
    assert await info(city, tokens["access_token"]) == 200
    assert refused(await partner.redeem(back)) == "invalid_grant"
    assert await info(city, tokens["access_token"]) == 401
    refreshed = await partner.token(
        grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    assert refused(refreshed) == "invalid_grant"


async def test_of_many_who_bring_one_code_at_once_nobody_keeps_tokens(
    city: City, who: Visitor, partner: Partner
) -> None:
    back = await code(who, partner)
    answers = await asyncio.gather(*(partner.redeem(back) for _ in range(8)))
    got = [one.json() for one in answers if one.status_code == 200]
    assert len(got) == 1
    assert await info(city, got[0]["access_token"]) == 401


async def test_a_code_of_another_client_is_worth_nothing_to_both(
    city: City, who: Visitor, partner: Partner
) -> None:
    back = await code(who, partner)
    thief = await register(city)
    assert refused(await thief.redeem(back)) == "invalid_grant"
    assert refused(await partner.redeem(back)) == "invalid_grant", "it was tried once"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": BACK + "/"},
        {"code_verifier": VERIFIER + "x"},
        {"code_verifier": s256(VERIFIER)},  # the challenge is no secret
    ],
)
async def test_a_code_with_another_address_or_verifier(
    who: Visitor, partner: Partner, changes: dict[str, str]
) -> None:
    back = await code(who, partner)
    assert refused(await partner.redeem(back, **changes)) == "invalid_grant"
    assert refused(await partner.redeem(back)) == "invalid_grant", "it was tried once"


async def test_a_code_that_is_over(city: City, who: Visitor, partner: Partner) -> None:
    back = await code(who, partner)
    content = provider.handles.read(city.house.keys, "code", answer(back)["code"])
    async with city.house.db.acquire() as db:
        await db.execute(
            "update identity.auth_code set expires_at = now() - interval '1 s' where id = $1",
            UUID(bytes=content),
        )
    assert refused(await partner.redeem(back)) == "invalid_grant"


async def test_a_code_whose_session_or_consent_ended_meanwhile(
    city: City, partner: Partner
) -> None:
    somebody = await citizen(city)
    back = await code(somebody, partner)
    await somebody.post("/logout")
    assert refused(await partner.redeem(back)) == "invalid_grant"
    somebody = await citizen(city)
    back = await code(somebody, partner)
    gone = await (await own_app(city)).delete(f"/v1/me/client-consents/{partner.client_id}")
    assert gone.status_code == 204
    assert refused(await partner.redeem(back)) == "invalid_grant"


async def test_handles_are_for_one_use_and_nobody_makes_them(
    city: City, who: Visitor, partner: Partner
) -> None:
    tokens = await partner.signed_in(who, prompt="consent")
    back = await code(who, partner)
    good = answer(back)["code"]
    for bad in (tokens["refresh_token"], good[:-1], good + "A", "A" * len(good), good.lower(), "é"):
        swapped = await partner.redeem(back, code=bad)
        assert refused(swapped) == "invalid_grant"
    as_refresh = await partner.token(grant_type="refresh_token", refresh_token=good)
    assert refused(as_refresh) == "invalid_grant"
    assert (await partner.redeem(back)).status_code == 200, "the right one was not touched"


# PKCE


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
        {"code_challenge": VERIFIER, "code_challenge_method": None},
        {"code_challenge_method": "s256"},
        {"code_challenge": "short"},
        {"code_challenge": s256(VERIFIER) + "="},
    ],
)
async def test_pkce_is_never_left_out_nor_plain(
    who: Visitor, partner: Partner, changes: dict[str, Any]
) -> None:
    said = answer(await straight(who, partner.url(**changes)))
    assert said["error"] == "invalid_request"
    assert "code" not in said


async def test_pkce_is_not_left_out_when_the_code_is_brought(
    who: Visitor, partner: Partner
) -> None:
    back = await code(who, partner)
    assert refused(await partner.redeem(back, code_verifier=None)) == "invalid_request"
    assert refused(await partner.redeem(back, code_verifier="short")) == "invalid_request"


# Refresh tokens


async def test_a_refresh_token_of_another_client(
    city: City, who: Visitor, partner: Partner
) -> None:
    tokens = await partner.signed_in(who, prompt="consent")
    thief = await register(city)
    assert refused(await refresh(thief, tokens["refresh_token"])) == "invalid_grant"
    assert (await refresh(partner, tokens["refresh_token"])).status_code == 200


async def test_a_scope_only_ever_gets_less(who: Visitor, partner: Partner) -> None:
    tokens = await partner.signed_in(who, prompt="consent")
    more = await refresh(partner, tokens["refresh_token"], scope="openid profile phone")
    assert refused(more) == "invalid_scope"
    less = await refresh(partner, tokens["refresh_token"], scope="openid")
    assert less.json()["scope"] == "openid"
    assert opened(less.json()["access_token"])[1]["claims"] == []


async def test_a_lost_answer_is_not_a_theft(city: City, who: Visitor, partner: Partner) -> None:
    """The same refresh token twice within seconds: a client that lost the answer asks again."""
    tokens = await partner.signed_in(who, prompt="consent")
    first, second = await asyncio.gather(*(refresh(partner, tokens["refresh_token"]) for _ in "ab"))
    assert first.status_code == second.status_code == 200
    assert await info(city, second.json()["access_token"]) == 200


async def test_a_refresh_token_that_is_copied_ends_the_family(
    city: City, who: Visitor, partner: Partner
) -> None:
    tokens = await partner.signed_in(who, prompt="consent")
    newer = (await refresh(partner, tokens["refresh_token"])).json()
    async with city.house.db.acquire() as db:
        await db.execute("update identity.grant_ set rotated_at = rotated_at - interval '1 minute'")
    assert refused(await refresh(partner, tokens["refresh_token"])) == "invalid_grant"
    assert refused(await refresh(partner, newer["refresh_token"])) == "invalid_grant"
    assert await info(city, newer["access_token"]) == 401


async def test_a_grant_ends_with_its_session_unless_it_is_offline(
    city: City, partner: Partner
) -> None:
    somebody = await citizen(city)
    online = await partner.signed_in(somebody, prompt="consent")
    offline = await partner.signed_in(
        somebody, prompt="consent", scope="openid profile offline_access"
    )
    await somebody.post("/logout")
    assert refused(await refresh(partner, online["refresh_token"])) == "invalid_grant"
    assert await info(city, online["access_token"]) == 401
    still = await refresh(partner, offline["refresh_token"])
    assert still.status_code == 200
    assert await info(city, still.json()["access_token"]) == 200


async def test_a_grant_ends_on_its_day_whatever_is_done(
    city: City, who: Visitor, partner: Partner
) -> None:
    """Refreshing carries nothing on: the day was set when the code was brought."""
    tokens = await partner.signed_in(who, prompt="consent", scope="openid profile offline_access")
    at = "select max(expires_at) from identity.grant_"
    before = await city.house.db.fetchval(at)
    tokens = (await refresh(partner, tokens["refresh_token"])).json()
    assert await city.house.db.fetchval(at) == before
    await city.house.db.execute("update identity.grant_ set expires_at = now()")
    assert refused(await refresh(partner, tokens["refresh_token"])) == "invalid_grant"


async def test_a_consent_taken_back_ends_everything(city: City, who: Visitor) -> None:
    partner = await register(city)
    tokens = await partner.signed_in(who, scope="openid profile offline_access")
    gone = await (await own_app(city)).delete(f"/v1/me/client-consents/{partner.client_id}")
    assert gone.status_code == 204
    assert await info(city, tokens["access_token"]) == 401
    assert refused(await refresh(partner, tokens["refresh_token"])) == "invalid_grant"
    said = answer(await straight(who, partner.url(prompt="none")))
    assert said["error"] == "consent_required"
