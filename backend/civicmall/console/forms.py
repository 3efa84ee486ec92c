"""What the console's addresses and forms carry: one Struct each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

import msgspec
from litestar import Request
from msgspec import Meta, Struct

from civicmall.kernel import web
from civicmall.kernel.errors import BadRequest, Problem

from .words import CaseState, State

Web = Request[Any, Any, Any]
Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
ReleaseState = Literal[
    "waiting", "all", "submitted", "approved", "rejected", "canary", "live", "replaced", "suspended",
    "retired", "withdrawn",
]  # fmt: skip
Cursor = Annotated[str, Meta(max_length=400)]
PAGE: Final = 30
"""Rows of a page: two screens of a laptop."""
F = TypeVar("F", bound=Struct)


class Paged(Struct, frozen=True):
    """Where a list goes on."""

    after: Cursor | None = None


class RatingFilter(Struct, frozen=True):
    """Which ratings to list."""

    shop: Slug | None = None
    bad: Literal["1"] | None = None
    after: Cursor | None = None


class TicketFilter(Struct, frozen=True):
    """Which tickets to list."""

    shop: Slug | None = None
    state: State | None = None
    overdue: Literal["1"] | None = None
    after: Cursor | None = None


class CaseFilter(Struct, frozen=True):
    """Which cases to list."""

    state: CaseState | None = None
    overdue: Literal["1"] | None = None
    after: Cursor | None = None


class DisputeFilter(Struct, frozen=True):
    """Which objections to list: those that wait for an answer, or all."""

    show: Literal["waiting", "all"] = "waiting"
    after: Cursor | None = None


class ReleaseFilter(Struct, frozen=True):
    """Which releases to list: those that wait, those in one state, or all."""

    shop: Slug | None = None
    state: ReleaseState = "waiting"
    after: Cursor | None = None


class Taking(Struct, frozen=True):
    """A step that somebody takes with a release, and that they are sure."""

    sure: Literal["1"]
    note: Annotated[str, Meta(max_length=1000)] = ""
    percent: Annotated[int, Meta(ge=1, le=100)] | None = None


class PaymentFilter(Struct, frozen=True):
    """Which page of the payments, and over how many days to sum."""

    days: Annotated[int, Meta(ge=1, le=365)] = 30
    after: Cursor | None = None


def id_of(text: str, missing: type[Problem]) -> UUID:
    """An id in an address. Raises what is `missing`."""
    try:
        return UUID(text)
    except ValueError:
        raise missing from None


def query(request: Web, kind: type[F]) -> F:
    """The parameters of an address; an empty one says nothing. Raises BadRequest."""
    said = {name: value for name, value in request.query_params.items() if value}
    return _convert(said, kind)


async def read(request: Web, kind: type[F]) -> F:
    """The fields of a form, as browsers send them. Raises BadRequest."""
    said = {name: value.replace("\r\n", "\n").strip() for name, value in await web.fields(request)}
    return _convert(said, kind)


def _convert(said: Mapping[str, str], kind: type[F]) -> F:
    known = {name: said[name] for name in kind.__struct_fields__ if name in said}
    try:
        return msgspec.convert(known, kind, strict=False)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`")
        raise BadRequest(field=field) from error
