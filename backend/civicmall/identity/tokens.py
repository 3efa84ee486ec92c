"""Access tokens (JWT, RFC 9068 shape, ES256) and refresh tokens.

Checking an access token never asks the database: the signature is checked once per token and then
remembered for at most a minute, and the ids of sessions that were ended are kept at hand.
A refresh token is a session's id and generation with a keyed hash: nothing of it is stored, and
an old generation tells by itself that the token was copied.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from civicmall.kernel.clock import Clock
from civicmall.kernel.crypto import Keys

from .errors import TokenExpired, TokenInvalid
from .models import Caller, Staff, TokenPair
from .rules import ACCESS_S

CACHE_MAX: Final = 20_000
CACHE_S: Final = 60.0
TOKEN_MAX: Final = 4_096
"""Bytes of an access token; ours have about 500."""
LEEWAY_S: Final = 5
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
MAC: Final = 16

Who = Caller | Staff


class Tokens:
    """Makes and checks this installation's tokens."""

    def __init__(self, keys: Keys, issuer: str, clock: Clock) -> None:
        self._issuer = issuer
        self._clock = clock
        self._key = _signing_key(keys)
        self._refresh_key = keys.derive("refresh-tokens")
        self._shown: list[dict[str, Any]] = []
        self._known: dict[bytes, tuple[Who, int, float]] = {}
        self._ended: dict[UUID, float] = {}
        """Sessions that were ended, and when this process heard of it (monotonic)."""

    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517): what tokens are signed with, and what others have shown."""
        own: dict[str, Any] = dict(KeySet([self._key]).as_dict(private=False))
        return {"keys": [*own["keys"], *self._shown]}

    def show(self, jwk: dict[str, Any]) -> None:
        """Publish another public key of the platform's beside ours."""
        self._shown.append(jwk)

    def issue(self, who: Who, generation: int) -> TokenPair:
        """An access token for now and the refresh token of this generation."""
        return TokenPair(self.access(who), self._refresh(who.session_id, generation), ACCESS_S)

    def access(self, who: Who) -> str:
        """An access token, good for `ACCESS_S` seconds."""
        now = int(self._clock.now().timestamp())
        owner = who.citizen_id if isinstance(who, Caller) else who.staff_id
        claims: dict[str, Any] = {
            "iss": self._issuer, "aud": "civicmall", "sub": str(owner),
            "sid": str(who.session_id), "iat": now, "exp": now + ACCESS_S,
        }  # fmt: skip
        if isinstance(who, Caller):
            claims["acr"] = f"L{who.level}"
        else:
            claims |= {"role": who.role, "name": who.name, "shop": who.shop}
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self._key.kid}
        return jwt.encode(header, claims, self._key)

    def check(self, token: str) -> Who:
        """Whose token this is. Raises TokenExpired, TokenInvalid."""
        if len(token) > TOKEN_MAX:
            raise TokenInvalid(reason="too-long")
        digest = hashlib.sha256(token.encode()).digest()
        mono = self._clock.monotonic()
        known = self._known.get(digest)
        if known is None or mono - known[2] > CACHE_S:
            who, expires = self._decode(token)
            if len(self._known) >= CACHE_MAX:
                self._known.clear()  # once in a long while; refilling costs 0.1 ms a token
            known = self._known[digest] = (who, expires, mono)
        if known[1] <= self._clock.now().timestamp():
            raise TokenExpired
        if known[0].session_id in self._ended:
            raise TokenInvalid(reason="session-ended")
        return known[0]

    def _decode(self, token: str) -> tuple[Who, int]:
        try:
            decoded = jwt.decode(token, self._key, algorithms=["ES256"])
        except (JoseError, ValueError, TypeError) as error:
            raise TokenInvalid(reason="signature") from error
        claims = decoded.claims
        if decoded.header.get("typ") != "at+jwt":
            raise TokenInvalid(reason="type")
        if claims.get("iss") != self._issuer:
            raise TokenInvalid(reason="issuer")
        if claims.get("aud") != "civicmall":
            raise TokenInvalid(reason="audience")
        if claims.get("iat", 0) > self._clock.now().timestamp() + LEEWAY_S:
            raise TokenInvalid(reason="clock")
        try:
            return _who(claims), int(claims["exp"])
        except (KeyError, TypeError, ValueError) as error:  # ours, but of another version
            raise TokenInvalid(reason="claims") from error

    def end(self, session: UUID) -> None:
        """Let a session's tokens stop working here at once."""
        self._ended[session] = self._clock.monotonic()

    def keep_ended(self, sessions: set[UUID], asked_at: float) -> None:
        """All sessions ended in the last while, wherever that happened. What ended here after
        the asking began (monotonic) may be missing in the answer, and is kept too.
        """
        here = {session: at for session, at in self._ended.items() if at >= asked_at}
        self._ended = dict.fromkeys(sessions, asked_at) | here

    def _refresh(self, session: UUID, generation: int) -> str:
        body = session.bytes + generation.to_bytes(4)
        mac = hmac.new(self._refresh_key, body, hashlib.sha256).digest()[:MAC]
        return base64.urlsafe_b64encode(body + mac).decode()

    def read_refresh(self, token: str) -> tuple[UUID, int]:
        """Session and generation of a refresh token. Raises TokenInvalid."""
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except ValueError as error:
            raise TokenInvalid(reason="form") from error
        body, mac = raw[:-MAC], raw[-MAC:]
        if len(body) != 20:  # noqa: PLR2004 (a UUID and four bytes)
            raise TokenInvalid(reason="form")
        good = hmac.new(self._refresh_key, body, hashlib.sha256).digest()[:MAC]
        if not hmac.compare_digest(good, mac):
            raise TokenInvalid(reason="signature")
        return UUID(bytes=body[:16]), int.from_bytes(body[16:])


def _who(claims: dict[str, Any]) -> Who:
    """Whom a token's claims name."""
    session, subject = UUID(claims["sid"]), UUID(claims["sub"])
    if "role" in claims:
        return Staff(subject, session, claims["name"], claims["role"], claims["shop"])
    return Caller(subject, session, int(claims["acr"][1:]))


def _signing_key(keys: Keys) -> ECKey:
    """P-256 key derived from the installation's root: every process has the same."""
    wide = keys.derive("access-tokens") + keys.derive("access-tokens:wide")
    secret = int.from_bytes(wide) % (P256_ORDER - 1) + 1
    pem = ec.derive_private_key(secret, ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    key = ECKey.import_key(pem, {"use": "sig", "alg": "ES256"})
    key.ensure_kid()
    return key
