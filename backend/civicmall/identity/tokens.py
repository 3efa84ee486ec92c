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
from typing import Any, Final, get_args
from uuid import UUID

from joserfc.errors import JoseError

from civicmall.kernel.clock import Clock
from civicmall.kernel.crypto import Keys, SealBroken

from . import narrow
from .errors import SignInNeeded, TokenExpired, TokenInvalid
from .models import Actor, Caller, Role, Staff, TokenPair
from .rules import ACCESS_S
from .signing import OtherType, Signing

CACHE_MAX: Final = 20_000
CACHE_S: Final = 60.0
TOKEN_MAX: Final = 4_096
"""Bytes of an access token; ours have about 500."""
LEEWAY_S: Final = 5
TYPE: Final = "at+jwt"
MAC: Final = 16
ROLES: Final = frozenset(get_args(Role))

Who = Caller | Staff
_Known = tuple[Who, int, float]
"""Whose token it is, when it ends, and when it was checked (monotonic)."""


class Tokens:
    """Makes and checks this installation's tokens."""

    def __init__(self, keys: Keys, issuer: str, clock: Clock) -> None:
        self._issuer = issuer
        self._clock = clock
        self.signing = Signing(keys, clock)
        self._narrowing = narrow.Narrowing(keys)
        self._refresh_key = keys.derive("refresh-tokens")
        self._known: dict[bytes, _Known] = {}
        self.signing.on_end.append(self._known.clear)
        self._ended: dict[UUID, float] = {}
        """Sessions that were ended, and when this process heard of it (monotonic)."""

    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517): what tokens are signed with, and what others have shown."""
        return self.signing.jwks()

    def show(self, jwk: dict[str, Any]) -> None:
        """Publish another public key of the platform's beside ours."""
        self.signing.show(jwk)

    def issue(self, who: Who, generation: int) -> TokenPair:
        """An access token for now and the refresh token of this generation."""
        return TokenPair(self.access(who), self._refresh(who.session_id, generation), ACCESS_S)

    def access(self, who: Who) -> str:
        """An access token, good for `ACCESS_S` seconds, and no longer than the delegation it is by."""
        now = int(self._clock.now().timestamp())
        owner = who.citizen_id if isinstance(who, Caller) else who.staff_id
        claims: dict[str, Any] = {
            "iss": self._issuer, "aud": "civicmall", "sub": str(owner),
            "sid": str(who.session_id), "iat": now, "exp": _end(who, now + ACCESS_S),
        }  # fmt: skip
        if isinstance(who, Caller):
            claims["acr"] = f"L{who.level}"
            if who.actor is not None:
                claims |= _acting(who.actor)
        else:
            claims |= {"role": who.role, "name": who.name, "shop": who.shop, "enrol": who.enrolling}
        return self.signing.sign(TYPE, claims)

    def narrow(self, caller: Caller, app: str, scope: frozenset[str]) -> str:
        """A mini-app's own token, good for `narrow.LIFE_S` seconds at `shop/app` alone."""
        now = int(self._clock.now().timestamp())
        times = {"iss": self._issuer, "iat": now, "exp": _end(caller, now + narrow.LIFE_S)}
        return self.signing.sign(TYPE, times | self._narrowing.claims(caller, app, scope))

    def check(self, token: str) -> Who:
        """Whose token this is; a mini-app's is nobody's here. Raises TokenExpired, TokenInvalid."""
        who = self.check_any(token)
        if isinstance(who, Caller) and who.app:
            raise TokenInvalid(reason="audience")
        return who

    def check_any(self, token: str) -> Who:
        """The same for doors that a mini-app has too: they look whether it is theirs
        (`narrow.within`). Raises TokenExpired, TokenInvalid.
        """
        key = hashlib.sha256(token.encode()).digest()
        return self._holding(self._fresh(key) or self._remember(key, token))

    def bearer(self, header: bytes) -> Who:
        """As `check_any`, of an Authorization header (RFC 6750 section 2.1) as it came; empty where
        none did. Raises SignInNeeded too.
        """
        key = hashlib.sha256(header).digest()
        known = self._fresh(key)
        if known is None:
            scheme, _, token = header.decode("latin-1").partition(" ")
            if not token:
                raise SignInNeeded
            if scheme.lower() != "bearer":
                raise TokenInvalid(reason="scheme")
            known = self._remember(key, token.strip())
        return self._holding(known)

    def _fresh(self, key: bytes) -> _Known | None:
        """What was checked within the last minute."""
        known = self._known.get(key)
        if known is None or self._clock.monotonic() - known[2] > CACHE_S:
            return None
        return known

    def _remember(self, key: bytes, token: str) -> _Known:
        if len(token) > TOKEN_MAX:
            raise TokenInvalid(reason="too-long")
        who, expires = self._decode(token)
        if len(self._known) >= CACHE_MAX:
            self._known.clear()  # once in a long while; refilling costs 0.1 ms a token
        known = self._known[key] = (who, expires, self._clock.monotonic())
        return known

    def _holding(self, known: _Known) -> Who:
        """Whose it is, while it holds."""
        who, expires, _ = known
        if expires <= self._clock.now().timestamp():
            raise TokenExpired
        if who.session_id in self._ended:
            raise TokenInvalid(reason="session-ended")
        if isinstance(who, Caller) and who.actor and who.actor.delegation in self._ended:
            raise TokenInvalid(reason="delegation-ended")
        return who

    def _decode(self, token: str) -> tuple[Who, int]:
        try:
            claims = self.signing.read(token, TYPE)
        except OtherType as error:
            raise TokenInvalid(reason="type") from error
        except (JoseError, ValueError, TypeError) as error:
            raise TokenInvalid(reason="signature") from error
        if claims.get("iss") != self._issuer:
            raise TokenInvalid(reason="issuer")
        if claims.get("aud") != "civicmall" and narrow.SEALED not in claims:
            raise TokenInvalid(reason="audience")
        if claims.get("iat", 0) > self._clock.now().timestamp() + LEEWAY_S:
            raise TokenInvalid(reason="clock")
        try:
            own = narrow.SEALED not in claims
            return _who(claims) if own else self._narrowing.caller(claims), int(claims["exp"])
        except (
            KeyError,
            TypeError,
            ValueError,
            SealBroken,
        ) as error:  # ours, but of another version
            raise TokenInvalid(reason="claims") from error

    def end(self, session: UUID) -> None:
        """Let the tokens of a session, a delegation or a grant stop working here at once."""
        self._ended[session] = self._clock.monotonic()

    def ended(self, what: UUID) -> bool:
        """Whether a session, a delegation or a grant ended lately, as far as this process knows."""
        return what in self._ended

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
        if claims["role"] not in ROLES:  # of a version that had others
            raise ValueError(claims["role"])
        enrolling = claims.get("enrol", False) is True
        return Staff(subject, session, claims["name"], claims["role"], claims["shop"], enrolling)
    actor = _actor(claims) if "act" in claims else None
    return Caller(subject, session, int(claims["acr"][1:]), actor=actor)


def _acting(actor: Actor) -> dict[str, Any]:
    """Who acts, in a token (RFC 8693 section 4.1)."""
    return {
        "act": {"sub": str(actor.id)}, "dlg": str(actor.delegation), "may": sorted(actor.may),
        "shops": None if actor.shops is None else sorted(actor.shops), "until": actor.until,
    }  # fmt: skip


def _end(who: Who, at: int) -> int:
    """When a token ends that would end then (Unix seconds): with the delegation at the latest."""
    until = who.actor.until if isinstance(who, Caller) and who.actor else None
    return at if until is None else min(at, until)


def _actor(claims: dict[str, Any]) -> Actor:
    shops = claims["shops"]
    return Actor(
        UUID(claims["act"]["sub"]), UUID(claims["dlg"]), frozenset(claims["may"]),
        None if shops is None else frozenset(shops), claims["until"],
    )  # fmt: skip
