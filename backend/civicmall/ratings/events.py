"""What this room tells the others. No words of citizens in here: whoever may read them asks."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from .rules import Move


class RatingGiven(Struct, frozen=True, tag="ratings.rating_given"):
    """A citizen rated a finished order or call; `opened` where the rating is a ticket, too."""

    rating_id: UUID
    shop: str
    app: str
    stars: int
    opened: bool


class RectificationMoved(Struct, frozen=True, tag="ratings.rectification_moved"):
    """Something happened to a ticket. The ticket has the id of its rating."""

    rectification_id: UUID
    shop: str
    move: Move
