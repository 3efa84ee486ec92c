"""Nouns of the rating centre.

A rating and its ticket share one id, which carries the citizen's bucket; what desks look at are
rows keyed by shop, without the citizen.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from .rules import Actor, Move, State, Turn

Kind = Literal["order", "call", "case"]


class Subject(Struct, frozen=True, forbid_unknown_fields=True):
    """What is rated: a finished order, a finished call of a shop, or a finished case."""

    kind: Kind
    id: UUID


class RatingRow(Struct, frozen=True):
    """A rating as kept in the citizen's bucket, with the state of its ticket if it has one."""

    id: UUID
    kind: Kind
    subject_id: UUID
    citizen_id: UUID
    shop: str
    app: str
    pseudonym: str
    levels: int
    """Version of the names that it was given with."""
    stars: int
    tags: list[str]
    comment: str
    given_at: datetime
    again_stars: int | None
    again_tags: list[str] | None
    again_comment: str | None
    again_at: datetime | None
    excluded_at: datetime | None
    version: int
    state: State | None
    due_on: date | None


class TicketRow(Struct, frozen=True):
    """A ticket as kept in the citizen's bucket. `version` grows with every step."""

    id: UUID
    citizen_id: UUID
    shop: str
    app: str
    state: State
    turn: Turn
    responsible: dict[str, str]
    phone: str
    opened_at: datetime
    counted_from: date
    paused_days: int
    due_on: date
    provisional: bool
    reopened: int
    appeals: int
    appealed_on: date | None
    late: bool
    overdue_on: date | None
    reminded_on: date | None
    closed_at: datetime | None
    version: int


class StepRow(Struct, frozen=True):
    """One line of a ticket's history."""

    id: UUID
    no: int
    at: datetime
    actor: Actor
    who: str
    """Name of the member of staff; empty for citizens and the platform."""
    move: Move
    state: State
    said: str
    due_on: date


class Judged(Struct, frozen=True):
    """Stars, tags and words of one rating, in one language."""

    stars: int
    level: str
    tags: list[str]
    comment: str
    at: datetime


class TicketRef(Struct, frozen=True):
    """That a rating opened a ticket, and where it stands. The ticket has the rating's id."""

    id: UUID
    state: State
    due_on: date


class Rating(Struct, frozen=True):
    """A citizen's rating, as that citizen sees it."""

    id: UUID
    subject: Subject
    shop: str
    app: str
    first: Judged
    again: Judged | None
    counts: bool
    """False where an operator took it out of the index; it is never deleted."""
    rectification: TicketRef | None


class Due(Struct, frozen=True):
    """A due date and how it came about: `working_days` after `counted_from`."""

    on: date
    counted_from: date
    working_days: int
    paused_days: int
    """How many of them are there because the clock stood still during a review."""
    provisional: bool
    """True where it lies beyond the published holidays, and may still move."""
    overdue: bool


class TicketStep(Struct, frozen=True):
    """What happened to a ticket, who did it and when."""

    at: datetime
    actor: Actor
    who: str
    move: Move
    title: str
    said: str
    state: State
    due_on: date


class Rectification(Struct, frozen=True):
    """A ticket with its whole history: citizen, department and operator see the same."""

    id: UUID
    shop: str
    app: str
    state: State
    title: str
    turn: Turn
    may: list[Move]
    """What the reader can do now."""
    citizen: str
    """The citizen's pseudonym at this shop."""
    responsible: str
    phone: str
    due: Due
    opened_at: datetime
    closed_at: datetime | None
    reopened: int
    rating: Judged
    again: Judged | None
    counts: bool
    steps: list[TicketStep]


class RectificationItem(Struct, frozen=True):
    """A ticket in its citizen's list."""

    id: UUID
    shop: str
    app: str
    stars: int
    state: State
    title: str
    turn: Turn
    due_on: date
    overdue: bool
    opened_at: datetime


class MineRow(Struct, frozen=True):
    """A ticket in its citizen's list, as kept."""

    id: UUID
    shop: str
    app: str
    stars: int
    state: State
    turn: Turn
    due_on: date
    opened_at: datetime


class DeskRatingRow(Struct, frozen=True):
    """A rating at its shop's desk, as kept."""

    shop: str
    id: UUID
    app: str
    kind: Kind
    pseudonym: str
    levels: int
    stars: int
    tags: list[str]
    comment: str
    given_at: datetime
    again_stars: int | None
    again_tags: list[str] | None
    again_comment: str | None
    again_at: datetime | None
    counts: int | None


class DeskRating(Struct, frozen=True):
    """A rating as staff sees it: a pseudonym and the citizen's own words."""

    id: UUID
    shop: str
    app: str
    kind: Kind
    citizen: str
    first: Judged
    again: Judged | None
    counts: bool


class DeskTicketRow(Struct, frozen=True):
    """A ticket at its shop's desk, as kept."""

    shop: str
    id: UUID
    app: str
    pseudonym: str
    stars: int
    state: State
    turn: Turn
    closed: bool
    opened_at: datetime
    due_on: date
    provisional: bool
    reopened: int
    late: bool
    overdue_on: date | None
    reminded_on: date | None
    responsible: dict[str, str]


class DeskTicket(Struct, frozen=True):
    """A ticket in the desk's list; `late` once any of its due dates was missed."""

    id: UUID
    shop: str
    app: str
    citizen: str
    stars: int
    state: State
    title: str
    turn: Turn
    opened_at: datetime
    due_on: date
    provisional: bool
    overdue: bool
    late: bool
    reopened: int
    reminded_on: date | None
    responsible: str


class DueTicket(Struct, frozen=True):
    """A ticket that a job has to look at."""

    shop: str
    id: UUID
    due_on: date


class MonthRow(Struct, frozen=True):
    """A shop's counts of one month: ratings given in it, tickets opened in it."""

    shop: str
    month: date
    s1: int
    s2: int
    s3: int
    s4: int
    s5: int
    opened: int
    answered: int
    on_time: int
    late: int
    confirmed: int


class MonthPoint(Struct, frozen=True):
    """One month of a shop's trend; shares are null where nobody rated."""

    month: str
    """As in `2026-11`."""
    n: int
    mean: float | None
    satisfied: float | None
    low: float | None
    high: float | None


class Satisfaction(Struct, frozen=True):
    """How satisfied people are with a shop over the last twelve months, and how sure that is.

    Shares go from 0 to 1 and are null where there is nothing to divide by. Shops are listed by
    name, not by rank: where intervals overlap the data carries no order.
    """

    shop: str
    name: str
    n: int
    """Ratings that count; those excluded after a review don't."""
    mean: float | None
    """Mean stars, 1 to 5, of each matter's latest rating."""
    satisfied: float | None
    """Share with three stars or more."""
    low: float | None
    high: float | None
    """Between these the share truly lies, with 95 % confidence (Wilson)."""
    level: str
    """The level's name, or that there are too few ratings to name one."""
    enough: bool
    stars: list[int]
    """How many gave one star, two, three, four, five."""
    opened: int
    """Bad ratings that opened a ticket."""
    rectified: float | None
    """Share of tickets that the department has put right or explained, and not got back."""
    confirmed: float | None
    """Share of tickets whose citizen accepted the answer."""
    on_time: float | None
    """Of the tickets answered or overdue, the share that never missed a due date."""


class SatisfactionDetail(Struct, frozen=True):
    """One shop's index and its trend, oldest month first."""

    index: Satisfaction
    trend: list[MonthPoint]
