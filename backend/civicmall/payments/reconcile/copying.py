"""An entry as a row of `payments.statement_row` in PostgreSQL's binary COPY format.

Source: PostgreSQL documentation, COPY › Binary Format: a head, each row as its number of columns and
each column as its length and its bytes (-1: null), an end. A third cheaper than text on both sides.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Final
from zlib import crc32

from civicmall.kernel import ids

from .formats import Entry

COLUMNS: Final = (
    "bucket", "statement", "line", "kind", "number", "original", "strange", "txn", "amount_minor",
    "fee_minor", "happened_at", "state",
)  # fmt: skip
HEAD: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
END: Final = b"\xff\xff"
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""From when PostgreSQL counts microseconds."""
_HEX: Final = frozenset("0123456789abcdef")
_ID_LENGTH: Final = 32
_NULL: Final = b"\xff\xff\xff\xff"
_LENGTH: Final = struct.Struct(">i").pack
_START: Final = struct.Struct(">hihiiii").pack
_NUMBERS: Final = struct.Struct(">iqiqiq").pack
_ID: Final = _LENGTH(16)


def _text(said: str) -> bytes:
    raw = said.encode()
    return _LENGTH(len(raw)) + raw


_WORDS: Final = {word: _text(word) for word in ("payment", "refund", "done", "pending", "failed")}


def row(entry: Entry, statement: int, line: int) -> tuple[int, bytes]:
    """An entry's bucket, and its row.

    Our numbers carry their bucket; somebody else's get one, so that each movement has a place.
    """
    kind, number, original, txn, amount, fee, at, state = entry
    ours, theirs = _is_id(number), _is_id(original)
    if ours:
        bucket = int(number[-2:], 16)
    elif theirs:
        bucket = int(original[-2:], 16)
    else:
        bucket = crc32(number.encode()) % ids.BUCKETS
    since = at - EPOCH
    moment = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return bucket, b"".join((
        _START(len(COLUMNS), 2, bucket, 4, statement, 4, line),
        _WORDS[kind],
        _ID + bytes.fromhex(number) if ours else _NULL,
        _ID + bytes.fromhex(original) if theirs else _NULL,
        _NULL if ours else _text(number),
        _text(txn),
        _NUMBERS(8, amount, 8, fee, 8, moment),
        _WORDS[state],
    ))  # fmt: skip


def _is_id(text: str) -> bool:
    return len(text) == _ID_LENGTH and _HEX.issuperset(text)
