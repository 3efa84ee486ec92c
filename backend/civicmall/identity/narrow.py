"""A mini-app's own token: good at one app of one shop, and nowhere else (RFC 8693, RFC 9068).

The shop's back end reads it like any at+jwt and learns a pseudonym, a level and who acts. Who the
citizen really is stands in it sealed: the platform's own doors open that, and nobody else can.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct

from civicmall.kernel.crypto import Keys

from .errors import NotAllowed, TokenInvalid
from .models import Actor, Caller
from .subjects import shop_key, shop_subject

LIFE_S: Final = 300
"""Five minutes: the citizen's app exchanges again while the mini-app is open."""
SEALED: Final = "who"
"""The claim that only the platform reads."""
CONTEXT: Final = "identity.exchange.who"
SHOPS_MAX: Final = 1024
"""Shops whose keys are at hand: more than a city has."""
DOORS: Final = frozenset({"bills", "progress", "appointments", "calculate", "enquire", "raw"})
"""The capabilities that have doors at the gateway: what a scope can name."""


class Who(Struct, frozen=True, array_like=True):
    """What is sealed."""

    citizen_id: UUID
    session_id: UUID
    actor: Actor | None = None


class Narrowing:
    """Makes and reads the claims of such tokens; signing them is `Tokens`' affair."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._key: Callable[[str], bytes] = lru_cache(SHOPS_MAX)(partial(shop_key, keys))

    def claims(self, caller: Caller, app: str, scope: frozenset[str]) -> dict[str, Any]:
        """For `shop/app`, with these capabilities; without issuer and times."""
        key = self._key(app.partition("/")[0])
        who = msgspec.json.encode(Who(caller.citizen_id, caller.session_id, caller.actor))
        said: dict[str, Any] = {
            "aud": app, "client_id": app, "sub": shop_subject(key, caller.citizen_id),
            "jti": str(uuid4()),
            "acr": f"L{caller.level}", "scope": " ".join(sorted(scope)),
            SEALED: base64.urlsafe_b64encode(self._keys.seal_bytes(who, CONTEXT)).decode(),
        }  # fmt: skip
        if caller.actor is not None:
            said["act"] = {"sub": shop_subject(key, caller.actor.id)}
        return said

    def caller(self, claims: dict[str, Any]) -> Caller:
        """Whom such claims are about. Raises SealBroken, KeyError, TypeError, ValueError."""
        sealed = base64.b64decode(claims[SEALED], altchars=b"-_", validate=True)
        who = msgspec.json.decode(self._keys.open_bytes(sealed, CONTEXT), type=Who)
        return Caller(
            who.citizen_id, who.session_id, int(claims["acr"][1:]), actor=who.actor,
            app=claims["aud"], scope=frozenset(claims["scope"].split()),
        )  # fmt: skip


def within(caller: Caller, shop: str, app: str, capability: str) -> None:
    """That a token may be used at this door of an app: any of the citizen's own, and the app's for
    what it was given. Raises TokenInvalid, NotAllowed.
    """
    if not caller.app:
        return
    if caller.app != f"{shop}/{app}":
        raise TokenInvalid(reason="audience")
    if capability not in caller.scope:
        raise NotAllowed("the token was not given for this", scope=capability)
