"""Names that we give out and only we can read: codes, refresh tokens, request URIs, tickets.

A handle is an id, sealed (AES-256-GCM) for its one use. It says which row it is without a look-up
table, can't be guessed or made by others, and tells clients that compare theirs nothing: not even
the bucket that a citizen's ids share.
"""

from __future__ import annotations

import base64
import os
import re
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from civicmall.kernel.crypto import Keys

Use = Literal["code", "refresh", "access", "pushed", "ticket"]
NONCE: Final = 12
FORM: Final = re.compile(r"[A-Za-z0-9_-]{40,200}")


class NoHandle(ValueError):
    """Nothing that we gave out for this use."""


def make(keys: Keys, use: Use, content: bytes) -> str:
    """A handle: letters, digits, `-` and `_`; another each time."""
    nonce = os.urandom(NONCE)
    sealed = nonce + _key(keys).encrypt(nonce, content, use.encode())
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def read(keys: Keys, use: Use, handle: str) -> bytes:
    """What is in a handle. Raises NoHandle."""
    if not FORM.fullmatch(handle):
        raise NoHandle(use)
    try:
        raw = base64.b64decode(handle + "=" * (-len(handle) % 4), altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != handle:
            raise NoHandle(use)  # the same bytes written in another way
        return _key(keys).decrypt(raw[:NONCE], raw[NONCE:], use.encode())
    except (ValueError, InvalidTag) as error:
        raise NoHandle(use) from error


def _key(keys: Keys) -> AESGCM:
    return AESGCM(keys.derive("provider-handles"))
