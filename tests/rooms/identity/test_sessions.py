"""Sessions: how they are renewed, how they end, and that a copied token gives itself away."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.city import City
from tests.rooms.identity.steps import new_phone, pair_for, problem, refreshed

from civicmall import identity
from civicmall.identity import Tokens
from civicmall.identity.rules import ACCESS_S, GRACE_S
from civicmall.kernel import ids
from civicmall.kernel.clock import Clock


class Ahead(Clock):
    """A clock that goes too fast by so much."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> Any:
        return super().now() + self._by


def _tokens(city: City) -> Tokens:
    found: Tokens = city.parts.tokens
    return found


def elsewhere(city: City) -> Tokens:
    """The tokens of another process of this installation."""
    return Tokens(city.house.keys, city.settings.public_url, city.house.clock)


async def after_grace(city: City, refresh_token: str) -> None:
    """Let the time pass in which parallel requests may still bring the last refresh token."""
    session, _ = _tokens(city).read_refresh(refresh_token)
    await city.house.db.execute(
        "update identity.session set rotated_at = now() - make_interval(secs => $3)"
        " where bucket = $1 and id = $2",
        *(ids.bucket_of(session), session, GRACE_S + 1),
    )


async def test_an_expired_token_is_called_so_and_renewed(city: City) -> None:
    pair = await pair_for(city)
    who = _tokens(city).check(pair["access_token"])
    past = Tokens(
        city.house.keys, city.settings.public_url, Ahead(timedelta(seconds=-ACCESS_S - 1))
    )
    late = await city.client(past.access(who))
    answer = await late.get("/v1/me")
    assert problem(answer) == (401, "token-expired")
    assert answer.headers["www-authenticate"].startswith("Bearer")

    fresh = (await refreshed(await city.anonymous(), pair["refresh_token"])).json()
    assert (await (await city.client(fresh["access_token"])).get("/v1/me")).status_code == 200


async def test_without_a_token_one_is_asked_to_sign_in(city: City) -> None:
    nobody = await city.anonymous()
    assert problem(await nobody.get("/v1/me")) == (401, "sign-in-needed")
    for said in ("Basic dTpw", "Bearer"):
        answer = await nobody.get("/v1/me", headers={"authorization": said})
        assert answer.status_code == 401
    basic = await nobody.get("/v1/me", headers={"authorization": "Basic dTpw"})
    assert basic.json()["reason"] == "scheme"
    garbage = await nobody.get("/v1/me", headers={"authorization": "Bearer x.y.z"})
    assert (problem(garbage), garbage.json()["reason"]) == ((401, "token-invalid"), "signature")


async def test_a_refresh_token_works_once_and_gives_the_next(city: City) -> None:
    nobody = await city.anonymous()
    pair = await pair_for(city)
    for _ in range(3):
        answer = await refreshed(nobody, pair["refresh_token"])
        assert answer.status_code == 200, answer.text
        assert answer.json()["refresh_token"] != pair["refresh_token"]
        pair = answer.json()
        client = await city.client(pair["access_token"])
        assert (await client.get("/v1/me")).status_code == 200


async def test_a_pages_parallel_requests_all_get_a_working_pair(city: City) -> None:
    nobody = await city.anonymous()
    pair = await pair_for(city)
    answers = await asyncio.gather(*(refreshed(nobody, pair["refresh_token"]) for _ in range(6)))
    assert [a.status_code for a in answers] == [200] * 6
    assert len({a.json()["refresh_token"] for a in answers}) == 1  # one session, one next step
    for answer in answers:
        client = await city.client(answer.json()["access_token"])
        assert (await client.get("/v1/me")).status_code == 200
    following = await refreshed(nobody, answers[0].json()["refresh_token"])
    assert following.status_code == 200


async def test_a_copy_used_later_ends_the_session_for_everybody(city: City) -> None:
    nobody = await city.anonymous()
    pair = await pair_for(city)
    second = (await refreshed(nobody, pair["refresh_token"])).json()
    mine = await city.client(second["access_token"])
    assert (await mine.get("/v1/me")).status_code == 200
    await after_grace(city, pair["refresh_token"])

    assert problem(await refreshed(nobody, pair["refresh_token"])) == (401, "refresh-reused")
    for token in (pair["access_token"], second["access_token"]):
        answer = await (await city.client(token)).get("/v1/me")
        assert (problem(answer), answer.json()["reason"]) == (
            (401, "token-invalid"), "session-ended",
        )  # fmt: skip
    for token in (pair["refresh_token"], second["refresh_token"]):
        answer = await refreshed(nobody, token)
        assert (problem(answer), answer.json()["reason"]) == (
            (401, "token-invalid"), "session-ended",
        )  # fmt: skip


async def test_two_steps_back_is_a_copy_even_at_once(city: City) -> None:
    nobody = await city.anonymous()
    first = await pair_for(city)
    second = (await refreshed(nobody, first["refresh_token"])).json()
    await refreshed(nobody, second["refresh_token"])
    assert problem(await refreshed(nobody, first["refresh_token"])) == (401, "refresh-reused")


@pytest.mark.parametrize(("token", "reason"), [("x", "form"), ("A" * 48, "signature")])
async def test_a_made_up_refresh_token(city: City, token: str, reason: str) -> None:
    answer = await refreshed(await city.anonymous(), token)
    assert (problem(answer), answer.json()["reason"]) == ((401, "token-invalid"), reason)


async def test_signing_out_ends_access_at_once_and_soon_in_every_process(city: City) -> None:
    other = elsewhere(city)
    pair = await pair_for(city)
    client = await city.client(pair["access_token"])
    assert (await client.delete("/v1/me/session")).status_code == 204
    answer = await client.get("/v1/me")
    assert (problem(answer), answer.json()["reason"]) == ((401, "token-invalid"), "session-ended")
    assert problem(await refreshed(client, pair["refresh_token"])) == (401, "token-invalid")

    other.check(pair["access_token"])  # the other has not heard of it yet
    await identity.learn_ended(city.house, other)
    with pytest.raises(identity.TokenInvalid):
        other.check(pair["access_token"])
    beat = next(j for j in city.parts.jobs if j.name == "identity.ended")
    assert beat.every_s <= 2


async def test_devices_are_listed_and_signed_out_one_by_one(city: City) -> None:
    phone = new_phone()
    first, second = [await pair_for(city, phone) for _ in range(2)]
    client = await city.client(first["access_token"])
    items = (await client.get("/v1/me/sessions")).json()["items"]
    assert [i["device"] for i in items] == ["a phone"] * 2
    newest = items[0]["id"]
    assert newest == str(_tokens(city).check(second["access_token"]).session_id)

    assert (await client.delete(f"/v1/me/sessions/{newest}")).status_code == 204
    assert (await client.delete(f"/v1/me/sessions/{newest}")).status_code == 204
    gone = await (await city.client(second["access_token"])).get("/v1/me")
    assert problem(gone) == (401, "token-invalid")
    assert len((await client.get("/v1/me/sessions")).json()["items"]) == 1


async def test_nobody_ends_somebody_elses_session(city: City) -> None:
    theirs = await pair_for(city)
    session = _tokens(city).check(theirs["access_token"]).session_id
    client = await city.client((await pair_for(city))["access_token"])
    assert (await client.delete(f"/v1/me/sessions/{session}")).status_code == 204
    them = await city.client(theirs["access_token"])
    assert (await them.get("/v1/me")).status_code == 200


async def test_keys_are_published(city: City) -> None:
    answer = await (await city.anonymous()).get("/.well-known/jwks.json")
    key, rsa, shops = answer.json()["keys"]
    assert (rsa["kty"], rsa["alg"], rsa["use"]) == ("RSA", "RS256", "sig")
    assert (key["kty"], key["crv"], key["use"]) == ("EC", "P-256", "sig")
    assert (shops["kty"], shops["crv"], shops["kid"]) == ("OKP", "Ed25519", "shops-1")
    assert not any("d" in one for one in (key, rsa, shops))


async def test_a_session_whose_time_is_over_is_not_renewed_and_forgotten(city: City) -> None:
    pair = await pair_for(city)
    session, _ = _tokens(city).read_refresh(pair["refresh_token"])
    where = (ids.bucket_of(session), session)
    for days, kept in ((1, 1), (31, 0)):
        await city.house.db.execute(
            "update identity.session set expires_at = now() - make_interval(days => $3)"
            " where bucket = $1 and id = $2",
            *(*where, days),
        )
        answer = await refreshed(await city.anonymous(), pair["refresh_token"])
        assert problem(answer) == (401, "token-invalid")
        await identity.forget(city.house)
        left = await city.house.db.fetchval(
            "select count(*) from identity.session where bucket = $1 and id = $2", *where
        )
        assert left == kept


def test_a_pair_has_the_form_of_the_standard() -> None:
    found = msgspec.to_builtins(identity.TokenPair("a", "r", 1))
    assert found == {
        "access_token": "a", "refresh_token": "r", "expires_in": 1, "token_type": "Bearer",
    }  # fmt: skip
