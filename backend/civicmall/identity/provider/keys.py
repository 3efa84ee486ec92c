"""Clients' public keys: which may be registered, and which one checks a token.

A token's own header never brings a key: `jwk`, `jku`, `x5u` and their like are refused, and the
algorithm follows from the registered key, not from what the header would like (RFC 8725 section 3).
"""

from __future__ import annotations

import base64
from typing import Any, Final, cast

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

KEYS_MAX: Final = 10
RSA_BITS_MIN: Final = 2048
ALGORITHMS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("EC", "P-256"): ("ES256",),
    ("RSA", ""): ("RS256", "PS256"),
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
}
"""Kind and curve → what it may sign with."""
OFFERED: Final = ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")
STRANGE: Final = frozenset({"jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "zip", "b64"})
"""Header members that would choose the key or the meaning."""
PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})
WRONG: Final = (JoseError, ValueError, TypeError, KeyError, AttributeError)

Jwk = dict[str, Any]
Key = ECKey | RSAKey | OKPKey


def unfit(jwks: Jwk) -> str:
    """Why a key set can't be registered; empty where it can."""
    said = jwks.get("keys")
    listed = cast("list[Any]", said) if isinstance(said, list) else []
    if not 0 < len(listed) <= KEYS_MAX or not all(isinstance(one, dict) for one in listed):
        return f"keys: one to {KEYS_MAX} public keys"
    kids = [one.get("kid") for one in listed]
    if not all(isinstance(kid, str) for kid in kids) or len(set(kids)) != len(kids):
        return "keys: each has a kid of its own"
    return next((why for one in listed if (why := _unfit(one))), "")


def _unfit(jwk: Jwk) -> str:
    if PRIVATE & jwk.keys():
        return "keys: a private key must never leave its owner"
    try:
        allowed(jwk)
        if jwk["kty"] == "RSA" and _bits(jwk["n"]) < RSA_BITS_MIN:
            return f"keys: an RSA key has {RSA_BITS_MIN} bits or more"
        imported(jwk)
    except WRONG:
        return "keys: EC P-256, RSA or Ed25519 for signatures, as RFC 7517 writes them"
    return ""


def _bits(modulus: str) -> int:
    """How long a number in base64url is."""
    raw = base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4))
    return int.from_bytes(raw).bit_length()


def of_token(jwks: Jwk, token: str) -> tuple[Key, str]:
    """The registered key that a token names, and the algorithm.

    Raises ValueError, KeyError, TypeError, JoseError.
    """
    head = token.split(".", maxsplit=1)[0]
    header: Any = msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    if not isinstance(header, dict) or STRANGE & cast("Jwk", header).keys():
        raise ValueError("the header brings a key of its own")
    said = cast("Jwk", header)
    fitting = [
        jwk
        for jwk in cast("list[Jwk]", jwks["keys"])
        if said["alg"] in allowed(jwk) and said.get("kid", jwk["kid"]) == jwk["kid"]
    ]
    if len(fitting) != 1:
        raise ValueError("no registered key, or several")
    return imported(fitting[0]), str(said["alg"])


def imported(jwk: Jwk) -> Key:
    """A public key. Raises TypeError, ValueError, JoseError."""
    key = JWKRegistry.import_key(jwk)
    if not isinstance(key, ECKey | RSAKey | OKPKey) or key.is_private:
        raise TypeError("no public key")
    return key


def allowed(jwk: Jwk) -> tuple[str, ...]:
    """What a key may sign with. Raises KeyError for one of another kind, or meant for encryption."""
    if jwk.get("use", "sig") != "sig":
        raise KeyError("use")
    kind = ALGORITHMS[jwk["kty"], jwk.get("crv", "")]
    named = jwk.get("alg")
    if named is not None and named not in kind:
        raise KeyError("alg")
    return kind if named is None else (named,)
