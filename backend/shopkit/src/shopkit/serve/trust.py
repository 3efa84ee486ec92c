"""Whom a served shop believes: the platform's public keys, by their ids, and a secret of both."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from ..keys import Key, public_key  # noqa: TID252 (the package is one thing)
from ..sandbox import PLATFORM_KID, PLATFORM_SEED, REQUEST_KEY  # noqa: TID252 (the same)
from ..signatures import SHARED_KID  # noqa: TID252 (the same)

JWKS_MAX: Final = 64 * 1024
"""Bytes of a key set; ours has three keys."""
FETCH_S: Final = 5.0
"""For the key set: longer, and whoever waits for an answer has left."""
AGAIN_S: Final = 10.0
"""Between two fetches: a stranger who makes up key ids must not make us ask the platform each time."""


class NoKeys(Exception):
    """The platform's keys can't be had; says why."""


class _Jwk(Struct, frozen=True):
    kty: str = ""
    crv: str = ""
    kid: str = ""
    x: str = ""


class _Jwks(Struct, frozen=True):
    keys: list[_Jwk]


_NOT_A_SET: Final = (
    httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError, RecursionError, ValueError,
)  # fmt: skip


def _read(body: bytes) -> dict[str, Ed25519PublicKey]:
    """The Ed25519 keys of a set. Raises ValueError for one under which anybody could sign."""
    return {
        jwk.kid: public_key(jwk.x)
        for jwk in msgspec.json.decode(body, type=_Jwks).keys
        if (jwk.kty, jwk.crv) == ("OKP", "Ed25519") and jwk.kid
    }


class Trust:
    """Fixed keys, and those that the platform publishes at `jwks`, fetched when one is unknown.

    `shared`: the secret of 32 bytes that requests may be signed with, too, where the manifest chose
    `hmac-sha256`. What is said of a citizen is never believed by it.
    """

    def __init__(
        self,
        fixed: Mapping[str, Ed25519PublicKey] | None = None,
        *,
        jwks: str = "",
        shared: bytes | None = None,
        transport: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fixed = dict(fixed or {})
        self._fetched: dict[str, Ed25519PublicKey] = {}
        self._jwks = jwks
        self._shared = shared
        self._transport = transport
        self._clock = clock
        self._asked_at: float | None = None

    def get(self, kid: str) -> Ed25519PublicKey | None:
        """The key of that id, as far as it is known now."""
        return self._fixed.get(kid) or self._fetched.get(kid)

    def signing(self, kid: str) -> Ed25519PublicKey | bytes | None:
        """What requests under that id are signed with."""
        return self._shared if kid == SHARED_KID else self.get(kid)

    def may_refresh(self) -> bool:
        """Whether asking the platform again could bring something."""
        asked = self._asked_at
        return bool(self._jwks) and (asked is None or self._clock() - asked >= AGAIN_S)

    async def refresh(self) -> None:
        """Fetch the key set; those of before stay where that fails. Raises NoKeys."""
        self._asked_at = self._clock()
        try:
            async with (
                httpx.AsyncClient(
                    timeout=FETCH_S, trust_env=False, transport=self._transport
                ) as client,
                client.stream("GET", self._jwks) as answer,
            ):
                answer.raise_for_status()
                body = await _capped(answer)
            found = _read(body)
        except _NOT_A_SET as error:
            raise NoKeys(f"{self._jwks}: {type(error).__name__}: {error}"[:300]) from error
        if not found:
            raise NoKeys(f"{self._jwks}: no Ed25519 key in it")
        self._fetched = found


async def _capped(answer: httpx.Response) -> bytes:
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > JWKS_MAX:
            raise NoKeys(f"{answer.url}: more than {JWKS_MAX} bytes")
    return body


def sandbox_trust(jwks: str = "", shared: bytes | None = None) -> Trust:
    """For a shop under development: the keys that everybody knows, and a sandbox platform's own."""
    return Trust({PLATFORM_KID: Key(PLATFORM_SEED).public}, jwks=jwks, shared=shared or REQUEST_KEY)
