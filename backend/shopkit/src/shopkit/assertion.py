"""Who is served, as a remote shop learns it: a short-lived JWT in the header `civicmall-assertion`.

It names the citizen by the pseudonym that only this shop knows, with the claims consented to and
nothing else. It is good for one audience and for two minutes at most, and the request's signature
covers it, so it can't be taken off one request and put on another.

Its `alg` is `EdDSA` (RFC 8037): the name that joserfc, npm's jose and the JWT libraries of Go, Java,
PHP and PyJWT all take today. RFC 9864 renames it `Ed25519`, and `read` takes that as well, so the
platform can follow once those libraries have.
"""

from __future__ import annotations

from binascii import Error as NotBase64
from typing import Annotated, Any, Final, Literal, NoReturn, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode
from msgspec import Meta, Struct

from .keys import Keys
from .signatures import SKEW_S, quoted

TYPE: Final = "civicmall-assertion+jwt"
ALGORITHMS: Final = ("EdDSA", "Ed25519")
"""Two names of one algorithm; neither `none` nor a MAC is ever looked up."""
LIFE_S_MAX: Final = 120
"""An assertion serves one call; the longest deadline of a call is a minute, and clocks differ."""
TOKEN_MAX: Final = 8_192
"""Characters; what common servers take as one header. Ours have about 600."""
HEADER_MAX: Final = 512
"""Characters of the token's header, which is read before its signature is checked."""

Check = Literal[
    "assertion-missing", "assertion-malformed", "assertion-type", "assertion-signature",
    "assertion-claims", "assertion-audience", "assertion-expired",
]  # fmt: skip
CHECKS: Final[tuple[Check, ...]] = get_args(Check)

Level = Literal["L1", "L2", "L3"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
"""Real-name assurance 1 to 3, in order."""
Name = Annotated[str, Meta(min_length=1, max_length=256)]


class BadAssertion(Exception):
    """An assertion that isn't believed: which check failed, and what was seen (never a claim)."""

    def __init__(self, check: Check, seen: str) -> None:
        super().__init__(f"{check}: {seen}")
        self.check: Final[Check] = check
        self.seen: Final = seen


class Actor(Struct, frozen=True):
    """Who acts for the citizen (RFC 8693, section 4.1)."""

    sub: Name
    """Pairwise, as the citizen's own."""


class Assertion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the platform vouches for, for one call of one app."""

    iss: Name
    """The platform's URL."""
    aud: Name
    """The shop's id."""
    sub: Name
    """Pairwise: the same citizen has another `sub` in every other shop."""
    app: Name
    iat: int
    """Unix seconds, as `exp`."""
    exp: int
    acr: Level
    """Real-name assurance: L1 phone, L2 register, L3 face."""
    claims: dict[str, str]
    """Only what the citizen consented to give this shop."""
    act: Actor | None = None


class _Header(Struct, frozen=True):
    alg: str
    typ: str = ""
    kid: str = ""
    crit: Any = None


class _OnlyEd25519(jws.JWSRegistry):
    """joserfc knows many algorithms, and warns of the older name of ours; here there is one,
    whatever a token's header asks for.
    """

    def get_alg(self, name: str) -> Any:  # noqa: ARG002 (that is the point)
        return self.algorithms["Ed25519"]


_REGISTRY: Final = _OnlyEd25519()
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Assertion)
_HEADER: Final = msgspec.json.Decoder(_Header)


def make(private: Ed25519PrivateKey, kid: str, assertion: Assertion) -> str:
    """The token, signed. Raises BadAssertion for one that nobody would believe."""
    header = _ENCODER.encode({"alg": "EdDSA", "typ": TYPE, "kid": kid})
    payload = _ENCODER.encode(assertion)
    _claims(payload)
    signed = urlsafe_b64encode(header) + b"." + urlsafe_b64encode(payload)
    token = (signed + b"." + urlsafe_b64encode(private.sign(signed))).decode()
    if len(token) > TOKEN_MAX:
        _bad("assertion-malformed", f"{len(token)} characters, at most {TOKEN_MAX}")
    return token


def read(
    token: str | None, keys: Keys, *, audience: str, now: int, skew_s: int = SKEW_S
) -> Assertion:
    """What the token says, if it is for `audience` (the shop's id) and good at `now` (Unix seconds).

    `keys` gives the platform's public key by its id. Raises BadAssertion.
    """
    if not token:
        _bad("assertion-missing", "no civicmall-assertion header")
    if len(token) > TOKEN_MAX or not token.isascii():
        _bad("assertion-malformed", f"{len(token)} characters; want ASCII, at most {TOKEN_MAX}")
    assertion = _claims(_signed_payload(token, _header(token), keys))
    if assertion.aud != audience:
        _bad("assertion-audience", f"it is for {quoted(assertion.aud)}, this is {audience}")
    if assertion.exp < now - skew_s:
        _bad("assertion-expired", f"{now - assertion.exp} s ago by this clock ({now})")
    if assertion.iat > now + skew_s:
        ahead = assertion.iat - now
        _bad("assertion-expired", f"issued {ahead} s ahead of this clock ({now})")
    return assertion


def _bad(check: Check, seen: str) -> NoReturn:
    raise BadAssertion(check, seen)


def _header(token: str) -> _Header:
    """The header, not yet to be trusted: it says which key to try."""
    part = token.partition(".")[0]
    if token.count(".") != 2 or len(part) > HEADER_MAX:  # noqa: PLR2004 (header, payload, signature)
        _bad("assertion-malformed", "it isn't three parts with dots between, the first a short one")
    try:
        header = _HEADER.decode(urlsafe_b64decode(part.encode()))
    except (NotBase64, msgspec.MsgspecError, ValueError, RecursionError) as error:
        _bad("assertion-malformed", f"its header: {quoted(str(error))}")
    if header.crit is not None:
        _bad("assertion-malformed", "its header asks for an extension (crit), and there are none")
    if header.typ != TYPE:
        _bad("assertion-type", f"typ {quoted(header.typ)}, want {TYPE}")
    return header


def _signed_payload(token: str, header: _Header, keys: Keys) -> bytes:
    if header.alg not in ALGORITHMS:
        _bad("assertion-signature", f"alg {quoted(header.alg)}, want {' or '.join(ALGORITHMS)}")
    key = keys(header.kid)
    if key is None:
        _bad("assertion-signature", f"no key {quoted(header.kid)} is known here")
    try:
        signed = jws.deserialize_compact(token, OKPKey.import_key(key), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError) as error:
        _bad("assertion-signature", f"key {quoted(header.kid)}: {quoted(str(error))}")
    return signed.payload


def _claims(payload: bytes) -> Assertion:
    try:
        assertion = _DECODER.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        _bad("assertion-claims", quoted(str(error)))
    life_s = assertion.exp - assertion.iat
    if not 0 < life_s <= LIFE_S_MAX:
        _bad("assertion-claims", f"it lives {life_s} s, more than 0 and at most {LIFE_S_MAX}")
    return assertion
