"""Nouns of the catalogue: what its content says, and what its doors answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from .rules import Rule, Window

Tag = Annotated[str, Meta(pattern=r"^(zh-CN|en)$")]
Line = Annotated[str, Meta(min_length=1, max_length=400)]
Text = Annotated[dict[Tag, Line], Meta(min_length=2, max_length=2)]
"""A text in both languages; neither may be missing."""
Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,59}$")]
Stage = Literal["birth", "school", "work", "marriage", "retirement"]
Subject = Literal["citizen", "enterprise"]
Bearing = Literal["duty", "entitlement", "suggestion"]
"""What an item is to somebody it concerns: must do, may claim, might want."""
AttributeType = Literal["date", "number", "choice", "flag", "children", "numbers"]


class Attribute(Struct, frozen=True, forbid_unknown_fields=True):
    """One fact about a citizen, in the one vocabulary that all rules and questions use."""

    type: AttributeType
    label: Text
    """As it stands inside a condition: "age"."""
    fact: Text | None = None
    """A statement to the citizen; `{value}` is filled in: "you are {value} years old"."""
    question: Text | None = None
    """How it is asked for; what has none is never asked (who never graduated has no date)."""
    values: dict[Slug, Text] = {}
    """The words for each value: of a choice, or "true" and "false" of a flag."""
    unit: Text | None = None
    derived: list[str] = field(default_factory=list[str], name="from")
    """What it is computed from, most asked-for first; empty where somebody has to say it."""
    declared: bool = False
    """The citizen may say it; otherwise a register does."""
    sensitive: bool = False
    """Sensitive personal information (PIPL art. 28): never asked unprompted."""


class Named(Struct, frozen=True):
    """A code and its name in the caller's language."""

    code: str
    name: str


class StageDef(Struct, frozen=True, forbid_unknown_fields=True):
    """A stage of life and who is in it."""

    name: Text
    summary: Text
    when: Rule


class Card(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the home brings an item up."""

    bearing: Bearing
    when: Rule | None = None
    """The moment at which it is worth showing, beside the item's own condition."""
    ahead_days: Annotated[int, Meta(ge=1, le=1_000)] | None = None
    """Shown already so many days before its conditions hold, as something to come."""


class Item(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A service item. What is absent is unknown, not empty."""

    code: Slug
    name: Text
    department: Slug
    subject: Subject = "citizen"
    kind: Slug | None = None
    stages: list[Stage] = []
    events: list[Slug] = []
    words: list[Line] = []
    """What people say when they mean it, in both languages, for the search."""
    when: Rule | None = None
    """Whom it is for, by law."""
    window: Window | None = None
    time: str | None = None
    """The law's figure for how long the department may take."""
    fee: str | None = None
    """The law's figure for what it costs, in fen."""
    materials: list[Text] | None = None
    materials_law: str | None = None
    steps: list[Text] | None = None
    basis: list[str] = []
    """Names of law figures beside those that its rules cite."""
    card: Card | None = None


class StoredItem(Struct, frozen=True):
    """An item as the database keeps it."""

    code: str
    body: dict[str, Any]
    valid_from: datetime


class AppLink(Struct, frozen=True):
    """The app of a shop that does an item."""

    shop: str
    app: str
    name: str


class Source(Struct, frozen=True):
    """A law, and what it says here."""

    source: str
    note: str | None = None


class ItemView(Struct, frozen=True):
    """A service item in a list."""

    code: str
    name: str
    department: Named
    subject: Subject
    kind: Named | None
    stages: list[Stage]
    apps: list[AppLink]


class ItemGuide(Struct, frozen=True):
    """Everything known about a service item, in the caller's language."""

    code: str
    name: str
    department: Named
    subject: Subject
    kind: Named | None
    stages: list[Stage]
    events: list[Named]
    words: list[str]
    conditions: str | None
    """Whom it is for, in words made from the rule itself."""
    window: str | None
    """From when to when."""
    time: str | None
    fee: str | None
    materials: list[str] | None
    steps: list[str] | None
    sources: list[Source]
    apps: list[AppLink]
    unknown: list[str]
    """Names of the fields above that nobody has told us: null means unknown, not none."""
    valid_from: datetime


class StageView(Struct, frozen=True):
    """A stage of life, and how many items it has."""

    code: Stage
    name: str
    summary: str
    items: int


class DepartmentView(Struct, frozen=True):
    """A department, and how many items it has."""

    code: str
    name: str
    items: int
