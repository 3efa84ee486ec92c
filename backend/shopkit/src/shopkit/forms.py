"""Forms: a closed, flat part of JSON Schema 2020-12, so that every client can draw every form.

A form is an object of named fields; each is a text, a whole number, a yes/no, or a choice. Money
is whole fen (`x-kind: money`); other decimals travel as texts with a pattern, never as floats.
Labels in both languages stand in `x-label`, an example that fits in `x-example`.

A pattern is matched in linear time, by every client and at every submission: it can't look around
or refer back, and repeats nothing large a thousand times (say `maxLength`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import jsonschema_rs
import msgspec
from msgspec import Meta, Struct

from .contract.base import Kind, Text

FIELDS_MAX: Final = 60
"""Fields of one form; more is no longer one form."""
TEXT_MAX: Final = 2_000
"""Characters of one field where it says nothing."""
WHOLE_MAX: Final = 2**53 - 1
"""The largest whole number that every JSON reader and every database keeps as it is (RFC 8259)."""
PATTERNS_MAX: Final = 1024 * 1024
"""Bytes that the compiled patterns of one form may take, each its equal share: sixty times
`^\\d{17}[\\dX]$` take a tenth. Without it a shop's form could hold up everybody for seconds, and fill
the memory."""
MATCHING_MAX: Final = 64 * 1024
"""Bytes that matching one pattern may use beside it; it gets slower with less, never wrong."""
FORMS_MAX: Final = 256
"""Forms that are kept ready: a city's apps have few each. With the limit above it bounds the memory."""
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$(?!\n)")]


class Field(Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """One field. `enum` with `x-labels` is a choice; `format: date` is a day of the calendar."""

    type: Literal["string", "integer", "boolean"]
    label: Text = msgspec.field(name="x-label")
    example: str | int | bool = msgspec.field(name="x-example")
    help: Text | None = msgspec.field(name="x-help", default=None)
    enum: Annotated[list[str | int], Meta(min_length=1, max_length=200)] | None = None
    labels: dict[str, Text] | None = msgspec.field(name="x-labels", default=None)
    """By value of `enum`."""
    min_length: Annotated[int, Meta(ge=0)] | None = None
    max_length: Annotated[int, Meta(ge=1, le=TEXT_MAX)] | None = None
    pattern: Annotated[str, Meta(max_length=200)] | None = None
    minimum: int | None = None
    maximum: int | None = None
    format: Literal["date"] | None = None
    kind: Kind | None = msgspec.field(name="x-kind", default=None)
    claim: str | None = msgspec.field(name="x-prefill", default=None)
    """The claim that this field is filled in with, where the citizen consented to it."""
    default: str | int | bool | None = None


class Form(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A form's schema."""

    type: Literal["object"]
    properties: Annotated[dict[Name, Field], Meta(min_length=1, max_length=FIELDS_MAX)]
    required: list[str] = []
    additional_properties: Literal[False] = False


class Wrong(Struct, frozen=True):
    """One wrong field, and what is wrong with it."""

    field: str
    problem: str


def faults(form: Form) -> list[Wrong]:
    """What is wrong with a form itself: patterns, choices without words, examples that don't fit."""
    found = [
        Wrong(name, "in `required`, but no field") for name in form.required
        if name not in form.properties
    ]  # fmt: skip
    for name, field in form.properties.items():
        values = field.enum or []
        wordless = [v for v in values if str(v) not in (field.labels or {})]
        if wordless:
            found.append(Wrong(name, f"x-labels has no words for {wordless[0]!r}"))
    try:
        found += wrong(form, {name: f.example for name, f in form.properties.items()})
    except ValueError as error:
        found.append(Wrong("$", f"no JSON Schema: {error}"[:300]))
    return found


def wrong(form: Form, values: Mapping[str, Any]) -> list[Wrong]:
    """What is wrong with filled-in values, field by field; empty where they fit."""
    if len(values) > 2 * FIELDS_MAX:
        return [Wrong("$", f"more than {FIELDS_MAX} fields")]
    found = [Wrong(name, odd) for name, value in values.items() if (odd := _odd(value))]
    known = {one.field for one in found}
    validator = _validator(msgspec.json.encode(form, order="sorted"))
    for error in validator.iter_errors({k: v for k, v in values.items() if k not in known}):
        path = [str(part) for part in error.instance_path]
        field = path[0] if path else _missing(error.message)
        if field not in known:
            found.append(Wrong(field, _said(error.message)))
    return found


def _odd(value: Any) -> str:
    """What makes a value none of any form, whatever the form says; empty for one that may fit.

    What goes past this reaches the shops' code and databases: a NUL that no database keeps, or a
    number that no column holds, would look like the shop's own fault, and too many of those shut it.
    """
    if isinstance(value, str):
        if len(value) > TEXT_MAX:
            return f"is longer than {TEXT_MAX} characters"
        return "" if _is_text(value) else "does not consist of characters"
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int):
        return "" if abs(value) <= WHOLE_MAX else f"is not within {-WHOLE_MAX} and {WHOLE_MAX}"
    return "is not a text, a whole number, or a yes or no"


def _is_text(value: str) -> bool:
    """Whether UTF-8 and PostgreSQL can keep it: no NUL, no half of a surrogate pair."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


def _missing(message: str) -> str:
    """The field that a message about the whole form names in quotes."""
    parts = message.replace("'", '"').split('"')
    return parts[1] if len(parts) > 1 else "$"


def _said(message: str) -> str:
    """The library's words without the value: it may be personal."""
    for mark in (
        " is not ",
        " is shorter ",
        " is longer ",
        " does not ",
        " is less ",
        " is greater ",
    ):
        _, found, rest = message.partition(mark)
        if found:
            return (mark.strip() + " " + rest)[:200]
    return "required" if "required" in message else "not a field of this form"


@lru_cache(maxsize=FORMS_MAX)
def _validator(schema: bytes) -> Any:
    """By the schema's text; every app has few forms. Raises ValueError."""
    plain: dict[str, Any] = msgspec.json.decode(schema)
    patterns = {field["pattern"] for field in plain["properties"].values() if "pattern" in field}
    engine = jsonschema_rs.RegexOptions(
        size_limit=PATTERNS_MAX // max(1, len(patterns)), dfa_size_limit=MATCHING_MAX
    )
    return jsonschema_rs.Draft202012Validator(plain, validate_formats=True, pattern_options=engine)
