"""Nouns of the case room."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from shopkit.contract import Id, Media, Progress, Reason, Result, Text, Values

from .rules import Action, Actor, Move, State

MATERIALS_MAX = 30
"""As many as a form may ask for."""
Slug = Annotated[str, Meta(max_length=40)]


class MaterialRef(Struct, frozen=True, forbid_unknown_fields=True):
    """A paper that was handed in, and which of the form's materials it is."""

    code: Id
    id: UUID


Materials = Annotated[list[MaterialRef], Meta(max_length=MATERIALS_MAX)]


class NewCase(Struct, frozen=True, forbid_unknown_fields=True):
    """An application: the filled form of an app and its papers."""

    shop: Slug
    app: Slug
    form: Values
    variant: Id | None = None
    materials: Materials = []


class NewSupplement(Struct, frozen=True, forbid_unknown_fields=True):
    """What was missing: some of the form's fields, some of its papers."""

    form: Values = {}
    materials: Materials = []


class Fingerprint(Struct, frozen=True):
    """Stands for a request in the store of Idempotency-Keys, which keeps nothing personal."""

    blind: bytes


class HandedIn(Struct, frozen=True):
    """A paper as it was kept; it waits for its case until the next day."""

    id: UUID
    media: Media
    size: int
    """Bytes."""
    sha256: str


class MaterialRow(Struct, frozen=True):
    """A paper without its bytes. `seq` is the supplement that it came with, 0 with the case."""

    id: UUID
    citizen_id: UUID
    case_id: UUID | None
    code: str | None
    seq: int
    media: Media
    size: int
    sha256: str
    handed_at: datetime


class CaseRow(Struct, frozen=True):
    """A case as stored; what is personal is sealed."""

    bucket: int
    id: UUID
    citizen_id: UUID
    shop: str
    app: str
    variant: str | None
    title: dict[str, str]
    state: State
    reference: str | None
    form: bytes
    progress: bytes | None
    progress_at: datetime | None
    result: bytes | None
    submitted_at: datetime
    due_on: date | None
    responsible: dict[str, str] | None
    callback_by: datetime | None
    overdue_on: date | None
    closed_at: datetime | None
    supplements: int
    tries: int
    version: int
    acted_by: UUID | None = None


class EventRow(Struct, frozen=True):
    """One line of a case's timeline."""

    id: UUID
    no: int
    at: datetime
    actor: Actor
    move: Move
    state: State
    said: bytes | None
    acted_by: UUID | None = None


class SupplementRow(Struct, frozen=True):
    """What was brought later; `answered_at` is empty until the shop took it or sent it back."""

    seq: int
    id: UUID
    form: bytes
    brought_at: datetime
    answered_at: datetime | None


class DueCase(Struct, frozen=True):
    """A case whose shop is to be asked."""

    bucket: int
    id: UUID
    shop: str


class Said(Struct, frozen=True):
    """A department's words at one step."""

    message: Text | None = None
    reasons: list[Reason] = []


class CaseItem(Struct, frozen=True):
    """A case in a list."""

    id: UUID
    shop: str
    app: str
    title: str
    state: State
    reference: str | None
    """The department's own number, once it has accepted."""
    submitted_at: datetime
    due_on: date | None
    callback_by: datetime | None
    """When the department answers at the latest, while it is pending."""
    overdue: bool
    """It did not answer in time."""


class CaseMaterial(Struct, frozen=True):
    """A paper of a case."""

    id: UUID
    code: str
    media: Media
    size: int
    handed_at: datetime


class TimelineEntry(Struct, frozen=True):
    """What happened to a case, who did it and when; `said` are the department's words."""

    at: datetime
    actor: Actor
    move: Move
    state: State
    title: str
    said: list[str]
    acted_by: UUID | None = None
    """Who did it for the citizen (`agent` of a delegation); null: the actor themselves."""


class Case(Struct, frozen=True):
    """A case with all that is known of it, as its citizen sees it."""

    case: CaseItem
    variant: str | None
    may: list[Action]
    responsible: str | None
    form: Values
    materials: list[CaseMaterial]
    timeline: list[TimelineEntry]
    progress: Progress | None
    """The department's own account."""
    stale: bool
    """The department doesn't answer now; `progress` is what it last said, `as_of` when."""
    as_of: datetime | None
    result: Result | None


class FinishedCase(Struct, frozen=True):
    """A case as the rating centre needs it."""

    id: UUID
    shop: str
    app: str
    finished: bool
    closed_at: datetime | None


class FieldLabel(Struct, frozen=True, omit_defaults=True):
    """What a field of a form is called, and its choices."""

    label: Text
    values: dict[str, Text] = {}
    money: bool = False


class Labels(Struct, frozen=True):
    """What the fields and papers of a form were called when it was filled in."""

    fields: dict[str, FieldLabel] = {}
    materials: dict[str, Text] = {}


class Answer(Struct, frozen=True):
    """One field as it was filled in. `label` and `said` are in words, in the reader's language."""

    field: str
    label: str
    value: str | int | bool
    said: str


class DeskSupplement(Struct, frozen=True):
    """What the citizen changed later."""

    brought_at: datetime
    answers: list[Answer]


class DeskMaterial(Struct, frozen=True):
    """A paper of a case, and what the form called it."""

    id: UUID
    code: str
    name: str
    media: Media
    size: int
    handed_at: datetime


class DeskEntry(Struct, frozen=True):
    """What happened to a case, as its department sees it."""

    at: datetime
    actor: Actor
    move: Move
    state: State
    title: str
    said: list[str]
    through: str | None
    """Who did it for the citizen, as in 王**; null: the actor themselves."""


class OpenCase(Struct, frozen=True):
    """A case of the department's own as somebody opened it, with a reason and until then."""

    case: CaseItem
    variant: str | None
    form: Values
    answers: list[Answer]
    """The same in words, in the form's order."""
    supplements: list[DeskSupplement]
    materials: list[DeskMaterial]
    timeline: list[DeskEntry]
    result: Result | None
    until: datetime


class DeskCase(Struct, frozen=True):
    """A case as desks see it, without the citizen."""

    shop: str
    id: UUID
    app: str
    state: State
    reference: str | None
    submitted_at: datetime
    due_on: date | None
    callback_by: datetime | None
    overdue_on: date | None
    closed_at: datetime | None
    acted: bool = False
    """Handed in by somebody who acts for the citizen."""
