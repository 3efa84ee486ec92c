"""The code on a receipt: says which order, that we gave it out, and when somebody mistyped it.

Twenty-five bytes: the order's id (16), the first 7 of HMAC-SHA-256 (RFC 2104) over it under a key of
our own, CRC-16/CCITT-FALSE over both (2). Written in Crockford's base 32 they are 40 characters in
eight groups; read, case and hyphens don't matter, O is 0, I and L are 1. The check part finds every
single wrong character and every two that changed places, so what passes it and not the HMAC was not
mistyped. Guessing a code takes 2^55 tries on average for each order, and each is one HMAC here and
no look at the database.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b32decode, b32encode
from datetime import datetime
from typing import Final
from uuid import UUID

from civicmall.kernel.clock import CITY
from civicmall.kernel.crypto import Keys

from .errors import CodeForged, CodeMistyped

PURPOSE: Final = "receipt-code:1"
ID, MAC, CHECK = 16, 7, 2
LENGTH: Final = 40
GROUP: Final = 5
GIVEN_MAX: Final = 120
"""Characters that are read at all: the code with whatever stands between its groups."""
_RFC4648: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WRITE: Final = str.maketrans(_RFC4648, _CROCKFORD)
_READ: Final = str.maketrans(_CROCKFORD, _RFC4648)
_SAME: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def _mac(keys: Keys, order_id: UUID) -> bytes:
    return hmac.new(keys.derive(PURPOSE), order_id.bytes, hashlib.sha256).digest()[:MAC]


def check_part(signed: bytes) -> bytes:
    """What finds typing errors in it."""
    return binascii.crc_hqx(signed, 0xFFFF).to_bytes(CHECK)


def code(keys: Keys, order_id: UUID) -> str:
    """An order's code; always the same."""
    signed = order_id.bytes + _mac(keys, order_id)
    return written(signed + check_part(signed))


def written(raw: bytes) -> str:
    """Bytes in Crockford's base 32; a whole number of five."""
    return b32encode(raw).decode().translate(_WRITE)


def raw(text: str) -> bytes:
    """The same backwards."""
    return b32decode(text.translate(_READ))


def grouped(text: str) -> str:
    """A code as it is printed: groups of five."""
    return "-".join(text[at : at + GROUP] for at in range(0, len(text), GROUP))


def order_of(keys: Keys, given: str) -> UUID:
    """The order of a code that somebody typed or scanned. Raises CodeMistyped, CodeForged."""
    text = given[:GIVEN_MAX].upper().translate(_SAME)
    if len(text) != LENGTH or not set(text) <= set(_CROCKFORD):
        raise CodeMistyped
    whole = raw(text)
    signed = whole[:-CHECK]
    if whole[-CHECK:] != check_part(signed):
        raise CodeMistyped
    order_id = UUID(bytes=signed[:ID])
    if not hmac.compare_digest(signed[ID:], _mac(keys, order_id)):
        raise CodeForged
    return order_id


def number(order_id: UUID, paid_at: datetime) -> str:
    """The receipt's number: the day of the payment, and 80 bits that follow from the order.

    One payment has one, whenever and however often its receipt is made; it proves nothing.
    """
    digest = hashlib.sha256(b"receipt-number:1" + order_id.bytes).digest()[:10]
    tail = written(digest)
    return f"{paid_at.astimezone(CITY):%Y%m%d}-{tail[:8]}-{tail[8:]}"
