"""What is believed of an upstream: pure decisions, over whatever it may say."""

from __future__ import annotations

import base64
import hashlib
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from civicmall.identity.federation import rules
from civicmall.identity.federation.errors import FlowBroken
from civicmall.identity.federation.models import Back, Flow
from civicmall.identity.levels import rules as level_rules
from civicmall.identity.outward import is_safe
from civicmall.identity.rules import mask
from shopkit.sandbox import id_number

ISSUER, CLIENT, NONCE, NOW = "https://id.example", "city", "n" * 43, 1_800_000_000.0
GOOD: dict[str, Any] = {
    "iss": ISSUER, "aud": CLIENT, "sub": "s", "exp": NOW + 300, "iat": NOW, "nonce": NONCE,
}  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def wrong(claims: dict[str, Any]) -> str | None:
    return rules.wrong_claims(claims, issuer=ISSUER, client_id=CLIENT, nonce=NONCE, now=NOW)


def test_what_is_right_is_right() -> None:
    assert wrong(GOOD) is None
    assert wrong({**GOOD, "aud": [CLIENT], "azp": CLIENT}) is None
    assert wrong({**GOOD, "aud": [CLIENT, "other"], "azp": CLIENT}) is None
    assert wrong({**GOOD, "exp": NOW - 29, "iat": NOW + 29, "nbf": NOW + 29}) is None


@given(st.sampled_from(sorted(GOOD)), ANYTHING)
@example("exp", math.nan)
@example("exp", math.inf)
@example("iat", math.nan)
@example("exp", 10**400)
def test_a_claim_of_any_kind_ends_in_its_name(name: str, value: Any) -> None:
    """Never in an exception; and whatever passes is within what the rules allow."""
    found = wrong({**GOOD, name: value})
    assert found in {None, name, "azp"}
    if found is None:
        match name:
            case "sub":
                assert isinstance(value, str)
                assert 0 < len(value) <= 255
            case "exp":
                assert value > NOW - rules.LEEWAY_S
            case "iat":
                assert -rules.LEEWAY_S <= NOW - value <= rules.FRESH_S
            case "aud":
                assert value in (CLIENT, [CLIENT])
            case _:
                assert value == GOOD[name]


@given(st.dictionaries(st.text(max_size=6), ANYTHING, max_size=6))
def test_claims_of_any_kind_are_never_right_by_chance(claims: dict[str, Any]) -> None:
    assert wrong(claims) is not None


@given(ANYTHING, st.text(max_size=30))
def test_at_hash(said: Any, token: str) -> None:
    digest = hashlib.sha256(token.encode()).digest()
    right = base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")
    assert rules.right_at_hash(right, token)
    assert rules.right_at_hash(said, token) == (said is None or said == right)
    assert not rules.right_at_hash(right, token + "x")


@given(st.text(max_size=30), st.text(max_size=30), st.none() | st.text(max_size=20))
def test_only_the_own_state_and_issuer_come_back(state: str, other: str, iss: str | None) -> None:
    flow = Flow("web", state, NONCE, "v", ISSUER, datetime.now(UTC))
    fits = state == other != "" and iss is None
    try:
        rules.check_back(flow, Back(other, iss=iss), age_s=1, issuer=ISSUER, iss_announced=False)
    except FlowBroken:
        assert not fits
    else:
        assert fits


@pytest.mark.parametrize("age_s", [-31.0, 601.0])
def test_a_flow_has_its_time(age_s: float) -> None:
    flow = Flow("web", "s", NONCE, "v", ISSUER, datetime.now(UTC))
    with pytest.raises(FlowBroken) as caught:
        rules.check_back(
            flow, Back("s", iss=ISSUER), age_s=age_s, issuer=ISSUER, iss_announced=True
        )
    assert caught.value.extra == {"reason": "expired"}


@pytest.mark.parametrize(
    "said", ["+8613800138000", "8613800138000", "13800138000", "+86 138 0013 8000", "138-0013-8000"]
)
def test_a_phone_in_the_forms_that_there_are(said: str) -> None:
    claims = {"phone_number": said, "phone_number_verified": True}
    assert rules.phone_of(claims) == "13800138000"
    assert rules.phone_of({**claims, "phone_number_verified": "true"}) is None


@given(ANYTHING, ANYTHING)
def test_anything_else_is_no_phone(said: Any, checked: Any) -> None:
    found = rules.phone_of({"phone_number": said, "phone_number_verified": checked})
    assert found is None or (checked is True and rules.PHONE.fullmatch(found))


@given(ANYTHING)
def test_what_is_shown_names_nobody(said: Any) -> None:
    found = rules.shown([{"name": said, "phone_number": said}], "subject-of-somebody")
    assert found
    assert not isinstance(said, str) or len(said) < 3 or said not in found


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://id.example/a?b=c", True),
        ("http://127.0.0.1:80/a", True),
        ("http://localhost/", True),
        ("http://id.example/", False),
        ("https://me@id.example/", False),
        ("https://id.example/#a", False),
        ("https:///a", False),
        ("https://id.example:port/", False),
        ("https://id.example\\@elsewhere.example/", False),
        ("https://ид.example/", False),
        ("//id.example/", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_addresses(url: str, good: bool) -> None:  # noqa: FBT001
    assert is_safe(url) is good


def test_where_to_go() -> None:
    assert rules.authorize_url("https://a/b", x="1 2") == "https://a/b?x=1+2"
    assert rules.authorize_url("https://a/b?c=d", x="ü") == "https://a/b?c=d&x=%C3%BC"
    assert rules.discovery_url("https://a/b/") == "https://a/b/.well-known/openid-configuration"
    # RFC 7636, appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert rules.challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@given(
    st.dates(datetime(1900, 1, 1, tzinfo=UTC).date(), datetime(2026, 1, 1, tzinfo=UTC).date()),
    st.integers(1, 499),
    st.sampled_from(["male", "female"]),
)
def test_what_a_number_tells(born: Any, order: int, sex: Any) -> None:
    number = id_number(born, order, sex)
    assert level_rules.facts_of(number) == {"birth_date": born.isoformat(), "sex": sex}


@given(st.text(min_size=1, max_size=20))
def test_a_mask_keeps_its_length(text: str) -> None:
    assert len(mask(text, 1, 0)) == len(text)
