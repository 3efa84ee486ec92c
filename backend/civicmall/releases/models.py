"""Nouns of the releases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from .diff import Change

Note = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*\S[^\x00]*$")]
Said = Annotated[str, Meta(max_length=2000)]


class Checked(Struct, frozen=True):
    """One line of the conformance report: a check of one app (empty: of the whole shop)."""

    check: Annotated[str, Meta(min_length=1, max_length=80)]
    result: Literal["passed", "failed", "skipped"]
    app: Annotated[str, Meta(max_length=40)] = ""
    asks: Said = ""
    seen: Said = ""


class Submission(Struct, frozen=True, forbid_unknown_fields=True):
    """A release as its department hands it in: the manifest, and what the kit said of the shop."""

    manifest: dict[str, Any]
    report: Annotated[list[Checked], Meta(min_length=1, max_length=5000)]
    note: Note = ""


class Remark(Struct, frozen=True, forbid_unknown_fields=True):
    """Words to a step, if there are any to say."""

    note: Note = ""


class Because(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a step is taken."""

    note: Reason


class CanaryAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """The share of citizens that meet the version, in percent."""

    percent: Annotated[int, Meta(ge=1, le=100)]
    note: Note = ""


class ReleaseRow(Struct, frozen=True):
    """A release as stored, without its manifest."""

    id: UUID
    shop: str
    version: str
    digest: str
    kind: Literal["folder", "submitted"]
    state: str
    percent: int
    submitter: UUID | None
    submitter_name: str
    approver: UUID | None
    submitted_at: datetime
    changed_at: datetime
    live_at: datetime | None


class PapersRow(Struct, frozen=True):
    """What was handed in with a release."""

    manifest: dict[str, Any]
    report: list[dict[str, Any]]


class PriorRow(Struct, frozen=True):
    """The release that a release is compared with."""

    version: str
    manifest: dict[str, Any]


class PlacedRow(Struct, frozen=True):
    """A release that its shop has now."""

    shop: str
    version: str
    digest: str
    kind: Literal["folder", "submitted"]
    state: Literal["live", "canary", "suspended", "retired"]
    percent: int


class ManifestRow(Struct, frozen=True):
    """A kept manifest."""

    digest: str
    manifest: dict[str, Any]


class Step(Struct, frozen=True):
    """One step that was taken with a release. `percent` says something at canaries only."""

    at: datetime
    name: str
    move: str
    was: str
    now: str
    percent: int
    note: str


class Release(Struct, frozen=True):
    """A release in a list. `may`: the steps that whoever asks may take now."""

    id: UUID
    shop: str
    version: str
    kind: Literal["folder", "submitted"]
    state: str
    percent: int
    digest: str
    submitted_by: str
    submitted_at: datetime
    changed_at: datetime
    may: list[str]


class ReleaseDetail(Struct, frozen=True):
    """All about one release. `against`: the version that `changes` compare it with, if any."""

    release: Release
    manifest: dict[str, Any]
    against: str | None
    changes: list[Change]
    report: list[Checked]
    steps: list[Step]
