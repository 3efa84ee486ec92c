"""What somebody would try: each is refused by its name, and changes nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any, Final

import cbor2
import httpx
import pytest
from tests.city import City
from tests.rooms.identity.passkeys.authenticator import (
    BE,
    BS,
    UP,
    UV,
    Authenticator,
    raw,
    text,
)
from tests.rooms.identity.passkeys.steps import (
    add,
    added,
    asked,
    device,
    origin,
    sign_in,
    somebody,
)
from tests.rooms.identity.steps import problem

OPTIONS: Final = "/v1/sign-in/passkeys/options"
REFUSED: Final = (401, "passkey-refused")
NOT_TAKEN: Final = (422, "passkey-not-taken")
OVER: Final = (409, "passkey-ceremony-over")


async def state(city: City, client: httpx.AsyncClient) -> Any:
    """What an attack might change: passkeys, sessions, and challenges that are spent."""
    counts: Any = await city.house.db.fetchrow(
        "select (select count(*) from identity.passkey), (select count(*) from identity.passkey_id),"
        " (select count(*) from identity.session), (select count(*) from identity.passkey_answered)"
    )
    return tuple(counts), (await client.get("/v1/me/passkeys")).json()


def _flipped(sig: bytes) -> bytes:
    return sig[:-1] + bytes((sig[-1] ^ 1,))


def _random(sig: bytes) -> bytes:
    return os.urandom(len(sig))


def _extended(data: bytes) -> bytes:
    return data[:32] + bytes((data[32] | 0x80,)) + data[33:] + b"\xff"


FORGED: Final[dict[str, dict[str, Any]]] = {
    "another origin": {"client": {"origin": "https://city.example.evil"}},
    "our origin without its port": {"client": {"origin": "http://localhost"}},
    "our origin with a path": {"client": {"origin": "ORIGIN/"}},
    "an app's origin": {"client": {"origin": "android:apk-key-hash:AAAA"}},
    "inside another site": {"client": {"crossOrigin": True}},
    "a registration's frame": {"client": {"type": "webauthn.create"}},
    "a payment's frame": {"client": {"type": "payment.get"}},
    "another rp id": {"rp_id": "city.example.evil"},
    "no rp id": {"rp_id": ""},
    "nobody verified": {"flags": UP},
    "nobody there": {"flags": UV},
    "backed up but not eligible": {"flags": UP | UV | BS},
    "eligible all of a sudden": {"flags": UP | UV | BE},
    "a tampered signature": {"signature": _flipped},
    "another's signature": {"signature": _random},
    "a signature of one byte": {"signature": lambda _: b"0"},
    "a counter changed after signing": {"after": lambda d: d[:33] + (10**6).to_bytes(4) + d[37:]},
    "data cut short": {"after": lambda d: d[:20]},
    "data with more behind it": {"after": lambda d: d + b"more"},
    "extensions that are none": {"after": _extended},
    "a handle of nobody": {"handle": bytes(32)},
    "a short handle": {"handle": b"\x00\x01"},
}  # fmt: skip


@pytest.mark.parametrize("what", FORGED)
async def test_a_forged_sign_in(city: City, what: str) -> None:
    mine = await somebody(city)
    key = await added(city, mine)
    before = await state(city, mine)
    spoil = {**FORGED[what]}
    if spoil.get("client", {}).get("origin", "").startswith("ORIGIN"):
        spoil["client"] = {"origin": origin(city) + "/"}
    answer = await sign_in(await city.anonymous(), key, **spoil)
    assert problem(answer) == REFUSED
    assert set(answer.json()) == {"type", "title", "status", "trace_id"}, "nobody learns why"
    assert await state(city, mine) == before
    assert (await sign_in(await city.anonymous(), key)).status_code == 200, (
        "the owner's still works"
    )


async def test_an_answer_is_taken_once_however_many_come(city: City) -> None:
    mine = await somebody(city)
    key = await added(city, mine)
    nobody = await city.anonymous()
    found = await asked(nobody, OPTIONS)
    said = {"ceremony": found["ceremony"], "credential": key.sign(found["public_key"])}
    answers = await asyncio.gather(
        *(nobody.post("/v1/sign-in/passkeys", json=said) for _ in range(6))
    )
    assert sorted(a.status_code for a in answers) == [200] + [409] * 5
    assert problem(await nobody.post("/v1/sign-in/passkeys", json=said)) == OVER
    assert (await mine.get("/v1/me/passkeys")).json()["items"][0]["set_aside"] is False


async def test_another_answer_to_an_answered_challenge(city: City) -> None:
    mine = await somebody(city)
    key = await added(city, mine)
    nobody = await city.anonymous()
    found = await asked(nobody, OPTIONS)
    for expected in (200, 409):
        said = {"ceremony": found["ceremony"], "credential": key.sign(found["public_key"])}
        answer = await nobody.post("/v1/sign-in/passkeys", json=said)
        assert answer.status_code == expected


async def test_the_challenge_of_another_ceremony(city: City) -> None:
    mine, theirs = await somebody(city), await somebody(city)
    key = await added(city, mine)
    nobody = await city.anonymous()
    first, second = [await asked(nobody, OPTIONS) for _ in range(2)]
    said = {"ceremony": first["ceremony"], "credential": key.sign(second["public_key"])}
    assert problem(await nobody.post("/v1/sign-in/passkeys", json=said)) == OVER
    adding = await asked(mine)
    said = {"ceremony": adding["ceremony"], "credential": key.sign(adding["public_key"])}
    assert problem(await nobody.post("/v1/sign-in/passkeys", json=said)) == OVER, "of adding"
    made = device(city).make(adding["public_key"])
    said = {"ceremony": adding["ceremony"], "credential": made}
    assert problem(await theirs.post("/v1/me/passkeys", json=said)) == OVER, "of another citizen"
    entering = await asked(nobody, OPTIONS)
    made = device(city).make(
        {**adding["public_key"], "challenge": entering["public_key"]["challenge"]}
    )
    said = {"ceremony": entering["ceremony"], "credential": made}
    assert problem(await mine.post("/v1/me/passkeys", json=said)) == OVER, "of signing in"


async def test_the_challenge_of_another_session_of_ones_own(city: City) -> None:
    mine = await somebody(city)
    key = await added(city, mine)
    answer = await sign_in(await city.anonymous(), key)
    also_mine = await city.client(answer.json()["access_token"])
    found = await asked(mine)
    said = {"ceremony": found["ceremony"], "credential": device(city).make(found["public_key"])}
    assert problem(await also_mine.post("/v1/me/passkeys", json=said)) == OVER
    assert (await mine.post("/v1/me/passkeys", json=said)).status_code == 200
    assert problem(await mine.post("/v1/me/passkeys", json=said)) == OVER, "and once"


async def test_a_ceremony_that_is_too_old_or_changed(city: City) -> None:
    mine = await somebody(city)
    key = await added(city, mine)
    nobody = await city.anonymous()
    found = await asked(nobody, OPTIONS)
    sealed = bytearray(raw(found["ceremony"]))
    sealed[-1] ^= 1
    for ceremony in (text(bytes(sealed)), text(os.urandom(120)), "A", found["ceremony"][:-4]):
        said = {"ceremony": ceremony, "credential": key.sign(found["public_key"])}
        assert problem(await nobody.post("/v1/sign-in/passkeys", json=said)) == OVER


async def test_somebody_elses_handle_with_ones_own_passkey(city: City) -> None:
    mine, theirs = await somebody(city), await somebody(city)
    key, other = await added(city, mine), await added(city, theirs)
    before = await state(city, theirs)
    nobody = await city.anonymous()
    assert problem(await sign_in(nobody, key, handle=other.handle)) == REFUSED
    id_of_theirs = {"id": text(other.id), "rawId": text(other.id)}
    assert problem(await sign_in(nobody, key, handle=other.handle, **id_of_theirs)) == REFUSED
    assert problem(await sign_in(nobody, key, rawId=text(other.id))) == REFUSED
    assert await state(city, theirs) == before


async def test_the_credential_id_of_another_citizen(city: City) -> None:
    """Whoever knows the id of a passkey can't register it for themselves with a key of theirs."""
    mine, theirs = await somebody(city), await somebody(city)
    key = await added(city, mine)
    thief = device(city)
    thief.id = key.id
    assert problem(await add(theirs, thief)) == (409, "passkey-known")
    assert (await theirs.get("/v1/me/passkeys")).json()["items"] == []
    assert problem(await add(mine, thief)) == (409, "passkey-known"), "not even their own again"
    answer = await sign_in(await city.anonymous(), key)
    assert answer.status_code == 200
    again = await city.client(answer.json()["access_token"])
    assert (await again.get("/v1/me")).json()["id"] == (await mine.get("/v1/me")).json()["id"]


async def test_of_two_that_register_one_id_at_once_one_does(city: City) -> None:
    people = [await somebody(city) for _ in range(4)]
    keys = [device(city) for _ in people]
    for key in keys:
        key.id = keys[0].id
    answers = await asyncio.gather(*(add(p, k) for p, k in zip(people, keys, strict=True)))
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409]


def _weak(key: Authenticator) -> dict[int, Any]:
    return key.cose() | {-2: bytes(32), -3: bytes(32)}


MADE: Final[dict[str, Callable[[Authenticator], dict[str, Any]]]] = {
    "another origin": lambda _: {"client": {"origin": "https://city.example.evil"}},
    "inside another site": lambda _: {"client": {"crossOrigin": True}},
    "a sign-in's frame": lambda _: {"client": {"type": "webauthn.get"}},
    "another rp id": lambda _: {"rp_id": "evil"},
    "nobody verified": lambda _: {"flags": UP},
    "nobody there": lambda _: {"flags": UV},
    "backed up but not eligible": lambda _: {"flags": UP | UV | BS},
    "no CBOR": lambda _: {"attestation": b"\xff\xff\xff"},
    "CBOR that is no map": lambda _: {"attestation": cbor2.dumps([1, 2, 3])},
    "CBOR within CBOR within CBOR": lambda _: {"attestation": b"\x81" * 9_000 + b"\x00"},
    "CBOR that says it is huge": lambda _: {"attestation": b"\xbb" + b"\xff" * 8},
    "a map of something else": lambda _: {"attestation": cbor2.dumps({"fmt": "none"})},
    "data that is no bytes": lambda _: {
        "attestation": cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": 7})
    },
    "a statement that is no map": lambda _: {
        "attestation": cbor2.dumps({"fmt": "none", "attStmt": 7, "authData": bytes(37)})
    },
    "none with a statement": lambda _: {"statement": {"sig": b"1"}},
    "an attestation of a maker": lambda _: {"fmt": "apple", "statement": {"x5c": [b"1", b"2"]}},
    "a certificate": lambda _: {"fmt": "packed", "statement": {"alg": -7, "sig": b"1", "x5c": [b"1"]}},
    "a self-signature that is none": lambda _: {"fmt": "packed", "statement": {"alg": -7, "sig": b"1"}},
    "a format that nobody knows": lambda _: {"fmt": "trust-me"},
    "a format that is no text": lambda _: {"fmt": 7},
    "an algorithm that we don't take": lambda key: {"key": key.cose() | {3: -65535}},
    "no algorithm": lambda key: {"key": {k: v for k, v in key.cose().items() if k != 3}},
    "a key that is no map": lambda _: {"key": 7},
    "a point that lies on no curve": lambda key: {"key": _weak(key)},
    "a curve that nobody has": lambda key: {"key": key.cose() | {-1: 99}},
    "an Ed25519 key of three bytes": lambda _: {"key": {1: 1, 3: -8, -1: 6, -2: b"abc"}},
    "another id outside than inside": lambda _: {"id": text(bytes(32)), "rawId": text(bytes(32))},
}  # fmt: skip


@pytest.mark.parametrize("what", MADE)
async def test_a_passkey_that_is_none(city: City, what: str) -> None:
    mine = await somebody(city)
    before = await state(city, mine)
    key = device(city)
    assert problem(await add(mine, key, **MADE[what](key))) == NOT_TAKEN
    assert await state(city, mine) == before


async def test_an_id_that_is_short_enough_to_guess(city: City) -> None:
    mine = await somebody(city)
    key = device(city)
    key.id = b"short"
    answer = await add(mine, key)
    assert answer.status_code == 400
    assert (await mine.get("/v1/me/passkeys")).json()["items"] == []
