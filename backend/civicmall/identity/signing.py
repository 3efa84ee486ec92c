"""What the platform signs tokens with, and what others check them by (RFC 7515, RFC 7517)."""

from __future__ import annotations

from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from civicmall.kernel.crypto import Keys

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ALGORITHM: Final = "ES256"


class OtherType(ValueError):
    """A token that we signed, for another use."""


class Signing:
    """The installation's signing keys; every process has the same."""

    def __init__(self, keys: Keys) -> None:
        self._key = _derived(keys)
        self._shown: list[dict[str, Any]] = []

    def sign(self, typ: str, claims: dict[str, Any]) -> str:
        """A compact JWT of this type (RFC 8725 section 3.11)."""
        return jwt.encode({"alg": ALGORITHM, "typ": typ, "kid": self._key.kid}, claims, self._key)

    def read(self, token: str, typ: str) -> dict[str, Any]:
        """The claims of a token that we signed as this type; its times are the caller's to look at.

        Raises OtherType, JoseError, ValueError, TypeError.
        """
        decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
        if decoded.header.get("typ") != typ:
            raise OtherType(typ)
        return decoded.claims

    def jwks(self) -> dict[str, Any]:
        """The public keys: what tokens are signed with, and what others of the platform have shown."""
        own: dict[str, Any] = dict(KeySet([self._key]).as_dict(private=False))
        return {"keys": [*own["keys"], *self._shown]}

    def show(self, jwk: dict[str, Any]) -> None:
        """Publish another public key of the platform's beside ours."""
        self._shown.append(jwk)


def _derived(keys: Keys) -> ECKey:
    """P-256 key derived from the installation's root: every process has the same."""
    wide = keys.derive("access-tokens") + keys.derive("access-tokens:wide")
    secret = int.from_bytes(wide) % (P256_ORDER - 1) + 1
    pem = ec.derive_private_key(secret, ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    key = ECKey.import_key(pem, {"use": "sig", "alg": ALGORITHM})
    key.ensure_kid()
    return key
