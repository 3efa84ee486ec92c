"""Token exchange (RFC 8693): the citizen's app gets a token of its own for each mini-app it opens.

The subject token is what authenticates: whoever has it could do all that the citizen may, so a
token that can do less is no secret from them. No client is named, and none is needed.
"""

from __future__ import annotations

from typing import Any, Final

from civicmall.identity import agreements
from civicmall.identity.models import Caller
from civicmall.identity.narrow import LIFE_S
from civicmall.identity.provider.errors import OAuthError
from civicmall.identity.provider.forms import Form, need
from civicmall.identity.tokens import Tokens
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House
from civicmall.shops import NoSuchApp, Registry
from shopkit import App

from . import rules

GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
MADE: Final = frozenset({ACCESS, JWT})
"""What may be asked for: an access token, which is a JWT (RFC 8693 section 3)."""


async def swap(house: House, tokens: Tokens, registry: Registry, form: Form) -> dict[str, Any]:
    """A mini-app's own token for the citizen's, as RFC 8693 section 2.2.1 has it. Raises OAuthError."""
    if not MADE.issuperset({form.get("requested_token_type", ACCESS)}):
        raise OAuthError("invalid_request", "requested_token_type is none that is made here")
    if "actor_token" in form or "actor_token_type" in form:
        raise OAuthError("invalid_request", "who acts stands in the subject token")
    if "resource" in form:
        raise OAuthError("invalid_target", "an app is named by audience, as shop/app")
    caller = _subject(tokens, form)
    audience = need(form, "audience")
    app = _app(registry, caller, audience)
    scope = rules.narrowed(form.get("scope"), app.capabilities)
    if scope is None:
        raise OAuthError("invalid_scope", "scope names what the app has no doors for")
    shop = audience.partition("/")[0]
    await _check_rights(house, caller, shop, app)
    token = tokens.narrow(caller, audience, scope)
    found: dict[str, Any] = {
        "access_token": token, "issued_token_type": ACCESS, "token_type": "Bearer",
        "expires_in": _life_s(house, caller),
    }  # fmt: skip
    # An app may have no doors of its own: then the token only says to the shop who is there.
    return found | ({"scope": " ".join(sorted(scope))} if scope else {})


def _life_s(house: House, caller: Caller) -> int:
    """Seconds that it is good for: no longer than the delegation it is by."""
    until = caller.actor.until if caller.actor else None
    now = int(house.clock.now().timestamp())
    return LIFE_S if until is None else max(0, min(LIFE_S, until - now))


def _subject(tokens: Tokens, form: Form) -> Caller:
    """Whose token it is: the citizen's own, and never one that was exchanged."""
    if need(form, "subject_token_type") != ACCESS:
        raise OAuthError("invalid_request", "subject_token_type is not an access token's")
    try:
        found = tokens.check(need(form, "subject_token"))
    except Problem as problem:
        reason = problem.extra.get("reason", "expired")
        raise OAuthError("invalid_request", f"subject_token: {reason}") from problem
    if not isinstance(found, Caller):
        raise OAuthError("invalid_request", "subject_token is no citizen's")
    return found


def _app(registry: Registry, caller: Caller, audience: str) -> App:
    """The app as this citizen meets it."""
    named = rules.shop_and_app(audience)
    if named is None:
        raise OAuthError("invalid_target", "audience is not of the form shop/app")
    shop, name = named
    try:
        app = registry.pick(shop, caller.citizen_id).manifest.app(name)
        if app is None:
            raise NoSuchApp(shop=shop, app=name)
    except Problem as problem:
        kind = problem.type.rpartition("/")[2]
        raise OAuthError("invalid_target", f"audience: {kind}") from problem
    actor = caller.actor
    if actor is not None and actor.shops is not None and shop not in actor.shops:
        raise OAuthError("invalid_target", "audience: nobody may act for another there")
    return app


async def _check_rights(house: House, caller: Caller, shop: str, app: App) -> None:
    """As the gateway does at each call: better said before the mini-app opens."""
    if caller.level < app.min_level:
        needed = f"acr L{app.min_level} is needed"
        raise OAuthError("insufficient_user_authentication", needed)
    if app.claims:
        agreed = await agreements.agreed(house.db, caller.citizen_id, f"{shop}/{app.id}")
        missing = [c.name for c in app.claims if (c.name, c.purpose["zh-CN"]) not in agreed]
        if missing:
            raise OAuthError("consent_required", "the citizen agrees first: " + " ".join(missing))
