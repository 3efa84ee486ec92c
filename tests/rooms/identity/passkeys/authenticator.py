"""An authenticator in software: makes passkeys and signs with them, rightly or wrongly on request."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from typing import Any, Final

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

UP: Final = 0x01
UV: Final = 0x04
BE: Final = 0x08
BS: Final = 0x10
AT: Final = 0x40
Spoil = Callable[[Any], Any]


def text(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def raw(said: str) -> bytes:
    """And back."""
    return base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))


class Authenticator:
    """One device at one origin. A keyword changes one thing of what it makes."""

    def __init__(self, origin: str, rp_id: str = "localhost", *, alg: int = -7) -> None:
        self.origin = origin
        self.rp_id = rp_id
        self.alg = alg
        self.id = os.urandom(32)
        self.handle = b""
        self.count = 0
        self.counts = True
        """Synced passkeys don't: theirs is 0 for ever."""
        self.flags = UP | UV
        self._key: Any = (
            ec.generate_private_key(ec.SECP256R1()) if alg == -7
            else ed25519.Ed25519PrivateKey.generate() if alg == -8
            else rsa.generate_private_key(65537, 2048)
        )  # fmt: skip

    def cose(self) -> dict[int, Any]:
        """The public key (RFC 9053)."""
        numbers: Any
        if self.alg == -7:
            numbers = self._key.public_key().public_numbers()
            return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        if self.alg == -8:
            return {1: 1, 3: -8, -1: 6, -2: self._key.public_key().public_bytes_raw()}
        numbers = self._key.public_key().public_numbers()
        return {1: 3, 3: -257, -1: numbers.n.to_bytes(256), -2: numbers.e.to_bytes(3)}

    def signed(self, data: bytes) -> bytes:
        """A signature."""
        if self.alg == -7:
            return self._key.sign(data, ec.ECDSA(SHA256()))
        if self.alg == -8:
            return self._key.sign(data)
        return self._key.sign(data, padding.PKCS1v15(), SHA256())

    def client(self, kind: str, challenge: str, **said: Any) -> bytes:
        """What the browser says of the ceremony."""
        frame = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(frame | said, separators=(",", ":")).encode()

    def data(self, flags: int, rp_id: str, credential: bytes = b"") -> bytes:
        """Authenticator data (Web Authentication, section 6.1)."""
        count = self.count if self.counts else 0
        return (
            hashlib.sha256(rp_id.encode()).digest()
            + bytes((flags,))
            + count.to_bytes(4)
            + credential
        )

    def make(
        self,
        asked: dict[str, Any],
        *,
        client: dict[str, Any] | None = None,
        rp_id: str | None = None,
        flags: int | None = None,
        fmt: str = "none",
        statement: dict[str, Any] | None = None,
        key: Any = None,
        attestation: bytes | None = None,
        **members: Any,
    ) -> dict[str, Any]:
        """`RegistrationResponseJSON` for creation options."""
        self.handle = raw(asked["user"]["id"])
        cose = cbor2.dumps(self.cose() if key is None else key)
        credential = bytes(16) + len(self.id).to_bytes(2) + self.id + cose
        found = self.flags if flags is None else flags
        frame = self.client("webauthn.create", asked["challenge"], **(client or {}))
        data = self.data(found | AT, self.rp_id if rp_id is None else rp_id, credential)
        if fmt == "packed" and statement is None:
            whole = data + hashlib.sha256(frame).digest()
            statement = {"alg": self.alg, "sig": self.signed(whole)}
        made = cbor2.dumps({"fmt": fmt, "attStmt": statement or {}, "authData": data})
        return {
            "id": text(self.id), "rawId": text(self.id), "type": "public-key",
            "authenticatorAttachment": "platform", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": text(frame), "transports": ["internal", "hybrid", "carrier-pigeon"],
                "attestationObject": text(made if attestation is None else attestation),
            },
        } | members  # fmt: skip

    def sign(
        self,
        asked: dict[str, Any],
        *,
        client: dict[str, Any] | None = None,
        rp_id: str | None = None,
        flags: int | None = None,
        handle: bytes | None = None,
        signature: Spoil | None = None,
        after: Spoil | None = None,
        **members: Any,
    ) -> dict[str, Any]:
        """`AuthenticationResponseJSON` for request options; `after` changes what was signed."""
        self.count += 1
        frame = self.client("webauthn.get", asked["challenge"], **(client or {}))
        data = self.data(
            self.flags if flags is None else flags, self.rp_id if rp_id is None else rp_id
        )
        sig = self.signed(data + hashlib.sha256(frame).digest())
        if signature is not None:
            sig = signature(sig)
        if after is not None:
            data = after(data)
        return {
            "id": text(self.id), "rawId": text(self.id), "type": "public-key",
            "authenticatorAttachment": "platform", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": text(frame), "authenticatorData": text(data),
                "signature": text(sig),
                "userHandle": text(self.handle if handle is None else handle),
            },
        } | members  # fmt: skip
