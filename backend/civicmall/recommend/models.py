"""Nouns of the home."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from msgspec import Struct

from civicmall.catalogue import AppLink, AttributeType, Bearing, Named, Source, Stage
from civicmall.gateway import OwedBill, TileState

Action = Literal["dismiss", "snooze", "not_me"]
Urgency = Literal["overdue", "now", "soon", "later", "none"]
"""By the deadline: passed, within a week, within a month, further off, or there is none."""


class Feedback(Struct, frozen=True):
    """What a citizen said about a card. `until` is set for a snooze."""

    item: str
    action: Action
    given_on: date
    until: date | None = None


class FeedbackAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """Away with a card: for good (until there is a new occasion), for a while (`until`, else a
    month), or because it is meant for somebody else.
    """

    action: Action
    until: date | None = None


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The off switch: without recommendations no fact about the citizen is even read."""

    recommend: bool


class Memory(Struct, frozen=True):
    """What the home remembers of a citizen, as stored; `feedback` becomes Feedback."""

    recommend: bool
    feedback: list[dict[str, Any]]


class StageNow(Struct, frozen=True):
    """A stage of life that the citizen is in."""

    code: Stage
    name: str


class Card(Struct, frozen=True):
    """One item that matters now, and why."""

    item: str
    title: str
    department: Named
    kind: Bearing
    reason: str
    """The facts that made it so, in the caller's language."""
    urgency: Urgency
    deadline: date | None
    days_left: int | None
    """Until the deadline, today not counted; negative once it has passed."""
    starts_on: date | None
    """Where it can't be done yet: the first day on which it can."""
    sources: list[Source]
    app: AppLink | None
    """The app of a shop that does it, if there is one."""


class Option(Struct, frozen=True):
    """One possible answer."""

    value: bool | str
    label: str


class Question(Struct, frozen=True):
    """The one fact that would settle most of what can't be told; the answer goes to
    `PUT /v1/me/facts` under `attribute`.
    """

    attribute: str
    text: str
    type: AttributeType
    options: list[Option]
    """Empty for dates and numbers."""
    settles: int
    """How many items it decides by itself."""


class Picture(Struct, frozen=True):
    """The part of the home that follows from a citizen's facts alone."""

    stages: list[StageNow]
    cards: list[Card]
    question: Question | None


class Home(Struct, frozen=True):
    """The citizen's home. `owed` and `tiles` are the shops' part: each app's state by `shop/app`."""

    recommend: bool
    stages: list[StageNow]
    cards: list[Card]
    question: Question | None
    owed: list[OwedBill]
    tiles: dict[str, TileState]
    generated_at: datetime
