"""Whose tokens pass, for how long, and what the others are told."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from civicmall.identity import Caller, Staff, TokenExpired, TokenInvalid, Tokens, signing
from civicmall.identity import tokens as module
from civicmall.identity.rules import ACCESS_S
from civicmall.kernel import crypto, ids
from civicmall.kernel.clock import FixedClock
from civicmall.kernel.crypto import Keys

ISSUER = "https://mall.example"
KEYS = Keys(crypto.generate())
CITIZEN = Caller(ids.new(7), ids.new(7), 2)
OPERATOR = Staff(ids.new(9), ids.new(9), "周敏", "operator", None)
AGENT = Staff(ids.new(9), ids.new(9), "林芳", "manager", "utility_bills")


class Watch(FixedClock):
    """Both times stand until they are moved."""

    def __init__(self) -> None:
        super().__init__(datetime(2026, 11, 24, 8, 0, 30, 500_000, tzinfo=UTC))
        self.mono = 1_000.0

    def monotonic(self) -> float:
        return self.mono

    def pass_s(self, seconds: float) -> None:
        """Let wall and monotonic time pass together."""
        self.move(timedelta(seconds=seconds))
        self.mono += seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def tokens(watch: Watch) -> Tokens:
    return Tokens(KEYS, ISSUER, watch)


def reason(check: Callable[[], object]) -> str:
    """Why a token was refused."""
    with pytest.raises(TokenInvalid) as caught:
        check()
    return str(caught.value.extra["reason"])


def own_key(tokens: Tokens) -> ECKey:
    return cast("ECKey", cast("Any", tokens.signing)._current().keys["ES256"])


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def forged(tokens: Tokens, *, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:  # fmt: skip
    """A token like ours but for what is said otherwise; None takes a claim out."""
    mine = own_key(tokens)
    body = {k: v for k, v in (claims_of(tokens.access(CITIZEN)) | claims).items() if v is not None}
    head: dict[str, Any] = {"alg": "ES256", "typ": "at+jwt", "kid": mine.kid} | (header or {})
    return jwt.encode(head, body, key or mine, algorithms=[head["alg"]])


@pytest.mark.parametrize("who", [CITIZEN, OPERATOR, AGENT], ids=["citizen", "operator", "agent"])
def test_who_got_a_token_is_known_by_it(tokens: Tokens, who: Caller | Staff) -> None:
    pair = tokens.issue(who, 0)
    assert tokens.check(pair.access_token) == who
    assert tokens.check(pair.access_token) == who  # this time from memory
    assert tokens.read_refresh(pair.refresh_token) == (who.session_id, 0)
    assert (pair.expires_in, pair.token_type) == (ACCESS_S, "Bearer")


def test_every_process_of_an_installation_has_the_same_key(tokens: Tokens, watch: Watch) -> None:
    other = Tokens(KEYS, ISSUER, watch)
    assert other.check(tokens.access(CITIZEN)) == CITIZEN
    assert other.jwks() == tokens.jwks()


def test_the_published_key_checks_tokens_and_makes_none(tokens: Tokens) -> None:
    (public,) = tokens.jwks()["keys"]
    assert "d" not in public
    assert (public["kty"], public["crv"], public["alg"]) == ("EC", "P-256", "ES256")
    found = jwt.decode(tokens.access(AGENT), ECKey.import_key(public), algorithms=["ES256"])
    assert found.header == {"alg": "ES256", "typ": "at+jwt", "kid": public["kid"]}
    assert found.claims["aud"] == "civicmall"
    assert found.claims["shop"] == "utility_bills"


def test_a_token_without_a_signature(tokens: Tokens) -> None:
    head, body, mac = tokens.access(CITIZEN).split(".")
    plain = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').decode().rstrip("=")
    for bad in (f"{plain}.{body}.", f"{plain}.{body}.{mac}", f"{head}.{body}."):
        assert reason(lambda bad=bad: tokens.check(bad)) == "signature"


def test_a_token_signed_with_the_public_key_as_a_password(tokens: Tokens) -> None:
    pem = own_key(tokens).as_pem(private=False)
    bad = forged(tokens, key=OctKey.import_key(pem.hex()), header={"alg": "HS256"})
    assert reason(lambda: tokens.check(bad)) == "signature"


def test_a_token_of_another_key(tokens: Tokens, watch: Watch) -> None:
    stranger = Tokens(Keys(crypto.generate()), ISSUER, watch)
    assert reason(lambda: tokens.check(stranger.access(CITIZEN))) == "signature"
    same_kid = forged(tokens, key=own_key(stranger))
    assert reason(lambda: tokens.check(same_kid)) == "signature"


@pytest.mark.parametrize(
    ("said", "claims", "header"),
    [
        ("issuer", {"iss": "https://other.example"}, {}),
        ("issuer", {"iss": None}, {}),
        ("audience", {"aud": "another-app"}, {}),
        ("audience", {"aud": None}, {}),
        ("audience", {"aud": ["civicmall", "another-app"]}, {}),
        ("type", {}, {"typ": "JWT"}),
        ("claims", {"sid": None}, {}),
        ("claims", {"sub": "me"}, {}),
        ("claims", {"acr": "Lx"}, {}),
        ("claims", {"acr": None}, {}),
        ("claims", {"exp": None}, {}),
        ("claims", {"role": "operator"}, {}),
    ],
)
def test_a_token_for_something_else(
    tokens: Tokens, said: str, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    bad = forged(tokens, header=header, **claims)
    assert reason(lambda: tokens.check(bad)) == said


def test_a_token_from_the_future(tokens: Tokens, watch: Watch) -> None:
    now = int(watch.now().timestamp())
    assert reason(lambda: tokens.check(forged(tokens, iat=now + 60))) == "clock"
    assert tokens.check(forged(tokens, iat=now + 3)) == CITIZEN  # clocks differ a little


def test_a_token_ends_on_its_second(tokens: Tokens, watch: Watch) -> None:
    token = tokens.access(CITIZEN)
    end = claims_of(token)["exp"]
    assert end == int(watch.now().timestamp()) + ACCESS_S
    watch.at = datetime.fromtimestamp(end, UTC) - timedelta(milliseconds=1)
    assert tokens.check(token) == CITIZEN
    watch.at = datetime.fromtimestamp(end, UTC)  # RFC 7519, 4.1.4: on or after
    with pytest.raises(TokenExpired):
        tokens.check(token)
    with pytest.raises(TokenExpired):
        Tokens(KEYS, ISSUER, watch).check(token)  # where it was never seen before


def test_memory_never_outlives_the_token(tokens: Tokens, watch: Watch) -> None:
    token = tokens.access(CITIZEN)
    watch.pass_s(ACCESS_S - 10)
    assert tokens.check(token) == CITIZEN
    watch.pass_s(11)  # well within what is remembered
    with pytest.raises(TokenExpired):
        tokens.check(token)


def test_what_is_remembered_is_checked_anew_after_a_while(
    tokens: Tokens, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tokens.access(CITIZEN)
    decoded = 0
    real = signing.jwt.decode

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal decoded
        decoded += 1
        return real(*args, **kwargs)

    monkeypatch.setattr(signing.jwt, "decode", counted)
    for _ in range(5):
        tokens.check(token)
    assert decoded == 1
    watch.pass_s(module.CACHE_S + 1)
    tokens.check(token)
    assert decoded == 2


def test_memory_stays_small(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE_MAX", 3)
    for _ in range(10):
        who = Caller(ids.new(1), ids.new(1), 1)
        assert tokens.check(tokens.access(who)) == who
        assert len(cast("Any", tokens)._known) <= 3


def test_an_ended_session_is_refused_even_from_memory(tokens: Tokens) -> None:
    token = tokens.access(CITIZEN)
    assert tokens.check(token) == CITIZEN
    tokens.end(CITIZEN.session_id)
    assert reason(lambda: tokens.check(token)) == "session-ended"
    other = Caller(CITIZEN.citizen_id, ids.new(7), 2)
    assert tokens.check(tokens.access(other)) == other  # the owner's other devices stay


def test_news_of_ended_sessions_replaces_what_was_known_before(
    tokens: Tokens, watch: Watch
) -> None:
    token = tokens.access(CITIZEN)
    tokens.end(CITIZEN.session_id)
    watch.pass_s(1)
    elsewhere = uuid4()
    tokens.keep_ended({elsewhere}, watch.monotonic())
    assert tokens.check(token) == CITIZEN
    tokens.keep_ended({CITIZEN.session_id}, watch.monotonic())
    assert reason(lambda: tokens.check(token)) == "session-ended"


def test_what_ended_here_while_the_news_was_fetched_is_not_forgotten(
    tokens: Tokens, watch: Watch
) -> None:
    token = tokens.access(CITIZEN)
    asked_at = watch.monotonic()
    watch.pass_s(0.01)
    tokens.end(CITIZEN.session_id)  # after the rows were read, before they arrived
    tokens.keep_ended(set(), asked_at)
    assert reason(lambda: tokens.check(token)) == "session-ended"


def test_too_long_a_token_is_not_looked_at(tokens: Tokens) -> None:
    assert reason(lambda: tokens.check("a" * (module.TOKEN_MAX + 1))) == "too-long"
    assert reason(lambda: tokens.check("a" * module.TOKEN_MAX)) == "signature"


@given(st.text(max_size=200))
def test_garbage_has_a_reason(text: str) -> None:
    assert reason(lambda: Tokens(KEYS, ISSUER, Watch()).check(text)) == "signature"


@given(st.lists(st.text("abcdefghijklmnopqrstuvwxyzAB01-_=", max_size=40), min_size=3, max_size=3))
def test_garbage_that_looks_like_a_token_has_a_reason(parts: list[str]) -> None:
    assert reason(lambda: Tokens(KEYS, ISSUER, Watch()).check(".".join(parts))) == "signature"


@given(st.uuids(), st.integers(0, 2**32 - 1))
def test_a_refresh_token_tells_session_and_generation(session: UUID, generation: int) -> None:
    made = Tokens(KEYS, ISSUER, Watch())
    who = Caller(CITIZEN.citizen_id, session, 1)
    assert made.read_refresh(made.issue(who, generation).refresh_token) == (session, generation)


def test_no_byte_of_a_refresh_token_can_be_changed(tokens: Tokens) -> None:
    raw = base64.urlsafe_b64decode(tokens.issue(CITIZEN, 3).refresh_token)
    for at in range(len(raw)):
        changed = bytes(b ^ (i == at) for i, b in enumerate(raw))
        bad = base64.urlsafe_b64encode(changed).decode()
        assert reason(lambda bad=bad: tokens.read_refresh(bad)) == "signature"


def test_a_refresh_token_of_another_installation(tokens: Tokens, watch: Watch) -> None:
    other = Tokens(Keys(crypto.generate()), ISSUER, watch).issue(CITIZEN, 0).refresh_token
    assert reason(lambda: tokens.read_refresh(other)) == "signature"


@pytest.mark.parametrize("bad", ["", "a", "====", "AAAA", "ключ", "a" * 200, "AAAA" * 13, " "])
def test_a_refresh_token_of_another_form(tokens: Tokens, bad: str) -> None:
    assert reason(lambda: tokens.read_refresh(bad)) == "form"


def test_an_access_token_is_no_refresh_token(tokens: Tokens) -> None:
    pair = tokens.issue(CITIZEN, 0)
    assert reason(lambda: tokens.read_refresh(pair.access_token)) == "form"
    assert reason(lambda: tokens.check(pair.refresh_token)) == "signature"
