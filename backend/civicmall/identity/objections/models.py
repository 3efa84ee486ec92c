"""Nouns of objections to readings."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from civicmall.identity.audit import StaffReader

Text = Annotated[
    str,
    Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$"),
]


class NewObjection(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the citizen doesn't agree with a reading."""

    words: Text


class Answering(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator answers, as the citizen will read it."""

    text: Text


class ReadingObjection(Struct, frozen=True):
    """An objection as its citizen sees it."""

    line: int
    """The number of the line in the citizen's audit."""
    words: str
    made_at: datetime
    due_on: date
    """By when it is to be answered."""
    answer: str | None
    answered_at: datetime | None


class DeskObjection(Struct, frozen=True):
    """An objection as operators see it: with the line, and without the citizen."""

    id: UUID
    read_at: datetime
    reader: str
    """`shop/app`, `client:<client_id>` or `staff:<id>`."""
    staff: StaffReader | None
    claims: list[str]
    purpose: str
    reason: str
    words: str
    made_at: datetime
    due_on: date
    overdue: bool
    mine: bool
    """Whoever asks did the reading: another operator answers."""
    answer: str | None
    answered_at: datetime | None


class ObjectionMade(Struct, frozen=True):
    """What is remembered of a request: which line; what was said stands sealed elsewhere."""

    line: int


class ObjectionMark(Struct, frozen=True):
    """A request as a keyed hash."""

    hash: bytes


class Kept(Struct, frozen=True):
    """What became of an objection."""

    there: bool
    """The line is there."""
    taken: bool
    """Another objection to it is."""
    kept: bool


class ObjectionRow(Struct, frozen=True):
    """An objection as stored."""

    seq: int
    words: bytes
    made_at: datetime
    due_on: date
    answer: bytes | None
    answered_at: datetime | None


class Standing(Struct, frozen=True):
    """Whose objection it is, and who did the reading."""

    citizen_id: UUID
    seq: int
    reader: str
    by: UUID | None
    answered: bool


class DeskRow(Struct, frozen=True):
    """An objection with its line, as stored."""

    id: UUID
    read_at: datetime
    reader: str
    role: str | None
    shop: str | None
    claims: list[str]
    purpose: str
    reason: str
    by: UUID | None
    words: bytes
    made_at: datetime
    due_on: date
    answer: bytes | None
    answered_at: datetime | None
