"""The rating centre: ratings, the tickets that bad ones open, and the satisfaction index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civicmall.kernel.jobs import Job

from .asks import Again, Answer, Appeal, Confirmation, NewRating, Reopening, Review
from .deadlines import overdue, redate
from .desk import (
    answer,
    appeal,
    desk_ratings,
    desk_rectification,
    desk_rectifications,
    remind,
    review,
)
from .errors import (
    AlreadyRated,
    AppealedBefore,
    MovedOn,
    NoSuchRectification,
    NotFinished,
    NotRateable,
    RemindedToday,
    ReopenedTooOften,
    WrongTags,
)
from .events import RatingGiven, RectificationMoved
from .handlers import listen
from .index import satisfaction, satisfaction_of
from .levels import LevelsView
from .levels import view as rating_levels
from .models import (
    DeskRating,
    DeskTicket,
    MonthPoint,
    Rating,
    Rectification,
    RectificationItem,
    Satisfaction,
    SatisfactionDetail,
    Subject,
)
from .personal import personal
from .routes import routers
from .service import (
    confirm,
    my_ratings,
    my_rectification,
    my_rectifications,
    rate,
    rating_of,
    reopen,
)

if TYPE_CHECKING:
    from civicmall.kernel.house import House

EVENTS = (RatingGiven, RectificationMoved)


def jobs(house: House) -> list[Job]:
    """Note tickets whose day has passed; reckon provisional days anew."""
    return [
        Job("ratings.overdue", 600.0, lambda: overdue(house)),
        Job("ratings.redate", 6 * 3600.0, lambda: redate(house)),
    ]


__all__ = [
    "EVENTS", "Again", "AlreadyRated", "Answer", "Appeal", "AppealedBefore", "Confirmation",
    "DeskRating", "DeskTicket", "LevelsView", "MonthPoint", "MovedOn", "NewRating", "NoSuchRectification",
    "NotFinished", "NotRateable", "Rating", "RatingGiven", "Rectification", "RectificationItem",
    "RectificationMoved", "RemindedToday", "ReopenedTooOften", "Reopening", "Review",
    "Satisfaction", "SatisfactionDetail", "Subject", "WrongTags", "answer", "appeal", "confirm",
    "desk_ratings", "desk_rectification", "desk_rectifications", "jobs", "listen",
    "my_ratings", "my_rectification", "my_rectifications", "personal", "rate", "rating_levels", "rating_of", "remind", "reopen",
    "review", "routers", "satisfaction", "satisfaction_of",
]  # fmt: skip
