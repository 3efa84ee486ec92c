"""Nouns of what is known of a citizen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from civicmall.kernel.personal import Open
from shopkit.contract import AttributeName

Verdict = Literal["kept", "withdrawn"]
Outcome = Literal["kept", "withdrawn", "corrected", "taken_back"]
"""How an objection ended: by a verdict, by something new that is attested, or by its citizen."""
Words = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]


class Shown(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the home may look at an attribute."""

    recommend: bool


class Objection(Struct, frozen=True, forbid_unknown_fields=True):
    """That what a source attests is wrong, and how it is."""

    source: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,39}$(?!\n)")]
    words: Words = ""


class EventRow(Struct, frozen=True):
    """A life event as stored."""

    id: UUID
    event: bytes
    told_at: datetime


class EventTold(Struct, frozen=True):
    """That an event was told; what it was stands sealed elsewhere."""

    id: UUID
    told_at: datetime


class Fingerprint(Struct, frozen=True):
    """A request as a keyed hash."""

    hash: bytes


class DeskDispute(Struct, frozen=True):
    """An objection in a list, without its citizen."""

    shop: str
    id: UUID
    name: AttributeName
    disputed_at: datetime
    outcome: Outcome | None = None
    closed_at: datetime | None = None


class OwnDispute(Struct, frozen=True):
    """An objection as stored, with its answer."""

    id: UUID | None
    citizen_id: UUID
    name: AttributeName
    source: str
    words: bytes
    disputed_at: datetime
    verdict: Verdict | None
    answer: bytes | None
    answered_at: datetime | None


class OpenDispute(Struct, frozen=True):
    """An objection as somebody opened it, with a reason and until then."""

    id: UUID
    name: AttributeName
    source: str
    sub: str | None
    """The citizen as the shop knows them; null: the register, which has no shop."""
    value: Any
    """What is attested now; null where it isn't any more."""
    as_of: date | None
    words: str
    disputed_at: datetime
    verdict: Verdict | None
    answer: str | None
    answered_at: datetime | None
    until: datetime


class DisputeAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of an objection, in words that the citizen reads."""

    verdict: Verdict
    text: Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class AnsweredDispute(Struct, frozen=True):
    """An answer as its citizen reads it."""

    name: AttributeName
    source: str
    words: str
    disputed_at: datetime
    verdict: Verdict
    text: str
    answered_at: datetime


class AttestedRow(Struct, frozen=True):
    """What a department attested last, as stored."""

    value: bytes
    as_of: date


class DisputeRow(Struct, frozen=True):
    """An objection as stored."""

    words: bytes
    disputed_at: datetime


class Kept(Struct, frozen=True):
    """What stays when somebody leaves, why, and for how long."""

    what: str
    why: str
    source: str


class Leaving(Struct, frozen=True):
    """What is in the way of leaving, and what would stay."""

    open: list[Open]
    kept: list[Kept]


class LeaveAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """The code that was just sent to the citizen's phone."""

    code: Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")]


class DeletionRow(Struct, frozen=True):
    """A leaving as stored."""

    citizen_id: UUID
    asked_at: datetime
    rooms: list[str]
    erased_at: datetime | None
