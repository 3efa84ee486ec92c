"""How a citizen's audit becomes one short string per day: the line, the digests, the root.

**Line.** A JSON object as PostgreSQL's json_build_object spells it (`identity.audit_line`), in UTF-8:

    {"v" : 1, "citizen" : "…", "seq" : 7, "at" : "2026-11-30T08:00:00.000000Z", "kind" : "read",
     "reader" : "shop/app", "claims" : ["id_number"], "purpose" : "bills.list", "reason" : "",
     "by" : null, "again" : 0, "prev" : "<64 hex digits>"}

on one line, with ` : ` after names, `, ` between members and `,` between claims. A line's hash is the
SHA-256 of these bytes; `prev` is the hash of the line with the number before, 64 zeros in the first.
An export has just these lines, so anybody reckons a chain with `sha256sum`.

**Bucket's day.** SHA-256 over lines that each end with LF: `civicmall audit 1 DAY BUCKET PREVIOUS`, where
PREVIOUS is the digest of the same bucket's day before in hex (64 zeros at first); then, for each
citizen with lines of that day in the order of their ids, `CITIZEN SEQ HASH` of the last of them. `DAY`
is the business day (ISO 8601, Asia/Shanghai).

**Root.** SHA-256 over `civicmall audit 1 DAY ROOT_BEFORE` and the 256 digests in hex, each with LF. It is
signed with Ed25519 over `civicmall audit 1 DAY ROOT SEALED_AT` without LF.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from civicmall.kernel import days
from civicmall.kernel.crypto import Keys
from civicmall.kernel.days import end_of, instant

from .models import Line

FORMAT: Final = "civicmall audit 1"
KEEP_DAYS: Final = 3 * 366
"""At least three years, as `identity.audit_forget` insists (Personal Information Protection Law,
article 56; GB/T 35273-2020)."""
HEAD: Final = 56
"""Bytes of one head in an anchor: 16 of the citizen, 8 of the number, 32 of the hash."""
TEXT_MAX: Final = 400
READER_MAX: Final = 200
CLAIMS_MAX: Final = 60
NUMBERS: Final = re.compile(r"\d{11,}[Xx]?")
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def clean(text: str, most: int = TEXT_MAX) -> str:
    """A text as it goes into a line: one line of bounded length, without numbers that could be
    somebody's. Whoever writes it is asked to name nobody.
    """
    plain = CONTROL.sub(" ", text).encode(errors="replace").decode().strip()
    return NUMBERS.sub(lambda found: "*" * len(found[0]), plain)[:most]


def text(line: Line) -> str:
    """A line to the byte, as PostgreSQL writes it."""
    members = {
        "v": "1",
        "citizen": f'"{line.citizen_id}"',
        "seq": str(line.seq),
        "at": f'"{instant(line.at)}"',
        "kind": _quoted(line.kind),
        "reader": _quoted(line.reader),
        "claims": "[" + ",".join(map(_quoted, line.claims)) + "]",
        "purpose": _quoted(line.purpose),
        "reason": _quoted(line.reason),
        "by": "null" if line.by is None else f'"{line.by}"',
        "again": str(line.again),
        "prev": f'"{line.prev.hex()}"',
    }
    return "{" + ", ".join(f'"{name}" : {value}' for name, value in members.items()) + "}"


def _quoted(said: str) -> str:
    return json.dumps(said, ensure_ascii=False)


def hash_of(line: Line) -> bytes:
    """What the line's hash must be."""
    return hashlib.sha256(text(line).encode()).digest()


def forgettable(day: date, now: datetime) -> bool:
    """Whether lines of this day may be gone."""
    return end_of(day) <= now - timedelta(days=KEEP_DAYS)


Heads = dict[UUID, tuple[int, bytes]]
"""Citizen → the number and hash of their last line."""


def pack(heads: Heads) -> bytes:
    """As an anchor has them: by citizen."""
    return b"".join(
        citizen.bytes + seq.to_bytes(8) + digest for citizen, (seq, digest) in sorted(heads.items())
    )


def unpack(packed: bytes) -> Heads:
    """Back from it."""
    parts = (packed[at : at + HEAD] for at in range(0, len(packed), HEAD))
    return {UUID(bytes=p[:16]): (int.from_bytes(p[16:24]), p[24:]) for p in parts}


def digest(day: date, bucket: int, previous: bytes, heads: Heads) -> bytes:
    """A bucket's day in one string."""
    found = hashlib.sha256(f"{FORMAT} {day} {bucket} {previous.hex()}\n".encode())
    for citizen, (seq, last) in sorted(heads.items()):
        found.update(f"{citizen} {seq} {last.hex()}\n".encode())
    return found.digest()


def root(day: date, previous: bytes, digests: Mapping[int, bytes]) -> bytes:
    """The one string for a day and all before it; `digests` has every bucket."""
    return days.root(FORMAT, day, previous, digests)


class Seal(days.Seal):
    """Signs roots with a key that lies in no database."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(keys, "audit:days", FORMAT)


def claims_of(claims: Iterable[str]) -> list[str]:
    """Claim names as a line has them."""
    return sorted({clean(claim, CLAIMS_MAX) for claim in claims})
