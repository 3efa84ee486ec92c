"""Capabilities `calculate` and `enquire` (since contract 2): a form in, figures and a table out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from .apply import Values
from .base import Basis, Figure, Table, Text


class Filled(Struct, frozen=True, forbid_unknown_fields=True):
    """A filled form, checked against the schema in the manifest (`apps[].forms`)."""

    values: Values


class Calculation(Struct, frozen=True):
    """A result, how it comes about, and by which rule."""

    figures: Annotated[list[Figure], Meta(min_length=1, max_length=40)]
    formula: Text
    basis: Annotated[list[Basis], Meta(min_length=1, max_length=20)]
    table: Table | None = None
    notes: Annotated[list[Text], Meta(max_length=20)] = []


class Enquiry(Struct, frozen=True):
    """What the records say. `as_of` is when they were brought up to date."""

    table: Table | None = None
    figures: Annotated[list[Figure], Meta(max_length=40)] = []
    notes: Annotated[list[Text], Meta(max_length=20)] = []
    as_of: datetime | None = None
