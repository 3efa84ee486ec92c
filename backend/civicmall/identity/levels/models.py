"""Nouns of real-name levels."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

By = Literal["register", "upstream", "face", "counter"]
"""What raised a level."""
FaceState = Literal["waiting", "passed", "failed"]


class FaceBegun(Struct, frozen=True):
    """An authority's page for one citizen, and its own name for the check."""

    url: Annotated[str, Meta(min_length=1, max_length=2_000)]
    ticket: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[\x21-\x7e]+$")]


class FaceResult(Struct, frozen=True):
    """How an authority says that a check stands, and whose face it was."""

    state: FaceState
    id_number: Annotated[str, Meta(max_length=40)] = ""


class RegisterAnswer(Struct, frozen=True):
    """An authority's word on a name and number."""

    match: bool
    facts: Annotated[
        dict[Annotated[str, Meta(pattern="^[a-z][a-z_]{1,39}$")], Any], Meta(max_length=60)
    ] = {}


class FaceCheckRow(Struct, frozen=True):
    """An open check as stored."""

    blind: bytes
    """Keyed hash of the ID number that it is for."""
    ticket: str


class FaceCheck(Struct, frozen=True):
    """Send the citizen to `url`; they come back to `/verify/face/{id}`, or to the app."""

    id: UUID
    url: str
    expires_at: datetime


class CounterCode(Struct, frozen=True):
    """To be shown to an agent who sees the citizen and their ID card; it works once."""

    code: str
    expires_in_s: int


class CounterCheck(Struct, frozen=True, forbid_unknown_fields=True):
    """An agent has the citizen and their ID card before them, and the code on the citizen's phone."""

    id_number: Annotated[str, Meta(pattern=r"^[0-9]{17}[0-9X]$(?!\n)")]
    code: Annotated[str, Meta(pattern=r"^[0-9]{8}$(?!\n)")]
    case: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]*$")]
    """The number of what the citizen came for."""
    reason: Annotated[str, Meta(min_length=2, max_length=200, pattern=r"^[^\x00-\x1f]*$")]


class CounterDone(Struct, frozen=True):
    """Raised. The name is masked: the agent has the card."""

    name: str
    level: int
