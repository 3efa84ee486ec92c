"""Sets of ciphers that personal data is sealed with: the international one, and 国密.

`aes` is AES-256-GCM (NIST SP 800-38D) with SHA-256, `gm` is SM4-GCM (GB/T 32907-2016, RFC 8998)
with SM3 (GB/T 32905-2016). Both come from OpenSSL through `cryptography`.
"""

from __future__ import annotations

import base64
import secrets
from typing import Final, Literal, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, SM3, HashAlgorithm

Suite = Literal["aes", "gm"]
SUITES: Final[tuple[Suite, ...]] = ("aes", "gm")
KEY: Final[dict[Suite, int]] = {"aes": 32, "gm": 16}
"""Bytes of a sealing key: AES-256; SM4 knows only 128 bits."""
TAG: Final = 16
HASHES: Final[dict[Suite, type[HashAlgorithm]]] = {"aes": SHA256, "gm": SM3}


class Aead(Protocol):
    """Authenticated encryption with 96-bit nonces; raises InvalidTag for what was changed."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...


class Sm4Gcm:
    """SM4 in GCM, in the shape of `AESGCM`."""

    def __init__(self, key: bytes) -> None:
        self._cipher = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Ciphertext and tag."""
        sealing = Cipher(self._cipher, modes.GCM(nonce)).encryptor()
        sealing.authenticate_additional_data(associated_data)
        return sealing.update(data) + sealing.finalize() + sealing.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """The data. Raises InvalidTag; ValueError where it is shorter than a tag."""
        body, tag = data[:-TAG], data[-TAG:]
        opening = Cipher(self._cipher, modes.GCM(nonce, tag)).decryptor()
        opening.authenticate_additional_data(associated_data)
        return opening.update(body) + opening.finalize()


def read(said: str) -> Aead:
    """A sealing key as the key file has it: base64, after `gm:` where it is for SM4.

    Raises ValueError.
    """
    name, colon, rest = said.partition(":")
    suite = name if colon else "aes"
    key = base64.b64decode(rest if colon else said, validate=True)
    if suite not in SUITES or len(key) != KEY[suite]:
        raise ValueError("a key in `sealing` is neither for AES-256 nor, after `gm:`, for SM4")
    return Sm4Gcm(key) if suite == "gm" else AESGCM(key)


def suite_of(said: str) -> Suite:
    """What a sealing key is for."""
    return "gm" if said.startswith("gm:") else "aes"


def fresh(suite: Suite) -> str:
    """A new sealing key, as the key file has it."""
    key = base64.b64encode(secrets.token_bytes(KEY[suite])).decode()
    return key if suite == "aes" else f"{suite}:{key}"
