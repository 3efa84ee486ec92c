"""What the capabilities share: identifiers, texts, money, tables."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

CONTRACT: Final = 2
"""Newest version of the contract; a manifest names the one it was written for."""
CONTRACTS: Final = (1, 2)
"""Every version that the platform still speaks. 1 knows `progress` and `bills` only."""

Id = Annotated[
    str, Meta(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$(?!\n)")
]
"""A shop's own identifier: safe in a URL path."""
Line = Annotated[str, Meta(min_length=1, max_length=400)]
Text = Annotated[dict[Literal["zh-CN", "en"], Line], Meta(min_length=1)]
"""A text by language tag; zh-CN is required of shops by the manifest check, en is expected."""
Minor = Annotated[int, Meta(ge=0, le=100_000_000_00)]
"""Money in minor units (分), at most a hundred million yuan."""
SignedMinor = Annotated[int, Meta(ge=-100_000_000_00, le=100_000_000_00)]
Limit = Annotated[int, Meta(ge=1, le=100)]

Kind = Literal["text", "money", "integer", "decimal", "percent", "date"]
"""How a value is read and shown. `money` is whole fen; `decimal` and `percent` are texts like
`3.10` (exact, never a binary fraction); `date` is ISO 8601."""
Cell = Annotated[str, Meta(max_length=400)] | int | None


class Column(Struct, frozen=True):
    """One column of a table."""

    key: Id
    title: Text
    kind: Kind = "text"


class Table(Struct, frozen=True):
    """Rows of cells; each row has one cell a column, null where nothing is known."""

    columns: Annotated[list[Column], Meta(min_length=1, max_length=20)]
    rows: Annotated[list[list[Cell]], Meta(max_length=600)]
    """At most 600: a housing loan of 30 years has 360 months."""


class Figure(Struct, frozen=True):
    """One result that stands out."""

    key: Id
    title: Text
    kind: Kind
    value: Cell


class Basis(Struct, frozen=True):
    """The rule that a figure rests on. `source` is where the rule was published."""

    title: Text
    source: Annotated[str, Meta(min_length=1, max_length=400)]
    example: bool = False
    """True where the figure is an example, not a published one."""
