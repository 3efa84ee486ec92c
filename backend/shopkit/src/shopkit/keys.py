"""Ed25519 keys: the secret one of a signer, the public one of a manifest; and secrets that are shared."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SEED: Final = 32
SHARED_PREFIX: Final = "rqsec_"
"""What the secret begins with that a shop shares with the platform for requests."""
LOW_ORDER: Final = frozenset(
    bytes.fromhex(y) for y in (
        "00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f", "ed" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)  # fmt: skip
"""The y of the points of order 1 to 8: under such a key anybody can sign. Zeros, the
placeholder in somebody's manifest, are one of them."""

Keys = Callable[[str], Ed25519PublicKey | None]
"""From a key's id to the key; a dict's `get` will do."""


def shared_text(key: bytes) -> str:
    """A shared secret as it is handed over, of 32 bytes."""
    return SHARED_PREFIX + base64.b64encode(key).decode()


def shared_key(text: str) -> bytes:
    """Its bytes. Raises ValueError, whose message keeps them to itself."""
    said = text.removeprefix(SHARED_PREFIX)
    try:
        key = base64.b64decode(said, validate=True)
    except ValueError:
        key = b""
    if said == text or len(key) != SEED:
        raise ValueError(f"a shared secret is {SHARED_PREFIX} and {SEED} bytes in base64")
    return key


class Key:
    """A signing key. `text` is what stands in a manifest: the public key, base64url of 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        """From 32 secret bytes. Raises ValueError for another number."""
        if len(seed) != SEED:
            raise ValueError(f"an Ed25519 key is made from {SEED} bytes, not {len(seed)}")
        self.private: Final = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: Final = self.private.public_key()
        self.text: Final = text_of(self.public)

    def jwk(self, kid: str) -> dict[str, str]:
        """The public key as JWK (RFC 8037)."""
        return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": kid, "x": self.text}


def text_of(public: Ed25519PublicKey) -> str:
    """A public key as it stands in a manifest: 43 characters."""
    return base64.urlsafe_b64encode(public.public_bytes_raw()).decode().rstrip("=")


def public_key(text: str) -> Ed25519PublicKey:
    """The public key of a manifest. Raises ValueError where it is none, or one that protects nothing."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", text):
        raise ValueError("a public key is 32 bytes in base64url without padding: 43 characters")
    raw = base64.urlsafe_b64decode(text + "=")
    if raw[:-1] + bytes([raw[-1] & 0x7F]) in LOW_ORDER:
        raise ValueError("anybody can sign under this public key (a point of low order)")
    return Ed25519PublicKey.from_public_bytes(raw)
