"""The rule language: conditions as data, the same for items, stages and recommendations.

A rule is one clause. `all`, `any` and `not` join clauses; every other clause speaks of one
attribute of the vocabulary (content/attributes.yaml)::

    {all: [{attribute: sex, is: female},
           {attribute: youngest_child_on, since: {under: 12, unit: months}}]}

Wherever a number stands, `{law: name.part}` may stand instead: the figure then comes from
content/law.yaml together with its source.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, field

Unit = Literal["days", "months", "years"]


class Law(Struct, frozen=True, forbid_unknown_fields=True):
    """A figure of content/law.yaml by name, with its part after a dot."""

    law: str


Figure: TypeAlias = int | Law


class Range(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whole numbers between two bounds; a missing bound is open."""

    at_least: Figure | None = None
    over: Figure | None = None
    at_most: Figure | None = None
    under: Figure | None = None


class Span(Range, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A range of completed units of time. Without a lower bound it starts at zero: a `since`
    counts only once its date has come, an `until` only as long as its date has not passed.
    """

    unit: Unit


class Rule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One clause: exactly one of `all`, `any`, `not`, or an attribute with one way to look at it."""

    all: list[Rule] | None = None
    any: list[Rule] | None = None
    not_: Rule | None = field(default=None, name="not")
    attribute: str | None = None
    is_: bool | str | None = field(default=None, name="is")
    """For a flag or a choice."""
    in_: list[str] | None = field(default=None, name="in")
    """For a choice: any of these."""
    at_least: Figure | None = None
    over: Figure | None = None
    at_most: Figure | None = None
    under: Figure | None = None
    """For a number: bounds, as in Range."""
    some: Range | None = None
    """For numbers (the children's ages): at least one of them lies in the range."""
    since: Span | None = None
    """For a date: how long ago."""
    until: Span | None = None
    """For a date: how long from now."""


class Moment(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A date attribute, and how much later or, with `before`, earlier."""

    attribute: str
    plus: Figure = 0
    unit: Unit = "days"
    before: bool = False


class Yearly(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The same days each year, "MM-DD" in the law's figures."""

    from_: Law = field(name="from")
    until: Law


class Window(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """From when to when (both included) an item can or must be done. The law that says so is
    cited in a figure or named in `law`.
    """

    opens: Moment | None = None
    closes: Moment | None = None
    yearly: Yearly | None = None
    law: str | None = None
