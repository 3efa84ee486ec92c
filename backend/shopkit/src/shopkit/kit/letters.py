"""Requests to a shop at an address, well made; and those parts of which a check makes others."""

from __future__ import annotations

import time
from secrets import token_urlsafe
from typing import Any, Final

import msgspec
from msgspec import Struct

from .. import assertion  # noqa: TID252 (the package is one thing)
from ..assertion import LEVELS, LIFE_S_MAX, Actor, Assertion  # noqa: TID252 (the same)
from ..call import Citizen  # noqa: TID252 (the same)
from ..keys import Key  # noqa: TID252 (the same)
from ..manifest import Http, Manifest  # noqa: TID252 (the same)
from ..sandbox import PLATFORM_KID, PLATFORM_SEED, REQUEST_KEY, WEBHOOK_KEY  # noqa: TID252 (the same)
from ..signatures import NONCE_BYTES, SHARED_KID, SHOP_TAG, Signer  # noqa: TID252 (the same)
from ..webhooks import secret_of  # noqa: TID252 (the same)

ISSUER: Final = "https://sandbox.invalid"
"""Who the kit says it is."""
IMPOSTOR_SEED: Final = b"nobody's key: it signs lies only"
IMPOSTOR: Final = Key(IMPOSTOR_SEED)
"""A key that no shop knows."""
JSON: Final = (b"content-type", b"application/json")
Headers = list[tuple[bytes, bytes]]


class Letter(Struct, frozen=True):
    """A request as it goes over the wire. `path` with the prefix of the shop's url."""

    method: str
    path: str
    headers: Headers
    body: bytes = b""
    query: str = ""


class Pen(Struct, frozen=True):
    """What letters are signed with: `key`, or a `shared` secret where there is one."""

    key: Key
    kid: str = PLATFORM_KID
    tag: str = SHOP_TAG
    shared: bytes | None = None

    @property
    def signer(self) -> Signer:
        """Signs with it."""
        return Signer(self.shared or self.key.private, self.kid, self.tag)

    @property
    def forged(self) -> Pen:
        """A stranger's, under the same name."""
        shared = None if self.shared is None else IMPOSTOR_SEED
        return msgspec.structs.replace(self, key=IMPOSTOR, shared=shared)


PLATFORM: Final = Pen(Key(PLATFORM_SEED))
"""The sandbox's platform, which a shop under development trusts."""
SHARED: Final = Pen(PLATFORM.key, SHARED_KID, shared=REQUEST_KEY)
"""The same, towards a shop that chose to share a secret."""
WEBHOOK_SECRET: Final = secret_of(WEBHOOK_KEY)


def pen_for(manifest: Manifest) -> Pen:
    """What a shop's questions are signed with."""
    runtime = manifest.runtime
    chosen = isinstance(runtime, Http) and runtime.signature == "hmac-sha256"
    return SHARED if chosen else PLATFORM


def seconds() -> int:
    """Unix time."""
    return int(time.time())


def fresh_nonce() -> str:
    """One that never was."""
    return token_urlsafe(NONCE_BYTES)


def claims_of(shop: str, app: str, citizen: Citizen, now: int) -> Assertion:
    """What the platform says of a citizen."""
    return Assertion(
        iss=ISSUER, aud=shop, sub=citizen.sub, app=app, iat=now, exp=now + LIFE_S_MAX,
        acr=LEVELS[citizen.level - 1], claims=dict(citizen.claims),
        act=Actor(citizen.act) if citizen.act else None,
    )  # fmt: skip


def token(said: Assertion, pen: Pen = PLATFORM) -> str:
    """Signed."""
    return assertion.make(pen.key.private, pen.kid, said)


def signed(
    path: str, body: bytes | None, vouched: str | None, *, method: str = "POST", query: str = "",
    now: int | None = None, nonce: str | None = None, pen: Pen = PLATFORM, extra: Headers | None = None,
) -> Letter:  # fmt: skip
    """A letter with a signature over all that the wire asks for. A raw one has `body` None."""
    headers = pen.signer.headers(
        method, path, query, body, vouched, now=seconds() if now is None else now, nonce=nonce
    )
    plain = [] if body is None else [JSON]
    return Letter(method, path, [*plain, *headers, *(extra or [])], body or b"", query)


def altered(letter: Letter, **changed: Any) -> Letter:
    """The letter with something changed after it was signed."""
    return msgspec.structs.replace(letter, **changed)


def without(letter: Letter, *names: bytes) -> Letter:
    """The letter without these headers."""
    return altered(letter, headers=[h for h in letter.headers if h[0] not in names])


def replaced(letter: Letter, name: bytes, value: bytes) -> Letter:
    """The letter with another value of one header."""
    headers = [(n, value if n == name else v) for n, v in letter.headers]
    return altered(letter, headers=headers)
