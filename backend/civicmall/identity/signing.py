"""What the platform signs tokens with, and what others check them by (RFC 7515, RFC 7517).

Keys come in generations: the next one is published before it signs, the last one is kept until what
it signed is over. ES256 signs everything; RS256 is there for clients that know nothing else, since
every OpenID Provider has it (OpenID Connect Core 1.0 section 15.1).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Literal

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from msgspec import Struct

from civicmall.kernel.clock import Clock
from civicmall.kernel.crypto import Keys

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
RSA_BITS: Final = 3072
"""128 bits of security, as the other keys have (NIST SP 800-57 part 1, table 2)."""
Algorithm = Literal["ES256", "RS256"]
ALGORITHMS: Final[tuple[Algorithm, ...]] = ("ES256", "RS256")


class OtherType(ValueError):
    """A token that we signed, for another use."""


class Generation(Struct, frozen=True):
    """One generation of keys; `rsa` is PEM."""

    number: int
    signs_from: datetime | None = None
    ends_at: datetime | None = None
    rsa: bytes | None = None


class _Pair(Struct, frozen=True):
    """A generation, opened."""

    generation: Generation
    keys: dict[str, ECKey | RSAKey]


class Signing:
    """The installation's signing keys; every process has the same."""

    def __init__(self, keys: Keys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._pairs: list[_Pair] = []
        self._shown: list[dict[str, Any]] = []
        self.on_end: list[Callable[[], object]] = []
        """What to do when a generation has ended."""
        self.use([Generation(1)])

    def use(self, generations: list[Generation]) -> None:
        """The generations that there are now, oldest first."""
        known = {pair.generation.number: pair.keys for pair in self._pairs}
        before = set(known)
        self._pairs = [
            _Pair(one, self._opened(one, known.get(one.number, {}))) for one in generations
        ]
        if before - {one.number for one in generations}:
            for tell in self.on_end:
                tell()

    def _opened(
        self, one: Generation, known: dict[str, ECKey | RSAKey]
    ) -> dict[str, ECKey | RSAKey]:
        """A generation's keys by algorithm; what was opened before stays so."""
        found = dict(known) or {"ES256": _derived(self._keys, one.number)}
        if one.rsa is not None and "RS256" not in found:
            key = RSAKey.import_key(one.rsa, {"use": "sig", "alg": "RS256"})
            key.ensure_kid()
            found["RS256"] = key
        return found

    def _current(self) -> _Pair:
        """The newest that signs already; of several at a start, the first."""
        now = self._clock.now()
        signing = [
            pair for pair in self._pairs
            if pair.generation.signs_from is None or pair.generation.signs_from <= now
        ]  # fmt: skip
        return (signing or self._pairs[:1])[-1]

    def _holding(self) -> list[_Pair]:
        """Those whose signatures hold."""
        now = self._clock.now()
        return [
            pair for pair in self._pairs
            if pair.generation.ends_at is None or pair.generation.ends_at > now
        ]  # fmt: skip

    def sign(self, typ: str, claims: dict[str, Any], algorithm: Algorithm = "ES256") -> str:
        """A compact JWT of this type (RFC 8725 section 3.11)."""
        key = self._current().keys[algorithm]
        return jwt.encode({"alg": algorithm, "typ": typ, "kid": key.kid}, claims, key)

    def read(
        self, token: str, typ: str, algorithms: tuple[Algorithm, ...] = ("ES256",)
    ) -> dict[str, Any]:
        """The claims of a token that we signed as this type; its times are the caller's to look at.

        Raises OtherType, JoseError, ValueError, TypeError.
        """
        keys = [
            key for pair in self._holding() for name, key in pair.keys.items() if name in algorithms
        ]
        decoded = jwt.decode(token, KeySet(list(keys)), algorithms=list(algorithms))
        if decoded.header.get("typ") != typ:
            raise OtherType(typ)
        return decoded.claims

    def kid(self, algorithm: Algorithm = "ES256") -> str:
        """The id of the key that signs now."""
        return str(self._current().keys[algorithm].kid)

    def jwks(self) -> dict[str, Any]:
        """The public keys: what tokens are and will be signed with, and what others have shown."""
        own = [key.as_dict(private=False) for pair in self._holding() for key in pair.keys.values()]
        return {"keys": [*own, *self._shown]}

    def show(self, jwk: dict[str, Any]) -> None:
        """Publish another public key of the platform's beside ours."""
        self._shown.append(jwk)


def fresh_rsa() -> bytes:
    """A new RSA key, PEM. Takes a few tenths of a second."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _derived(keys: Keys, generation: int) -> ECKey:
    """P-256 key of a generation, derived from the installation's root."""
    label = "access-tokens" if generation == 1 else f"access-tokens:{generation}"
    wide = keys.derive(label) + keys.derive(f"{label}:wide")
    secret = int.from_bytes(wide) % (P256_ORDER - 1) + 1
    pem = ec.derive_private_key(secret, ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    key = ECKey.import_key(pem, {"use": "sig", "alg": "ES256"})
    key.ensure_kid()
    return key
