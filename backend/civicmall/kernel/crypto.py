"""Personal data at rest: sealed with AEAD, found again through keyed hashes.

Keys come from one file (`keys.json`, made at first start, mode 600) or from CIVICMALL_KEYS.
Each sealed value carries the id of its key, so keys can be added and old values still opened; a
process that meets an id it doesn't know reads the file again.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from . import suites
from .config import BadSetting
from .suites import Suite

SETTING: Final = "CIVICMALL_KEYS"
SUITE: Final = "CIVICMALL_CRYPTO"
IDS: Final = "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""Ids of sealing keys, in the order in which they are given out."""
NONCE: Final = 12
KEY: Final = 32
T = TypeVar("T")


class SealBroken(Exception):
    """A sealed value that no key opens in this context: changed, moved, or its key is missing."""


class KeyFile(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The secrets of one installation."""

    sealing: dict[str, str]
    """Keys by id, one character each: AES-256 in base64, or SM4 in base64 after `gm:`."""
    current: str
    """Id of the key that seals from now on."""
    root: str
    """Everything else is derived from this one (HKDF, RFC 5869); base64."""
    hash: Suite = "aes"
    """What derives and blinds: SHA-256, or SM3. It stays what it was at the first start: a citizen's
    bucket comes from the blind index."""
    spent: str = ""
    """Ids of keys that were dropped; none is given out again, for somebody may still have the old one."""


class Keys:
    """The installation's keys; pass it, never print it."""

    def __init__(self, file: KeyFile, again: Callable[[], KeyFile | None] | None = None) -> None:
        """`again` reads the file anew, and answers None where it is as it was."""
        self._again = again
        self._root = base64.b64decode(file.root)
        if len(self._root) < KEY:
            raise ValueError(f"`root` has fewer than {KEY} bytes")
        self._hash = suites.HASHES[file.hash]
        self._blind = self.derive("blind-index")
        self._use(file)

    def _use(self, file: KeyFile) -> None:
        if file.current not in file.sealing:
            raise ValueError("`current` names none of `sealing`")
        if not all(len(i) == 1 and i.isascii() for i in file.sealing):
            raise ValueError("an id in `sealing` is not one ASCII character")
        sealing = {i: suites.read(said) for i, said in file.sealing.items()}
        self._sealing, self.current, self._said = sealing, file.current, file.sealing

    def suites(self) -> dict[str, Suite]:
        """What each sealing key is for, by id."""
        return {i: suites.suite_of(said) for i, said in self._said.items()}

    def reload(self) -> bool:
        """Look whether there are other sealing keys by now; whether there were. Raises BadSetting."""
        found = None if self._again is None else self._again()
        if found is None:
            return False
        if base64.b64decode(found.root) != self._root:
            raise BadSetting("keys", "another `root`: these are the keys of another installation")
        self._use(found)
        return True

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
        current = self.current
        sealed = self._sealing[current].encrypt(nonce, plain, context.encode())
        return current.encode() + nonce + sealed

    def open_bytes(self, sealed: bytes, context: str) -> bytes:
        """The bytes that were sealed. Raises SealBroken."""
        try:
            key = self._sealing.get(chr(sealed[0])) or self._newer(chr(sealed[0]))
            return key.decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], context.encode())
        except (KeyError, IndexError, ValueError, InvalidTag, OSError, BadSetting) as error:
            raise SealBroken(context) from error

    def _newer(self, key_id: str) -> suites.Aead:
        """A key that came into the file after we read it. Raises KeyError."""
        self.reload()
        return self._sealing[key_id]

    def blind(self, text: str, context: str) -> bytes:
        """32 bytes to look a sealed value up by; nobody without the key can compute it."""
        message = f"{context}\0{text}".encode()
        if self._hash is suites.SHA256:
            return hmac.digest(self._blind, message, "sha256")  # ten times quicker
        keyed = HMAC(self._blind, self._hash())
        keyed.update(message)
        return keyed.finalize()

    def password(self, role: str) -> str:
        """What a database role signs in with; never stored, the same in every process."""
        return self.derive(f"database:{role}").hex()

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose; two purposes tell nothing about each other."""
        return HKDF(self._hash(), KEY, salt=None, info=purpose.encode()).derive(self._root)


def load(data_dir: Path, env: Mapping[str, str] | None = None) -> Keys:
    """Keys from CIVICMALL_KEYS (the JSON itself) or from the file, made when missing.

    Raises BadSetting, which names whichever of the two is wrong and shows none of it.
    """
    env = os.environ if env is None else env
    if said := env.get(SETTING, ""):
        return _checked(SETTING, lambda: Keys(_decoded(said.encode(), SETTING)))
    path = path_in(data_dir)
    if not path.exists():
        keep(path, generate(_suite(env)), replace=False)
    seen = path.stat().st_mtime_ns

    def again() -> KeyFile | None:
        nonlocal seen
        found = path.stat().st_mtime_ns
        if found == seen:
            return None
        file = read(path)
        seen = found
        return file

    return _checked(str(path), lambda: Keys(read(path), again))


def path_in(data_dir: Path) -> Path:
    """Where an installation's keys are, unless CIVICMALL_KEYS has them."""
    return data_dir / "keys.json"


def read(path: Path) -> KeyFile:
    """A key file. Raises BadSetting, OSError."""
    return _decoded(path.read_bytes(), str(path))


def keep(path: Path, file: KeyFile, *, replace: bool = True) -> None:
    """Write a key file whole or not at all; without `replace`, of two at once one stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(dir=path.parent)  # mode 600
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.encode(file))
            out.flush()
            os.fsync(handle)  # without its keys, what was sealed is lost
        if replace:
            Path(fresh).replace(path)
        else:
            with suppress(FileExistsError):
                os.link(fresh, path)
    finally:
        Path(fresh).unlink(missing_ok=True)


def with_another(file: KeyFile, suite: Suite) -> tuple[KeyFile, str]:
    """The same with one more sealing key, which doesn't seal yet, and its id. Raises ValueError."""
    free = next((i for i in IDS if i not in file.sealing and i not in file.spent), None)
    if free is None:
        raise ValueError(f"all {len(IDS)} ids of keys have been given out")
    sealing = {**file.sealing, free: suites.fresh(suite)}
    return msgspec.structs.replace(file, sealing=sealing), free


def without(file: KeyFile, key_id: str) -> KeyFile:
    """The same without a key."""
    rest = {one: said for one, said in file.sealing.items() if one != key_id}
    return msgspec.structs.replace(file, sealing=rest, spent=file.spent + key_id)


def _decoded(raw: bytes, name: str) -> KeyFile:
    return _checked(name, lambda: msgspec.json.decode(raw, type=KeyFile))


def _checked(name: str, made: Callable[[], T]) -> T:
    try:
        return made()
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadSetting(name, f"no keys: {error}") from error


def _suite(env: Mapping[str, str]) -> Suite:
    said = env.get(SUITE, "") or "aes"
    if said not in suites.SUITES:
        raise BadSetting(SUITE, f"aes or gm, not {said!r}")
    return said


def generate(suite: Suite = "aes") -> KeyFile:
    """Fresh keys for a new installation."""
    root = base64.b64encode(secrets.token_bytes(KEY)).decode()
    return KeyFile(sealing={"1": suites.fresh(suite)}, current="1", root=root, hash=suite)
