"""Decisions of the OpenID Provider: pure, tested without a database.

What a request may ask (RFC 6749, RFC 7636, RFC 9126, OpenID Connect Core 1.0 section 3.1.2), and what
is still to be done before it is answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, cast

import msgspec

from civicmall.identity.models import SignedIn

from .errors import OAuthError
from .forms import Form
from .models import OIDC, SCOPES, AuthRequest, ClaimAsk, Client

PUSHED: Final = "urn:ietf:params:oauth:request_uri:"
PUSHED_S: Final = 90
"""How long a pushed request waits for its citizen (RFC 9126 section 2.2)."""
TICKET_S: Final = 1800
"""How long a citizen may take to sign in, prove who they are, and agree."""
CODE_S: Final = 60
"""A code is brought at once, by a program (RFC 6749 section 4.1.2)."""
CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
SCOPE_TEXT: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*")
STATE: Final = re.compile(r"[\x20-\x7e]+")
"""RFC 6749, appendix A.5; nonces and other texts the same."""
AGE: Final = re.compile(r"[0-9]{1,9}")
PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
LEVELS: Final = {"L1": 1, "L2": 2, "L3": 3}
LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
SIGN_IN: Final = "sign_in"
"""What is agreed to even if nothing is given: to be known there as the same one."""
OFFLINE: Final = "offline_access"
REGISTERED: Final = frozenset({"name", "id_number", "birth_date", "sex"})
"""Claims that only a citizen of level 2 has."""
NAMED: Final = {oidc: claim for claim, oidc in OIDC.items()}

Step = Literal["sign_in", "other", "level", "consent", "go"]
"""What comes next; `other`: somebody else signed in than was asked for."""


def read(client: Client, form: Form, redirect_uri: str) -> AuthRequest:
    """The request of a client that is known, to an address that is its own. Raises OAuthError."""
    _refuse_others(form)
    texts = {name: form[name] for name in ("state", "nonce") if name in form}
    if wrong := [name for name, text in texts.items() if not STATE.fullmatch(text)]:
        raise OAuthError("invalid_request", f"{wrong[0]} holds a character that it can't")
    scope = _scope(client, form)
    level, wanted = _claims(client, form)
    claims = {claim for one in scope for claim in SCOPES[one]} | wanted
    return AuthRequest(
        redirect_uri=redirect_uri,
        scope=scope,
        challenge=_challenge(form),
        prompt=_prompt(form),
        max_age_s=_max_age(form),
        level=max(level, _level(form.get("acr_values", ""))),
        claims=sorted(claims & client.claims.keys()),
        lang=_lang(form.get("ui_locales", "")),
        **texts,
    )


def _refuse_others(form: Form) -> None:
    """What we don't do, by the names that OpenID Connect Core section 3.1.2.6 has for it."""
    if "request" in form:
        raise OAuthError("request_not_supported", "push the request instead (RFC 9126)")
    if "request_uri" in form:
        raise OAuthError("request_uri_not_supported", "only a request pushed here (RFC 9126)")
    if "registration" in form:
        raise OAuthError("registration_not_supported", "clients are registered by the city")
    if "response_type" not in form:
        raise OAuthError("invalid_request", "response_type is missing")
    if form["response_type"] != "code":
        raise OAuthError("unsupported_response_type", "response_type is code")
    if form.get("response_mode", "query") != "query":
        raise OAuthError("invalid_request", "response_mode is query")


def _scope(client: Client, form: Form) -> list[str]:
    said = form.get("scope", "")
    if not SCOPE_TEXT.fullmatch(said):
        raise OAuthError("invalid_scope", "scope is missing, or not of words and single spaces")
    asked = set(said.split(" "))
    if "openid" not in asked:
        raise OAuthError("invalid_scope", "scope holds openid")
    if not asked <= set(client.scopes):
        raise OAuthError("invalid_scope", "a scope that the client is not registered for")
    return [one for one in SCOPES if one in asked]


def _challenge(form: Form) -> str:
    """Never `plain`, and never without: also a client with a secret may be sent another's code."""
    if "code_challenge" not in form:
        raise OAuthError("invalid_request", "code_challenge is missing (RFC 7636)")
    if form.get("code_challenge_method", "plain") != "S256":
        raise OAuthError("invalid_request", "code_challenge_method is S256")
    if not CHALLENGE.fullmatch(form["code_challenge"]):
        raise OAuthError("invalid_request", "code_challenge is no SHA-256 in base64url")
    return form["code_challenge"]


def _prompt(form: Form) -> list[str]:
    said = form.get("prompt", "").split()
    if not PROMPTS.issuperset(said):
        raise OAuthError("invalid_request", "prompt: " + ", ".join(sorted(PROMPTS)))
    if "none" in said and len(said) > 1:
        raise OAuthError("invalid_request", "prompt none stands alone")
    return said


def _max_age(form: Form) -> int | None:
    said = form.get("max_age")
    if said is None:
        return None
    if not AGE.fullmatch(said):
        raise OAuthError("invalid_request", "max_age is a number of seconds")
    return int(said)


def _level(acr_values: str) -> int:
    """The lowest of the levels that would do; others' names for levels don't count."""
    return min((LEVELS[one] for one in acr_values.split() if one in LEVELS), default=1)


def _claims(client: Client, form: Form) -> tuple[int, set[str]]:
    """Level and claims that the `claims` parameter asks for (OpenID Connect Core section 5.5)."""
    if "claims" not in form:
        return 1, set()
    try:
        said: Any = msgspec.json.decode(form["claims"])
        userinfo: Any = said.get("userinfo") or {}
        id_token: Any = said.get("id_token") or {}
        wanted = {NAMED[name] for name in userinfo if name in NAMED}
        acr: Any = id_token.get("acr") or {}
        values: Any = acr.get("values", [acr["value"]] if "value" in acr else [])
        level = _level(" ".join(values))
    except (msgspec.MsgspecError, AttributeError, TypeError, RecursionError) as error:
        raise OAuthError("invalid_request", "claims is not what OpenID Connect says") from error
    return level, wanted & client.claims.keys()


def _lang(ui_locales: str) -> Literal["zh-CN", "en"] | None:
    """The first of the languages that we have pages in."""
    for one in ui_locales.split():
        tag = one.partition("-")[0].lower()
        if tag in {"zh", "en"}:
            return cast("Literal['zh-CN', 'en']", {"zh": "zh-CN", "en": "en"}[tag])
    return None


class Signed(msgspec.Struct, frozen=True):
    """The citizen at the browser, as far as it matters here."""

    at: datetime
    """When they last showed here that it is them."""
    level: int
    subject: str


def shown_at(session: SignedIn) -> datetime:
    """When somebody last showed that it is them. An account elsewhere may have let them in without
    asking, so a client that wants a fresh sign-in is not content with one by that.
    """
    return LONG_AGO if "federated" in session.amr else session.at


def step(
    client: Client,
    request: AuthRequest,
    made_at: datetime,
    signed: Signed | None,
    agreed: frozenset[tuple[str, str]] | None,
    now: datetime,
) -> Step:
    """What is to be done next; `agreed` is None where nothing that was agreed before counts."""
    if signed is None:
        return "sign_in"
    fresh = signed.at >= made_at
    stale = request.max_age_s is not None and now - signed.at > timedelta(seconds=request.max_age_s)
    other = request.subject not in {None, signed.subject}
    if not fresh and (stale or other or {"login", "select_account"} & set(request.prompt)):
        return "sign_in"
    if other:
        return "other"
    if signed.level < max(client.min_level, request.level):
        return "level"
    if agreed is None or needed(client, request) - agreed:
        return "consent"
    return "go"


def counts_before(client: Client, request: AuthRequest) -> bool:
    """Whether what was agreed before may be taken as the answer. Not where any program on a device
    could have asked in the name of a native client (RFC 8252 section 8.6).
    """
    return not client.native and "consent" not in request.prompt


def asked(client: Client, request: AuthRequest) -> dict[str, ClaimAsk]:
    """Everything that a citizen agrees to when answering, and what for."""
    known = client.asks()
    found = {SIGN_IN: ClaimAsk(cast("Any", client.purpose))}
    found |= {claim: known[claim] for claim in request.claims if claim in known}
    if OFFLINE in request.scope:
        found[OFFLINE] = ClaimAsk(cast("Any", client.purpose))
    return found


def needed(client: Client, request: AuthRequest) -> frozenset[tuple[str, str]]:
    """What must be agreed to, as consents are kept: claim and purpose in Chinese."""
    return frozenset(
        (claim, ask.purpose["zh-CN"])
        for claim, ask in asked(client, request).items()
        if not ask.optional
    )


def refused_silently(next_step: Step) -> OAuthError:
    """What `prompt=none` gets where somebody would have to do something."""
    kind = {"sign_in": "login_required", "other": "login_required", "level": "interaction_required"}
    return OAuthError(kind.get(next_step, "consent_required"), "prompt is none")


def covered(claims: Iterable[str], scope: Iterable[str], of: Iterable[str]) -> list[str]:
    """The claims that are left when a scope is narrowed to `of`."""
    gone = {claim for one in set(scope) - set(of) for claim in SCOPES.get(one, ())}
    kept = {claim for one in of for claim in SCOPES.get(one, ())}
    return [claim for claim in claims if claim in kept or claim not in gone]
