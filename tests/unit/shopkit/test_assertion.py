"""A shop believes who is served if the platform said so, to this shop, for now."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OKPKey
from msgspec.structs import replace

from shopkit.assertion import (
    CHECKS,
    LIFE_S_MAX,
    SKEW_S,
    TYPE,
    Actor,
    Assertion,
    BadAssertion,
    make,
    read,
)
from shopkit.keys import Key

NOW: Final = 1_750_000_000
KEY: Final = Key(b"k" * 32)
OTHER: Final = Key(b"o" * 32)
KEYS: Final = {"k1": KEY.public, "k2": OTHER.public}
SHOP: Final = "cn.city.police"
SAID: Final = Assertion(
    iss="https://mall.example",
    aud=SHOP,
    sub="p_8fK2",
    app="id_card",
    iat=NOW,
    exp=NOW + 60,
    acr="L2",
    claims={"id_number": "990001199603080027", "name": "王小明"},
)
TOKEN: Final = make(KEY.private, "k1", SAID)


def believed(token: str | None, *, now: int = NOW, audience: str = SHOP) -> Assertion:
    return read(token, KEYS.get, audience=audience, now=now)


def refused(token: str | None, *, now: int = NOW, audience: str = SHOP) -> BadAssertion:
    with pytest.raises(BadAssertion) as refusal:
        believed(token, now=now, audience=audience)
    assert "990001199603080027" not in refusal.value.seen
    return refusal.value


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def token(
    header: dict[str, Any] | None = None, claims: Any = None, *, key: Key = KEY, drop: str = ""
) -> str:
    """A token whatever it says, signed."""
    head = {"alg": "EdDSA", "typ": TYPE, "kid": "k1"} | (header or {})
    body = msgspec.to_builtins(SAID) | (claims or {})
    body.pop(drop, None)
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(body).encode())}"
    return f"{signed}.{b64(key.private.sign(signed.encode()))}"


def test_what_the_platform_says_is_what_the_shop_reads() -> None:
    assert believed(TOKEN) == SAID


@given(
    st.dictionaries(st.text(max_size=20), st.text(max_size=60), max_size=8),
    st.sampled_from(["L1", "L2", "L3"]),
    st.none() | st.text(min_size=1, max_size=40).map(Actor),
)
def test_whatever_the_claims(claims: dict[str, str], acr: Any, act: Actor | None) -> None:
    said = replace(SAID, claims=claims, acr=acr, act=act)
    assert believed(make(KEY.private, "k1", said)) == said


def test_who_acts_for_another_is_said_only_then() -> None:
    payload = json.loads(base64.urlsafe_b64decode(TOKEN.split(".")[1] + "=="))
    assert "act" not in payload
    assert believed(token(claims={"act": {"sub": "p_kin"}})).act == Actor("p_kin")


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_joserfc_reads_it() -> None:
    """By its own decoder, with the key as JWK."""
    decoded = jwt.decode(TOKEN, OKPKey.import_key({**KEY.jwk("k1")}), algorithms=["EdDSA"])
    assert decoded.header == {"alg": "EdDSA", "typ": TYPE, "kid": "k1"}
    assert decoded.claims == msgspec.to_builtins(SAID)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
def test_both_names_of_the_algorithm_are_read(alg: str) -> None:
    head = {"alg": alg, "typ": TYPE, "kid": "k1"}
    made = jwt.encode(head, msgspec.to_builtins(SAID), OKPKey.import_key(KEY.private), [alg])
    assert believed(made) == SAID


def hs256(secret: bytes) -> str:
    """The old trick: a MAC under the public key, which everybody knows."""
    signed = f"{b64(json.dumps({'alg': 'HS256', 'typ': TYPE, 'kid': 'k1'}).encode())}.{TOKEN.split('.')[1]}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def unsigned() -> str:
    head = b64(json.dumps({"alg": "none", "typ": TYPE, "kid": "k1"}).encode())
    return f"{head}.{TOKEN.split('.')[1]}."


def spliced() -> str:
    """The claims of one, the signature of another."""
    other = make(KEY.private, "k1", replace(SAID, sub="p_else")).split(".")
    return ".".join([other[0], other[1], TOKEN.split(".")[2]])


WRONG: Final[dict[str, tuple[str, str | None]]] = {
    "none sent": ("assertion-missing", None),
    "an empty one": ("assertion-missing", ""),
    "two parts": ("assertion-malformed", "a.b"),
    "four parts": ("assertion-malformed", TOKEN + ".x"),
    "no base64": ("assertion-malformed", "=" + TOKEN),
    "a header that is no object": ("assertion-malformed", b64(b'["alg"]') + ".a.b"),
    "a header without alg": ("assertion-malformed", b64(b'{"typ":"x"}') + ".a.b"),
    "a deep header": ("assertion-malformed", b64(b"[" * 380) + ".a.b"),
    "a long header": ("assertion-malformed", token({"x": "y" * 512})),
    "too long": ("assertion-malformed", TOKEN + "A" * 8_192),
    "not ASCII": ("assertion-malformed", TOKEN + "é"),
    "an access token": ("assertion-type", token({"typ": "at+jwt"})),
    "no type": ("assertion-type", token({"typ": ""})),
    "alg none": ("assertion-signature", unsigned()),
    "a MAC under the public key": ("assertion-signature", hs256(KEY.public.public_bytes_raw())),
    "a MAC under its text": ("assertion-signature", hs256(KEY.text.encode())),
    "ES256": ("assertion-signature", token({"alg": "ES256"})),
    "an unknown key": ("assertion-signature", token({"kid": "k9"})),
    "no key's name": ("assertion-signature", token({"kid": ""})),
    "the other key's signature": ("assertion-signature", token(key=OTHER)),
    "claims of another": ("assertion-signature", spliced()),
    "a critical extension": ("assertion-malformed", token({"crit": ["b64"], "b64": False})),
    "crit of no kind": ("assertion-malformed", token({"crit": 5})),
    "a key inside": ("assertion-signature", token({"jwk": OTHER.jwk("k1")}, key=OTHER)),
    "the signature cut": ("assertion-signature", TOKEN[:-4]),
    "no signature": ("assertion-signature", TOKEN[: TOKEN.rindex(".") + 1]),
    "no subject": ("assertion-claims", token(drop="sub")),
    "an empty subject": ("assertion-claims", token(claims={"sub": ""})),
    "no claims": ("assertion-claims", token(drop="claims")),
    "claims of another kind": ("assertion-claims", token(claims={"claims": {"age": 7}})),
    "an unknown level": ("assertion-claims", token(claims={"acr": "L9"})),
    "times in words": ("assertion-claims", token(claims={"exp": "tomorrow"})),
    "a long life": ("assertion-claims", token(claims={"exp": NOW + LIFE_S_MAX + 1})),
    "no life": ("assertion-claims", token(claims={"exp": NOW})),
    "several audiences": ("assertion-claims", token(claims={"aud": [SHOP]})),
    "deep claims": ("assertion-claims", token(claims={"claims": {"a": [[[[1]]]]}})),
    "another shop's": ("assertion-audience", token(claims={"aud": "cn.city.water"})),
}


@pytest.mark.parametrize("what", WRONG)
def test_each_fault_is_named(what: str) -> None:
    check, bad = WRONG[what]
    assert refused(bad).check == check


def test_every_name_of_a_fault_is_met() -> None:
    assert {check for check, _ in WRONG.values()} | {"assertion-expired"} == set(CHECKS)


@pytest.mark.parametrize("now", [NOW - SKEW_S, NOW, NOW + 60 + SKEW_S])
def test_clocks_may_differ(now: int) -> None:
    assert believed(TOKEN, now=now) == SAID


@pytest.mark.parametrize(
    ("now", "seen"), [(NOW - SKEW_S - 1, "301 s ahead"), (NOW + 61 + SKEW_S, "301 s ago")]
)
def test_and_by_no_more(now: int, seen: str) -> None:
    refusal = refused(TOKEN, now=now)
    assert refusal.check == "assertion-expired"
    assert seen in refusal.seen
    assert str(now) in refusal.seen


def test_whom_it_was_for_is_said() -> None:
    refusal = refused(TOKEN, audience="cn.city.water")
    assert SHOP in refusal.seen
    assert "cn.city.water" in refusal.seen


@pytest.mark.parametrize(
    ("said", "check"),
    [
        (replace(SAID, exp=NOW + LIFE_S_MAX + 1), "assertion-claims"),
        (replace(SAID, sub=""), "assertion-claims"),
        (replace(SAID, claims={"essay": "x" * 8_192}), "assertion-malformed"),
    ],
    ids=["long-lived", "nobody", "huge"],
)
def test_nobody_makes_what_nobody_believes(said: Assertion, check: str) -> None:
    with pytest.raises(BadAssertion) as refusal:
        make(KEY.private, "k1", said)
    assert refusal.value.check == check


PARTS: Final = st.binary(max_size=80).map(b64) | st.text(max_size=20)
HEADS: Final = st.fixed_dictionaries(
    {"alg": st.sampled_from(["EdDSA", "Ed25519", "none", "HS256", ""])},
    optional={
        "typ": st.just(TYPE),
        "kid": st.sampled_from(["k1", "k2", "k3"]),
        "crit": st.none()
        | st.integers()
        | st.lists(st.text(max_size=3), max_size=2)
        | st.just(["b64"]),
        "b64": st.booleans() | st.text(max_size=3),
        "zip": st.text(max_size=3),
        "jku": st.text(max_size=3) | st.integers(),
    },
).map(lambda head: b64(json.dumps(head).encode()))


@given(st.text() | st.lists(PARTS | HEADS, max_size=4).map(".".join))
def test_garbage_is_refused_and_nothing_else(garbage: str) -> None:
    refused(garbage)


@given(HEADS, PARTS, PARTS)
def test_a_header_of_any_kind(head: str, payload: str, signature: str) -> None:
    refused(f"{head}.{payload}.{signature}")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists))
def test_claims_of_any_kind(claims: Any) -> None:
    """Signed by the platform all the same."""
    refused(token(claims={"claims": claims}))


@given(st.data())
def test_a_change_anywhere_is_refused(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TOKEN) - 1))
    new = data.draw(st.sampled_from("ABCxyz059-_.").filter(lambda c: c != TOKEN[at]))
    refused(TOKEN[:at] + new + TOKEN[at + 1 :])
