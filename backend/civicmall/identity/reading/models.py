"""Nouns of reading personal data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from civicmall.identity.models import Phone

Why = Literal["citizen_asked", "case", "complaint", "safety", "law"]
"""The citizen asked for help; a matter of the department's is worked on; a complaint is looked into;
somebody is in danger; another authority asks, by a law that `words` names."""
Words = Annotated[
    str,
    Meta(min_length=4, max_length=200, pattern=r"^[^\x00-\x1f]*$",
         description="In a sentence, as the citizen will read it."),
]  # fmt: skip
IdNumber = Annotated[str, Meta(pattern=r"^[0-9]{17}[0-9X]$(?!\n)")]
Claim = Literal["phone", "name", "id_number"]
State = Literal["asked", "approved", "declined"]


class OpenAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a record is opened."""

    reason: Why
    words: Words


class Opened(Struct, frozen=True):
    """The record is open for whoever asked, until then."""

    until: datetime


class LookupAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to look up, by one of the two, and why."""

    reason: Why
    words: Words
    phone: Phone | None = None
    id_number: IdNumber | None = None


class LookupRow(Struct, frozen=True):
    """A look-up as kept."""

    id: UUID
    kind: Literal["phone", "id_number"]
    blind: bytes
    masked: bytes
    reason: Why
    words: str
    asked_by: UUID
    asked_name: str
    asked_at: datetime
    expires_at: datetime
    decided_name: str | None
    decided_at: datetime | None
    state: State
    over: bool


class Lookup(Struct, frozen=True):
    """A look-up as operators see it. `whom` is masked, and the same whether there is such a citizen."""

    id: UUID
    kind: Literal["phone", "id_number"]
    whom: str
    reason: Why
    words: str
    asked_by: str
    asked_at: datetime
    mine: bool
    state: State
    decided_by: str | None
    over: bool
    """Nobody decided in time, or the time to look is up."""
    expires_at: datetime


class Found(Struct, frozen=True):
    """What the operator who asked may see, masked unless they asked for a claim in clear."""

    citizen_id: UUID
    level: int
    phone: str
    name: str | None
    id_number: str | None
    until: datetime


class Reveal(Struct, frozen=True, forbid_unknown_fields=True):
    """What to show in clear; the citizen sees that it was."""

    claims: Annotated[list[Claim], Meta(min_length=1, max_length=3)]
