"""Personal data at rest: sealed with AEAD, found again through keyed hashes.

Keys come from one file (`keys.json`, made at first start, mode 600) or from CIVICMALL_KEYS.
Each sealed value carries the id of its key, so keys can be added and old values still opened.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from .config import BadSetting

SETTING: Final = "CIVICMALL_KEYS"
NONCE: Final = 12
KEY: Final = 32


class SealBroken(Exception):
    """A sealed value that no key opens in this context: changed, moved, or its key is missing."""


class KeyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The secrets of one installation, base64."""

    sealing: dict[str, str]
    """AES-256 keys by id, one character each."""
    current: str
    """Id of the key that seals from now on."""
    root: str
    """Everything else is derived from this one (HKDF, RFC 5869)."""


class Keys:
    """The installation's keys; pass it, never print it."""

    def __init__(self, file: KeyFile) -> None:
        if file.current not in file.sealing:
            raise ValueError("`current` names none of `sealing`")
        if not all(len(i) == 1 and i.isascii() for i in file.sealing):
            raise ValueError("an id in `sealing` is not one ASCII character")
        self._sealing = {i: AESGCM(base64.b64decode(k)) for i, k in file.sealing.items()}
        self._current = file.current
        self._root = base64.b64decode(file.root)
        if len(self._root) < KEY:
            raise ValueError(f"`root` has fewer than {KEY} bytes")
        self._blind = self.derive("blind-index")

    def __repr__(self) -> str:
        return "Keys(…)"

    def seal(self, text: str, context: str) -> bytes:
        """Key id, nonce and ciphertext. Opens only with the same `context` (table.column)."""
        return self.seal_bytes(text.encode(), context)

    def open(self, sealed: bytes, context: str) -> str:
        """The text that was sealed. Raises SealBroken."""
        try:
            return self.open_bytes(sealed, context).decode()
        except ValueError as error:
            raise SealBroken(context) from error

    def seal_bytes(self, plain: bytes, context: str) -> bytes:
        """The same for what is no text."""
        nonce = os.urandom(NONCE)
        sealed = self._sealing[self._current].encrypt(nonce, plain, context.encode())
        return self._current.encode() + nonce + sealed

    def open_bytes(self, sealed: bytes, context: str) -> bytes:
        """The bytes that were sealed. Raises SealBroken."""
        try:
            key = self._sealing[chr(sealed[0])]
            return key.decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], context.encode())
        except (KeyError, IndexError, ValueError, InvalidTag) as error:
            raise SealBroken(context) from error

    def blind(self, text: str, context: str) -> bytes:
        """32 bytes to look a sealed value up by; nobody without the key can compute it."""
        return hmac.new(self._blind, f"{context}\0{text}".encode(), hashlib.sha256).digest()

    def password(self, role: str) -> str:
        """What a database role signs in with; never stored, the same in every process."""
        return self.derive(f"database:{role}").hex()

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose; two purposes tell nothing about each other."""
        return HKDF(SHA256(), KEY, salt=None, info=purpose.encode()).derive(self._root)


def load(data_dir: Path, env: Mapping[str, str] | None = None) -> Keys:
    """Keys from CIVICMALL_KEYS (the JSON itself) or from the file, made when missing.

    Raises BadSetting, which names whichever of the two is wrong and shows none of it.
    """
    said = (os.environ if env is None else env).get(SETTING, "")
    if said:
        return _read(said.encode(), SETTING)
    path = data_dir / "keys.json"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(dir=data_dir)  # mode 600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(generate()))
                file.flush()
                os.fsync(handle)  # without its keys, what was sealed is lost
            with suppress(FileExistsError):
                os.link(fresh, path)  # of two that start at once, one file stays
        finally:
            Path(fresh).unlink()
    return _read(path.read_bytes(), str(path))


def _read(raw: bytes, name: str) -> Keys:
    try:
        return Keys(msgspec.json.decode(raw, type=KeyFile))
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadSetting(name, f"no keys: {error}") from error


def generate() -> KeyFile:
    """Fresh keys for a new installation."""
    return KeyFile(sealing={"1": _random()}, current="1", root=_random())


def _random() -> str:
    return base64.b64encode(secrets.token_bytes(KEY)).decode()
