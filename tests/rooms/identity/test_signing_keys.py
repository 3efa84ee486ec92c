"""Signing keys in generations: seen before they sign, gone when what they signed is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from tests.citizens import caller
from tests.city import City

from civicmall import identity
from civicmall.identity import Caller, TokenInvalid, Tokens
from civicmall.kernel import ids
from civicmall.kernel.clock import Clock
from civicmall.kernel.house import House

KEPT_S = 300
"""How long somebody may keep our keys, as the answer says."""


class Later(Clock):
    """The time, and some."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead.total_seconds()


def tokens_of(house: House) -> tuple[Tokens, Later]:
    """A process of its own."""
    clock = Later()
    return Tokens(house.keys, house.settings.public_url, clock), clock


def citizen() -> Caller:
    return caller(ids.new(7))


def key_set(found: Any) -> KeySet:
    """As others import it."""
    return KeySet.import_key_set(found)


def kids(tokens: Tokens) -> set[str]:
    return {key["kid"] for key in tokens.jwks()["keys"]}


async def test_a_rotation_that_nobody_notices(house: House) -> None:
    here, clock = tokens_of(house)
    elsewhere, its_clock = tokens_of(house)
    for one in (here, elsewhere):
        await identity.learn_keys(house, one)
    before = here.access(citizen())
    old, seen = here.signing.kid(), here.jwks()
    made = await identity.new_signing_key(house.db, house.keys, at_once=False)
    await identity.learn_keys(house, here)
    assert here.signing.kid() == old, "published, and not in use"
    assert len(kids(here)) == 4
    assert made.signs_from - made.made_at >= timedelta(seconds=KEPT_S)
    assert elsewhere.check(here.access(citizen())), "who hasn't heard of it yet is not shut out"

    await identity.learn_keys(house, elsewhere)
    published = here.jwks()
    clock.ahead = its_clock.ahead = made.signs_from - datetime.now(UTC) + timedelta(seconds=1)
    assert here.signing.kid() != old
    fresh = here.access(citizen())
    assert elsewhere.check(fresh)
    known = key_set(published)
    assert jwt.decode(fresh, known, algorithms=["ES256"]).claims["sid"]
    assert here.signing.read(before, "at+jwt")["sid"], "what the last one signed still holds"
    assert kids(here) >= {key["kid"] for key in seen["keys"]}

    clock.ahead += timedelta(hours=3)
    with pytest.raises(JoseError):
        here.signing.read(before, "at+jwt")
    assert old not in kids(here)


async def test_a_key_that_was_lost_ends_at_once(city: City) -> None:
    nobody = await city.anonymous()
    tokens = city.parts.tokens
    stolen = tokens.access(citizen())
    before = (await nobody.get("/.well-known/jwks.json")).json()["keys"]
    assert tokens.check(stolen)
    await identity.new_signing_key(city.house.db, city.house.keys, at_once=True)
    await identity.learn_keys(city.house, tokens)
    with pytest.raises(TokenInvalid):
        tokens.check(stolen)
    after = (await nobody.get("/.well-known/jwks.json")).json()["keys"]
    mine = {key["kid"] for key in before if key["kty"] in {"EC", "RSA"}}
    assert mine.isdisjoint(key["kid"] for key in after)
    assert tokens.check(tokens.access(citizen()))


async def test_rs256_for_those_who_know_nothing_else(house: House) -> None:
    here, _ = tokens_of(house)
    await identity.learn_keys(house, here)
    token = here.signing.sign("JWT", {"sub": "x"}, "RS256")
    keys = key_set(here.jwks())
    assert jwt.decode(token, keys, algorithms=["RS256"]).claims == {"sub": "x"}
    with pytest.raises(Exception, match=r"(?i)alg"):
        here.signing.read(token, "JWT")  # our own doors take ES256 alone
    assert here.signing.read(token, "JWT", ("ES256", "RS256")) == {"sub": "x"}


async def test_what_is_published_has_no_private_part(city: City) -> None:
    nobody = await city.anonymous()
    answer = await nobody.get("/.well-known/jwks.json")
    found: list[dict[str, Any]] = answer.json()["keys"]
    assert {key["kty"] for key in found} >= {"EC", "RSA"}
    for key in found:
        assert key.keys().isdisjoint({"d", "p", "q", "dp", "dq", "qi", "k"})
        assert key["kid"]
        if key["kty"] == "RSA":
            assert len(key["n"]) == 512, "3072 bits"


async def test_only_what_is_old_is_rotated(house: House) -> None:
    before = len(await house.db.fetch("select from identity.signing_key"))
    await identity.rotate_in_time(house)
    assert len(await house.db.fetch("select from identity.signing_key")) == before
    await house.db.execute("update identity.signing_key set made_at = now() - interval '91 days'")
    await identity.rotate_in_time(house)
    await identity.rotate_in_time(house)
    assert len(await house.db.fetch("select from identity.signing_key")) == before + 1
