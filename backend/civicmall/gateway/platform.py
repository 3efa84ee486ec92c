"""What speaks for the platform to shops at addresses of their own: its key, and what it vouches for."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from msgspec import Struct

from civicmall.kernel.crypto import Keys
from shopkit.assertion import LEVELS, LIFE_S_MAX, Actor, Assertion, make
from shopkit.call import Citizen
from shopkit.keys import Key, shared_text
from shopkit.signatures import SHARED_KID, SHOP_TAG, Algorithm, Signer
from shopkit.webhooks import secret_of

from .addresses import Networks

KID: Final = "shops-1"
"""The id of the platform's key in /.well-known/jwks.json."""
ASSERTIONS_MAX: Final = 20_000
FRESH_S: Final = 60
"""An assertion is used again for half of its life: making one takes as long as a whole call."""


def webhook_secret(keys: Keys, shop: str) -> str:
    """What a shop checks its events with; its department gets it from whoever has the keys."""
    return secret_of(keys.derive(f"webhooks:{shop}"))


def request_secret(keys: Keys, shop: str) -> str:
    """What a shop checks its requests with, if its manifest chose to share a secret; handed over in
    the same way.
    """
    return shared_text(_shared(keys, shop))


def _shared(keys: Keys, shop: str) -> bytes:
    return keys.derive(f"requests:{shop}")


class Vouched(Struct, frozen=True):
    """Whom a token is for."""

    shop: str
    app: str
    sub: str
    level: int
    claims: tuple[tuple[str, str], ...]
    act: str | None


class Platform:
    """One per process."""

    def __init__(self, keys: Keys, issuer: str, networks: Networks, *, https_only: bool) -> None:
        self._keys = keys
        self._key = Key(keys.derive("shops:platform"))
        self.issuer = issuer
        self.networks = networks
        self.https_only = https_only
        self._signer = Signer(self._key.private, KID, SHOP_TAG)
        self._made: OrderedDict[Vouched, tuple[int, str]] = OrderedDict()

    def jwk(self) -> dict[str, Any]:
        """The public key, as shops fetch it."""
        return dict(self._key.jwk(KID))

    def signer(self, shop: str, algorithm: Algorithm) -> Signer:
        """What signs requests to a shop, as its manifest chose."""
        if algorithm == "ed25519":
            return self._signer
        return Signer(_shared(self._keys, shop), SHARED_KID, SHOP_TAG)

    def webhook_secret(self, shop: str) -> str:
        """What this shop checks its events with."""
        return webhook_secret(self._keys, shop)

    def assertion(self, shop: str, app: str, citizen: Citizen, now: int) -> str:
        """The token that says who is served; `now` in Unix seconds."""
        claims = tuple(sorted(citizen.claims.items()))
        whom = Vouched(shop, app, citizen.sub, citizen.level, claims, citizen.act)
        made = self._made.get(whom)
        if made is not None and 0 <= now - made[0] < FRESH_S:
            return made[1]
        token = make(
            self._key.private,
            KID,
            Assertion(
                iss=self.issuer, aud=shop, sub=citizen.sub, app=app, iat=now, exp=now + LIFE_S_MAX,
                acr=LEVELS[citizen.level - 1], claims=dict(citizen.claims),
                act=Actor(citizen.act) if citizen.act else None,
            ),
        )  # fmt: skip
        self._made[whom] = (now, token)
        self._made.move_to_end(whom)
        if len(self._made) > ASSERTIONS_MAX:
            self._made.popitem(last=False)
        return token
