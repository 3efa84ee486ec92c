"""What the OpenID Provider decides: addresses, requests, what comes next, assertions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.identity.provider import addresses, clients, codes, forms, keys, rules
from civicmall.identity.provider.errors import OAuthError
from civicmall.identity.provider.models import AuthRequest, Client

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
URL = "https://partner.example/back"
TEXT = st.text(max_size=60)
T = TypeVar("T")


def tried(work: Callable[[], T]) -> T | OAuthError:
    """What something answers, or refuses with."""
    try:
        return work()
    except OAuthError as refusal:
        return refusal


def client(**changes: Any) -> Client:
    said: dict[str, Any] = dict.fromkeys(Client.__struct_fields__)
    said |= {
        "client_id": "partner", "version": 1, "native": False, "redirect_uris": [URL], "min_level": 1,
        "purpose": {"zh-CN": "办证", "en": "Cards"}, "scopes": ["openid", "profile", "phone"],
        "claims": {
            "name": {"purpose": {"zh-CN": "打印", "en": "Printing"}},
            "phone": {"purpose": {"zh-CN": "提醒", "en": "Reminders"}, "optional": True},
        },
    }  # fmt: skip
    return Client(**said | changes)


def request(**changes: Any) -> AuthRequest:
    said: dict[str, Any] = {"redirect_uri": URL, "scope": ["openid"], "challenge": "c" * 43}
    return AuthRequest(**said | changes)


# Addresses


@given(TEXT)
def test_only_the_very_address_matches(came: str) -> None:
    assert addresses.matches([URL], came, native=False) == (came == URL)


@given(st.integers(1, 65_535), st.sampled_from(["127.0.0.1", "[::1]"]))
def test_any_port_of_a_native_apps_loopback(port: int, host: str) -> None:
    registered = [f"http://{host}/back"]
    assert addresses.matches(registered, f"http://{host}:{port}/back", native=True)
    assert not addresses.matches(registered, f"http://{host}:{port}/back", native=False)
    assert not addresses.matches(registered, f"http://{host}:{port}/backs", native=True)


@given(TEXT)
def test_whatever_may_be_registered_matches_itself_and_leads_where_it_says(text: str) -> None:
    address = f"https://partner.example/{text}"
    if not addresses.unfit(address, native=False, sandbox=False):
        assert addresses.matches([address], address, native=False)
        assert addresses.host(address) == "partner.example"
        assert not set(address) & set(" \"'<>\\^`{|}#*\t\r\n")


@pytest.mark.parametrize(
    ("address", "native", "sandbox", "fits"),
    [
        (URL, False, False, True), ("https://partner.example:8443/back", False, False, True),
        ("http://127.0.0.1:3000/back", False, True, True),
        ("http://127.0.0.1:3000/back", False, False, False),
        ("http://127.0.0.1/back", True, False, True), ("http://[::1]/back", True, False, True),
        ("http://127.0.0.1:99999/back", True, False, False), ("http://127.0.0.1/../x", True, False, False),
        ("com.example.app:/back", True, False, True), ("com.example.app:/back", False, False, False),
        ("example:/back", True, False, False), ("https://partner.example:port/", False, False, False),
        ("https://partner.example:/", False, False, False), ("https:///back", False, False, False),
        ("https://-x.example/", False, False, False), ("https://[::1]/back", False, False, False),
        ("https://[x/back", False, False, False), ("x" * 401, False, False, False),
    ],
)  # fmt: skip
def test_what_may_be_registered(address: str, native: bool, sandbox: bool, fits: bool) -> None:  # noqa: FBT001 (a table)
    assert (addresses.unfit(address, native=native, sandbox=sandbox) == "") == fits


def test_a_native_apps_own_scheme_has_no_host() -> None:
    assert addresses.host("com.example.app:/back") == ""


# Forms


@given(st.dictionaries(st.text(min_size=1, max_size=20), TEXT, max_size=5))
def test_a_form_is_read_as_it_was_written(said: dict[str, str]) -> None:
    try:
        found = forms.strict(urlencode(said, errors="surrogatepass").encode())
    except OAuthError:
        assert any("\x00" in v or not (k + v).isprintable() for k, v in said.items())
    else:
        assert found == {name: value for name, value in said.items() if value}


@given(st.binary(max_size=200))
def test_bytes_are_a_form_or_are_refused_by_name(raw: bytes) -> None:
    found = tried(lambda: forms.strict(raw))
    assert (
        found.error == "invalid_request" if isinstance(found, OAuthError) else all(found.values())
    )


# Requests


@given(st.dictionaries(
    st.sampled_from(["scope", "state", "nonce", "prompt", "max_age", "claims", "acr_values", "ui_locales",
                     "response_type", "response_mode", "code_challenge", "code_challenge_method"]),
    TEXT,
))  # fmt: skip
def test_a_request_is_good_or_refused_by_name(said: dict[str, str]) -> None:
    good = {
        "response_type": "code", "scope": "openid", "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }  # fmt: skip
    found = tried(lambda: rules.read(client(), good | said, URL))
    if isinstance(found, OAuthError):
        names = {"invalid_request", "invalid_scope", "unsupported_response_type"}
        assert found.error in names
    else:
        assert set(found.scope) <= {"openid", "profile", "phone"}
        assert set(found.claims) <= {"name", "phone"}
        assert found == msgspec.convert(msgspec.to_builtins(found), AuthRequest)


def test_scopes_and_claims_by_name_come_together() -> None:
    said = {
        "response_type": "code", "scope": "openid profile", "code_challenge": "c" * 43,
        "code_challenge_method": "S256", "acr_values": "L3 urn:x", "ui_locales": "de zh-Hans en",
        "claims": '{"userinfo": {"phone_number": null, "id_number": null}, "id_token": {"acr": {"value": "L2"}}}',
    }  # fmt: skip
    found = rules.read(client(), said, URL)
    assert found.claims == ["name", "phone"]
    assert (found.level, found.lang) == (3, "zh-CN")


# What comes next

AGREED = frozenset({("sign_in", "办证"), ("name", "打印")})
SIGNED = rules.Signed(NOW - timedelta(hours=1), 2, "the-sub")


@pytest.mark.parametrize(
    ("changes", "of_client", "signed", "agreed", "expected"),
    [
        ({}, {}, None, AGREED, "sign_in"),
        ({}, {}, SIGNED, AGREED, "go"),
        ({}, {}, SIGNED, None, "consent"),
        ({}, {}, SIGNED, frozenset[tuple[str, str]](), "consent"),
        ({"claims": ["name"]}, {}, SIGNED, frozenset({("sign_in", "办证")}), "consent"),
        ({"claims": ["name"]}, {}, SIGNED, frozenset({("sign_in", "办证"), ("name", "别的")}), "consent"),
        ({"claims": ["name", "phone"]}, {}, SIGNED, AGREED, "go"),
        ({"scope": ["openid", "offline_access"]}, {}, SIGNED, AGREED, "consent"),
        ({"level": 3}, {}, SIGNED, AGREED, "level"),
        ({}, {"min_level": 3}, SIGNED, AGREED, "level"),
        ({"prompt": ["login"]}, {}, SIGNED, AGREED, "sign_in"),
        ({"prompt": ["select_account"]}, {}, SIGNED, AGREED, "sign_in"),
        ({"max_age_s": 3599}, {}, SIGNED, AGREED, "sign_in"),
        ({"max_age_s": 3600}, {}, SIGNED, AGREED, "go"),
        ({"subject": "other"}, {}, SIGNED, AGREED, "sign_in"),
        ({"subject": "the-sub"}, {}, SIGNED, AGREED, "go"),
    ],
)  # fmt: skip
def test_what_comes_next(
    changes: dict[str, Any], of_client: dict[str, Any], signed: rules.Signed | None,
    agreed: frozenset[tuple[str, str]] | None, expected: rules.Step,
) -> None:  # fmt: skip
    found = rules.step(client(**of_client), request(**changes), NOW, signed, agreed, NOW)
    assert found == expected


@given(st.integers(0, 10), st.lists(st.sampled_from(["login", "select_account", "consent"])))
def test_who_signed_in_after_the_request_is_not_sent_to_sign_in_again(
    age: int, prompt: list[str]
) -> None:
    fresh = rules.Signed(NOW, 2, "the-sub")
    asked = request(max_age_s=0, prompt=prompt)
    later = NOW + timedelta(seconds=age)
    assert rules.step(client(), asked, NOW, fresh, AGREED, later) == "go"
    asked = request(subject="other")
    assert rules.step(client(), asked, NOW, fresh, AGREED, later) == "other"


def test_agreed_before_counts_not_for_native_apps_nor_where_it_is_to_be_asked() -> None:
    assert rules.counts_before(client(), request())
    assert not rules.counts_before(client(native=True), request())
    assert not rules.counts_before(client(), request(prompt=["consent"]))


@pytest.mark.parametrize(
    ("step", "error"),
    [("sign_in", "login_required"), ("other", "login_required"), ("level", "interaction_required"),
     ("consent", "consent_required")],
)  # fmt: skip
def test_what_is_said_where_nobody_may_be_asked(step: rules.Step, error: str) -> None:
    assert rules.refused_silently(step).error == error


@given(st.sets(st.sampled_from(["profile", "real_name", "phone"])), st.data())
def test_a_narrower_scope_covers_no_more(scope: set[str], data: st.DataObject) -> None:
    of = data.draw(st.sets(st.sampled_from(sorted(scope)))) if scope else set[str]()
    held = ["name", "phone", "id_number"]
    kept = rules.covered(held, scope, of)
    assert set(kept) <= set(held)
    assert rules.covered(held, scope, scope) == held
    assert ("phone" in kept) == ("phone" in of or "phone" not in scope)


# Assertions and keys


def test_the_example_of_rfc_7636() -> None:
    assert (
        codes.challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


@given(st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]),
                       st.one_of(st.none(), TEXT, st.integers(), st.floats(), st.booleans(),
                                 st.lists(TEXT, max_size=2))))  # fmt: skip
def test_whatever_an_assertion_says_is_judged(said: dict[str, Any]) -> None:
    good = {"iss": "partner", "sub": "partner", "aud": "https://city", "exp": 1060, "jti": "1"}
    assert clients.wrong(good, "partner", {"https://city"}, 1000.0) == ""
    found = clients.wrong(good | said, "partner", {"https://city"}, 1000.0)
    if said.get("iss", "partner") != "partner" or said.get("sub", "partner") != "partner":
        assert found


@given(st.dictionaries(TEXT, st.one_of(st.none(), TEXT, st.integers(), st.lists(
    st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg", "d"]),
                    st.one_of(TEXT, st.sampled_from(["EC", "RSA", "OKP", "oct", "P-256", "sig"])))))))  # fmt: skip
def test_whatever_a_key_set_is_it_is_judged(jwks: dict[str, Any]) -> None:
    assert keys.unfit(jwks)
    assert keys.unfit({"keys": list(jwks.values())})


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "EC", "crv": "P-256", "use": "enc"}, {"kty": "EC", "crv": "P-256", "alg": "RS256"},
        {"kty": "EC", "crv": "secp256k1"}, {"kty": "oct", "k": "x"},
    ],
)  # fmt: skip
def test_a_key_for_something_else(jwk: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        keys.allowed(jwk)
