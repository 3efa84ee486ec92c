"""Nouns of a citizen's audit."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

Kind = Literal[
    "read", "sign_in", "sign_out", "sign_out_others", "copied", "level", "consent_given",
    "consent_taken_back", "client_sign_in", "delegation_invited", "delegation_given",
    "delegation_received", "delegation_ended", "delegation_lost", "acting", "acted",
    "passkey_added", "passkey_removed", "passkey_set_aside", "linked", "unlinked", "facts",
    "fact_switched", "objection", "objection_taken_back", "objection_answered", "reading_objected", "reading_answered",
    "export", "deletion",
]  # fmt: skip
"""What a line is of. `read`: somebody was told something of the citizen, or looked at it. `copied`: a
session was ended because its refresh token came twice. Of a delegation the principal has `given`,
`ended` and `acting`, the agent `received`, `lost` and `acted`. `deletion`: `asked` or `done`.
"""
Fault = Literal["changed", "missing", "cut_off", "forged_head", "extra", "anchor", "signature", "published"]  # fmt: skip


class Line(Struct, frozen=True):
    """One line as stored. `hash` is SHA-256 over rules.text; `prev` the hash of the line before."""

    bucket: int
    citizen_id: UUID
    seq: int
    at: datetime
    kind: str
    reader: str
    claims: list[str]
    purpose: str
    reason: str
    by: UUID | None
    again: int
    prev: bytes
    hash: bytes


class LineAfter(Line, frozen=True):
    """The same beside what stands before it."""

    before: bytes | None
    """The hash of the line with the number before; None where there is none."""


class StaffMark(Struct, frozen=True):
    """A member of staff, without their name."""

    id: UUID
    role: str
    shop: str | None


class StaffReader(Struct, frozen=True):
    """Which kind of staff looked: their role, and their department's shop."""

    role: str
    shop: str | None


class AccessRead(Struct, frozen=True):
    """A reading as stored."""

    seq: int
    at: datetime
    reader: str
    claims: list[str]
    purpose: str
    reason: str
    by: UUID | None
    times: int


class AccessRow(Struct, frozen=True):
    """Who read a citizen's data and what for; with no citizen in it."""

    seq: int
    """The line's number in the citizen's chain."""
    at: datetime
    reader: str
    """`shop/app`, `client:<client_id>`, or `staff:<id>`."""
    staff: StaffReader | None
    """Of a member of staff."""
    claims: list[str]
    purpose: str
    reason: str
    by: UUID | None
    """The member of staff, or whoever acted for the citizen."""
    times: int
    """How often in that hour."""


class AuditLine(Struct, frozen=True):
    """A line of the citizen's own audit; `hash` and `prev` in hex."""

    seq: int
    at: datetime
    kind: Kind
    reader: str
    claims: list[str]
    purpose: str
    reason: str
    by: UUID | None
    again: int
    """How often the same was read since the reader's line before, without a line of its own."""
    prev: str
    hash: str


class Head(Struct, frozen=True):
    """How far a citizen's chain had come on a day."""

    bucket: int
    citizen_id: UUID
    seq: int
    hash: bytes
    lines: int
    """Lines of the whole bucket on that day."""


class Anchor(Struct, frozen=True):
    """One bucket's closed day."""

    bucket: int
    day_on: date
    lines: int
    heads: bytes
    digest: bytes


class BucketDigest(Struct, frozen=True):
    """One bucket's closed day in short."""

    bucket: int
    digest: bytes


class EndNow(Line, frozen=True):
    """A line beside where its chain ends now."""

    head: int | None
    head_hash: bytes | None


class AuditDay(Struct, frozen=True):
    """A closed day over all buckets."""

    day_on: date
    lines: int
    root: bytes
    sealed_at: datetime
    signature: bytes


class WrongHead(Struct, frozen=True):
    """A head beside the line that it names and the last one that there is."""

    bucket: int
    citizen_id: UUID
    seq: int | None
    last: int | None


class Finding(Struct, frozen=True):
    """Something that isn't as it was written."""

    kind: Fault
    detail: str
    day: date | None = None
    bucket: int | None = None
    citizen: UUID | None = None
    seq: int | None = None

    def __str__(self) -> str:
        where = [str(self.day)] if self.day else []
        where += [f"citizen {self.citizen}"] if self.citizen else []
        where += [f"line {self.seq}"] if self.seq is not None else []
        where += [f"bucket {self.bucket}"] if self.bucket is not None and not self.citizen else []
        return f"{self.kind}: {', '.join(where) or 'audit'}: {self.detail}"


class Report(Struct, frozen=True):
    """What one run of `verify` saw."""

    days: int
    lines: int
    last: AuditDay | None
    findings: list[Finding]
