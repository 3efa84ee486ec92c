"""Capability `progress`: where a matter stands."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from .base import Id, Limit, Text


class ProgressQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which of the citizen's matters to tell about; all of them without `id`.

    On the wire only contract 1 sends an `id` here; contract 2 asks `progress.get`.
    """

    id: Id | None = None
    limit: Limit = 20


class Step(Struct, frozen=True):
    """One step of a matter. `done_at` is empty until it is done; `due_on` is a promise."""

    name: Text
    state: Literal["done", "current", "waiting", "failed"]
    done_at: datetime | None = None
    due_on: date | None = None
    where: Text | None = None
    note: Text | None = None


class Document(Struct, frozen=True):
    """A paper or certificate that a matter ended in."""

    name: Text
    number: Annotated[str, Meta(max_length=80)] = ""
    valid_until: date | None = None


class Result(Struct, frozen=True):
    """What came of a matter."""

    summary: Text
    documents: Annotated[list[Document], Meta(max_length=20)] = []


class Progress(Struct, frozen=True):
    """Where a matter stands: its steps, who has it now, what is missing.

    At most one step is `current`; no step after it is `done`.
    """

    id: Id
    title: Text
    state: Literal["running", "waiting_for_citizen", "ready", "finished", "refused"]
    applied_on: date
    steps: Annotated[list[Step], Meta(min_length=1, max_length=50)]
    due_on: date | None = None
    responsible: Text | None = None
    where: Text | None = None
    missing: Annotated[list[Text], Meta(max_length=50)] = []
    result: Result | None = None
    """Only of a finished or refused matter (since contract 2)."""
