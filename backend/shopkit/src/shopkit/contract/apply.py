"""Capability `apply` (since contract 2): a form, materials, and one of three answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from ..forms import Form  # noqa: TID252 (the package is one thing)
from .base import Basis, Id, Text

Media = Literal["application/pdf", "image/jpeg", "image/png"]
"""What a material may be: what every phone makes and every office opens."""
MEDIA: Final[tuple[Media, ...]] = ("application/pdf", "image/jpeg", "image/png")
Values = dict[Annotated[str, Meta(max_length=80)], Any]
"""A filled form: JSON values by field; the platform has checked them against the form's schema."""


class FormQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which form: `variant` names one where an app has several (by service item, say)."""

    variant: Id | None = None


class Material(Struct, frozen=True):
    """A paper that is asked for."""

    code: Id
    name: Text
    required: bool = True
    note: Text | None = None
    media: Annotated[list[Media], Meta(min_length=1)] = field(default_factory=lambda: [*MEDIA])


class Prefill(Struct, frozen=True):
    """A value that is in force today, and where it comes from; the citizen may change it."""

    value: Any
    source: Text


class ApplyForm(Struct, frozen=True):
    """What must be filled in and handed in. `schema` is JSON Schema, as `shopkit.forms` has it."""

    title: Text
    schema: Form
    materials: Annotated[list[Material], Meta(max_length=30)] = []
    prefill: dict[str, Prefill] = {}
    notes: Annotated[list[Text], Meta(max_length=20)] = []
    basis: Annotated[list[Basis], Meta(max_length=20)] = []
    working_days: Annotated[int, Meta(ge=0, le=365)] | None = None
    """Promised time from acceptance to result."""


class Handed(Struct, frozen=True, forbid_unknown_fields=True):
    """A material that was handed in; its bytes are fetched by `id` (`Call.material`)."""

    code: Id
    id: str
    media: Media
    size: int
    """Bytes."""
    sha256: str
    """Of the bytes, lower-case hex."""


class Submission(Struct, frozen=True, forbid_unknown_fields=True):
    """An application. Comes at least once: the same `case_id` gets the same answer."""

    case_id: str
    form: Values
    variant: Id | None = None
    materials: list[Handed] = []


class Supplement(Struct, frozen=True, forbid_unknown_fields=True):
    """What was missing. `seq` counts from 1 within a case; the same one gets the same answer."""

    case_id: str
    reference: Id
    seq: int
    form: Values = {}
    materials: list[Handed] = []


class Withdrawal(Struct, frozen=True, forbid_unknown_fields=True):
    """The citizen takes the application back."""

    case_id: str
    reference: Id


class Reason(Struct, frozen=True):
    """Why something was refused; `field` names the form's field or the material."""

    message: Text
    field: str | None = None


class Outcome(Struct, frozen=True):
    """What a department says to an application: one of three, anything else is a failure.

    accepted: it has a `reference` and can be followed with `progress.get`; pending: the answer
    comes as a callback before `callback_by`; refused: `reasons` say why. On the wire these are
    200, 202 and 422.
    """

    state: Literal["accepted", "pending", "refused"]
    reference: Id | None = None
    callback_by: datetime | None = None
    reasons: Annotated[list[Reason], Meta(max_length=50)] = []
    due_on: date | None = None
    responsible: Text | None = None
    message: Text | None = None


class CaseNews(Struct, frozen=True, forbid_unknown_fields=True):
    """A callback about a case: the answer that was pending, or that its progress changed.

    With an `outcome` the case was pending; without one the platform asks `progress.get`.
    """

    outcome: Outcome | None = None
