"""Decisions about passkeys: pure, tested without a database."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from msgspec import Struct

from civicmall.kernel import ids
from civicmall.kernel.crypto import Keys, SealBroken

MOST: Final = 20
"""Passkeys of one owner: a few devices, over years. The table's slots say the same."""
NAME_MAX: Final = 60
ADD_S: Final = 300
SIGN_IN_S: Final = 600
"""Longer, for the sign-in page lies open while somebody looks for their phone."""
ALGORITHMS: Final = (-7, -8, -257)
"""ES256, EdDSA and RS256 (RFC 9053, RFC 8812): what today's authenticators have."""
TRANSPORTS: Final = ("usb", "nfc", "ble", "smart-card", "hybrid", "internal", "cable")
SEALED_AS: Final = "identity.ceremony"
NEAR: Final = "localhost"


class Party(Struct, frozen=True):
    """The relying party: the domain that passkeys belong to, and the origins they are used at."""

    id: str
    origins: tuple[str, ...]


def party(public_url: str) -> Party | None:
    """Whose passkeys this installation takes; None where they can't be.

    Browsers want a domain name, never an address; for a machine of its own (a sandbox under
    127.0.0.1) they take `localhost`, and no encryption there.
    """
    said = urlsplit(public_url)
    host = (said.hostname or "").lower()
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        safe = said.scheme == "https" or host == NEAR or host.endswith("." + NEAR)
        return Party(host, (f"{said.scheme}://{said.netloc.lower()}",)) if host and safe else None
    port = f":{said.port}" if said.port else ""
    return Party(NEAR, (f"{said.scheme}://{NEAR}{port}",)) if near else None


class Asked(Struct, frozen=True):
    """A ceremony under way: what was asked, of whom, and until when. It is kept by whoever was asked,
    sealed, so that asking writes nothing.
    """

    challenge: bytes
    what: Literal["add", "sign_in"]
    kind: Literal["citizen", "staff"]
    until: datetime
    owner: UUID | None = None
    session: UUID | None = None
    browser: str = ""
    """A hash of the cookie of the browser that asked; empty where a program asked."""


def sealed(keys: Keys, asked: Asked) -> str:
    """A ceremony as its client keeps it."""
    return text_of(keys.seal(msgspec.json.encode(asked).decode(), SEALED_AS))


def opened(keys: Keys, token: str, now: datetime) -> Asked | None:
    """The ceremony that a client brought back; None if it isn't ours, or is over."""
    try:
        found = msgspec.json.decode(keys.open(bytes_of(token), SEALED_AS), type=Asked)
    except (ValueError, SealBroken, msgspec.MsgspecError):
        return None
    return found if now < found.until else None


def browser_of(cookie: str) -> str:
    """What a ceremony keeps of the cookie of the browser that asked."""
    return text_of(hashlib.sha256(cookie.encode()).digest()) if cookie else ""


def handle(keys: Keys, owner: UUID) -> bytes:
    """The user handle (Web Authentication, section 5.4.3): 32 bytes that tell nothing of the owner,
    the first of which is their bucket.
    """
    return bytes((ids.bucket_of(owner),)) + keys.blind(str(owner), "passkey-handle")[1:]


def known_transports(said: Iterable[str]) -> list[str]:
    """Those that the standard names, each once, in its order."""
    named = set(said)
    return [one for one in TRANSPORTS if one in named]


def amr(*, synced: bool) -> tuple[str, ...]:
    """How somebody signed in (RFC 8176): a key that can't leave its device, or one that can; and more
    than one factor, for the device verified its user.
    """
    return ("swk" if synced else "hwk", "mfa")


def text_of(raw: bytes) -> str:
    """base64url without padding, as the standard's JSON has it."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def bytes_of(text: str) -> bytes:
    """Raises ValueError for what is no base64url."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
