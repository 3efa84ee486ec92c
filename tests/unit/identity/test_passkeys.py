"""Decisions about passkeys and devices, and readers of bytes that anybody may have written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.identity.passkeys.authenticator import Authenticator, text

from civicmall.identity import device_name
from civicmall.identity.passkeys import checking, rules
from civicmall.identity.passkeys.errors import CeremonyOver, PasskeyNotTaken, PasskeyRefused
from civicmall.identity.passkeys.models import Assertion, Attestation
from civicmall.identity.rules import network
from civicmall.kernel import crypto, ids
from civicmall.kernel.crypto import Keys

KEYS = Keys(crypto.generate())
NOW = datetime(2026, 3, 1, tzinfo=UTC)
PARTY = rules.Party("city.example", ("https://city.example",))
CHALLENGE = b"c" * 32


@pytest.mark.parametrize(
    ("url", "id_", "origin"),
    [
        ("https://city.example", "city.example", "https://city.example"),
        ("https://APP.City.example:8443", "app.city.example", "https://app.city.example:8443"),
        ("http://127.0.0.1:8000", "localhost", "http://localhost:8000"),
        ("http://[::1]:8000", "localhost", "http://localhost:8000"),
        ("http://127.0.0.1", "localhost", "http://localhost"),
        ("http://localhost:8000", "localhost", "http://localhost:8000"),
        ("http://mall.localhost:8000", "mall.localhost", "http://mall.localhost:8000"),
    ],
)
def test_passkeys_belong_to_the_name_of_the_public_address(url: str, id_: str, origin: str) -> None:
    assert rules.party(url) == rules.Party(id_, (origin,))


@pytest.mark.parametrize(
    "url", ["https://203.0.113.7", "http://10.0.0.1:8000", "http://city.example", "https://", "x"]
)
def test_where_there_is_no_name_or_no_encryption_there_are_none(url: str) -> None:
    assert rules.party(url) is None


@given(st.integers(0, 255))
def test_a_handle_leads_to_the_bucket_and_to_nobody(bucket: int) -> None:
    owner = ids.new(bucket)
    found = rules.handle(KEYS, owner)
    assert (len(found), found[0]) == (32, bucket)
    assert found == rules.handle(KEYS, owner)
    assert found != rules.handle(Keys(crypto.generate()), owner)
    assert owner.bytes[:15] not in found


def asked(**rest: Any) -> rules.Asked:
    """A ceremony."""
    until = NOW + timedelta(seconds=60)
    return msgspec.structs.replace(rules.Asked(CHALLENGE, "sign_in", "citizen", until), **rest)


def test_a_ceremony_holds_until_its_time_and_only_here() -> None:
    token = rules.sealed(KEYS, asked(browser="b"))
    assert rules.opened(KEYS, token, NOW) == asked(browser="b")
    assert rules.opened(KEYS, token, NOW + timedelta(seconds=60)) is None
    assert rules.opened(Keys(crypto.generate()), token, NOW) is None
    assert text(CHALLENGE) not in token


@given(st.text(max_size=200))
def test_what_is_no_ceremony_is_none(token: str) -> None:
    assert rules.opened(KEYS, token, NOW) is None


@given(st.binary(max_size=300))
def test_base64url_there_and_back(raw: bytes) -> None:
    assert rules.bytes_of(rules.text_of(raw)) == raw


@given(st.lists(st.text(max_size=12) | st.sampled_from(rules.TRANSPORTS)))
def test_transports_that_the_standard_names(said: list[str]) -> None:
    found = rules.known_transports(said)
    assert set(found) == set(said) & set(rules.TRANSPORTS)
    assert len(found) == len(set(found))


def made(attestation: bytes, frame: bytes | None = None) -> Attestation:
    """A registration with these bytes in it."""
    key = Authenticator("https://city.example", "city.example")
    frame = key.client("webauthn.create", text(CHALLENGE)) if frame is None else frame
    return msgspec.convert(
        {
            "id": text(key.id), "rawId": text(key.id), "type": "public-key",
            "response": {"clientDataJSON": text(frame) or "A", "attestationObject": text(attestation) or "A"},
        },
        Attestation,
    )  # fmt: skip


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_for_an_attestation_are_one_refusal(raw: bytes) -> None:
    with pytest.raises(PasskeyNotTaken):
        checking.attested(PARTY, CHALLENGE, made(raw))


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.text()
ANY = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.integers(-4, 4) | st.text(max_size=4), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(ANY, ANY, ANY)
def test_any_cbor_for_an_attestation_is_one_refusal(fmt: Any, statement: Any, key: Any) -> None:
    """Also where the rest is as it should be, up to the key itself."""
    device = Authenticator("https://city.example", "city.example")
    credential = bytes(16) + len(device.id).to_bytes(2) + device.id + cbor2.dumps(key)
    data = device.data(0x45, "city.example", credential)
    bodies: list[Any] = [
        {"fmt": fmt, "attStmt": statement, "authData": data},
        {"fmt": "none", "attStmt": {}, "authData": data},
        {"fmt": "packed", "attStmt": {"alg": fmt, "sig": statement}, "authData": data},
        {"fmt": "none", "attStmt": {}, "authData": key},
        key,
    ]
    for body in bodies:
        with pytest.raises(PasskeyNotTaken):
            checking.attested(PARTY, CHALLENGE, made(cbor2.dumps(body)))


@pytest.mark.parametrize("number", [2**62, -1, 10**40])
def test_a_number_for_the_authenticators_data_takes_no_memory(number: int) -> None:
    """Made into bytes it would be as many zeros: ten small bytes could end the process."""
    body: dict[str, Any] = {"fmt": "none", "attStmt": {}, "authData": number}
    with pytest.raises(PasskeyNotTaken):
        checking.attested(PARTY, CHALLENGE, made(cbor2.dumps(body)))


@settings(max_examples=300)
@given(st.binary(max_size=200), st.binary(max_size=100), st.binary(max_size=100))
def test_any_bytes_for_an_assertion_are_one_refusal(frame: bytes, data: bytes, sig: bytes) -> None:
    key = Authenticator("https://city.example", "city.example")
    public = cbor2.dumps(key.cose())
    good = key.client("webauthn.get", text(CHALLENGE))
    for said in (frame, good):
        answer = msgspec.convert(
            {
                "id": text(key.id), "rawId": text(key.id), "type": "public-key",
                "response": {
                    "clientDataJSON": text(said) or "A", "authenticatorData": text(data) or "A",
                    "signature": text(sig) or "A", "userHandle": "AAAA",
                },
            },
            Assertion,
        )  # fmt: skip
        with pytest.raises(PasskeyRefused):
            checking.asserted(PARTY, CHALLENGE, answer, public, eligible=False)


@pytest.mark.parametrize("depth", [10, 1_400])
def test_a_frame_nested_deeply_is_refused(depth: int) -> None:
    frame = b'{"x":' + b"[" * depth + b"]" * depth + b"}"
    with pytest.raises(PasskeyNotTaken):
        checking.attested(PARTY, CHALLENGE, made(b"x", frame))


def test_another_challenge_is_called_so() -> None:
    key = Authenticator("https://city.example", "city.example")
    frame = key.client("webauthn.create", text(b"d" * 32))
    with pytest.raises(CeremonyOver):
        checking.attested(PARTY, CHALLENGE, made(b"x", frame))


@given(st.ip_addresses())
def test_a_network_is_wider_than_its_address(address: Any) -> None:
    found = network(str(address))
    assert found.endswith(("/24", "/48"))
    assert str(address) not in found.partition("/")[0] or str(address).endswith((".0", "::"))


@pytest.mark.parametrize("said", ["", "x", "1.2.3", "1.2.3.4.5", "203.0.113.7/24", "::g"])
def test_no_address_has_no_network(said: str) -> None:
    assert network(said) == ""


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit Chrome/130 Safari/537", "Chrome · Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18 Safari/604", "Safari · iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130 Safari/537 Edg/130", "Edge · Windows"),
        ("MicroMessenger/8 Android Chrome", "WeChat · Android"),
        ("curl/8", ""),
    ],
)
def test_devices(agent: str, name: str) -> None:
    assert device_name(agent) == name
