"""Keys that a city gets from its channels: a file, or the key itself, as PEM or bare base64."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from civicmall.kernel.config import BadSetting

BITS_MIN: Final = 2048
PUBLIC: Final = re.compile(r"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)
BEGIN: Final = "-----BEGIN "


def private_key(name: str, said: str) -> RSAPrivateKey:
    """Our own key for signing. Raises BadSetting; what was there is never said."""
    try:
        text = _text(said)
        found = (
            load_pem_private_key(text.encode(), None)
            if BEGIN in text
            else load_der_private_key(base64.b64decode(text), None)
        )
        if isinstance(found, RSAPrivateKey) and found.key_size >= BITS_MIN:
            return found
    except (OSError, ValueError, TypeError):
        pass  # also a key that wants a password
    raise BadSetting(name, "a file with an RSA private key of 2048 bits, PEM or base64")


def public_keys(name: str, said: str) -> list[RSAPublicKey]:
    """The channel's keys; two while it changes from one to the next. Raises BadSetting."""
    try:
        text = _text(said)
        found = (
            [load_pem_public_key(one.encode()) for one in PUBLIC.findall(text)]
            if BEGIN in text
            else [load_der_public_key(base64.b64decode(text))]
        )
        keys = [key for key in found if isinstance(key, RSAPublicKey) and key.key_size >= BITS_MIN]
        if keys and len(keys) == len(found):
            return keys
    except (OSError, ValueError):
        pass
    raise BadSetting(name, "a file with the channel's RSA public key, PEM or base64")


def _text(said: str) -> str:
    return said if said.startswith(BEGIN) else Path(said).read_text("ascii")


def sign(key: RSAPrivateKey, text: str) -> str:
    """SHA256withRSA (RSASSA-PKCS1-v1_5, RFC 8017), base64: what both big channels ask for."""
    return base64.b64encode(key.sign(text.encode(), PKCS1v15(), SHA256())).decode()


def is_signed(key: RSAPublicKey, signed: bytes, signature: str) -> bool:
    """Whether the holder of the other half signed exactly these bytes."""
    try:
        key.verify(base64.b64decode(signature, validate=True), signed, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True
