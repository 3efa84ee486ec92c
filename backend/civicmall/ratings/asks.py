"""What comes in: ratings, answers, reasons, verdicts. Constraints are checked as it is read."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from .models import Subject

COMMENT_MAX: Final = 500
"""Characters; who needs more has a complaint to file, not a rating."""
SAID_MAX: Final = 1_000
"""Characters of an answer, a reason or a verdict: a page that is read on a phone."""
TAGS_MAX: Final = 8

Stars = Annotated[int, Meta(ge=1, le=5)]
Tag = Annotated[str, Meta(pattern=r"^[a-z][a-z_]{0,39}$")]
Tags = Annotated[list[Tag], Meta(max_length=TAGS_MAX)]
_SEEN: Final = r"[^\x00-\x08\x0b-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
"""Any character but those that control a terminal, turn a line round, or show nothing at all."""
_INK: Final = r"[^\s\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
Comment = Annotated[str, Meta(max_length=COMMENT_MAX, pattern=f"^{_SEEN}*$(?!\\n)")]
Said = Annotated[
    str, Meta(min_length=1, max_length=SAID_MAX, pattern=f"^{_SEEN}*{_INK}{_SEEN}*$(?!\\n)")
]
"""Words that can't be blank."""


class NewRating(Struct, frozen=True, forbid_unknown_fields=True):
    """Stars from 1 (very dissatisfied) to 5, tags of that level, and own words."""

    subject: Subject
    stars: Stars
    tags: Tags = []
    comment: Comment = ""


class Again(Struct, frozen=True, forbid_unknown_fields=True):
    """The same matter judged anew after it was put right; the first rating stays visible."""

    stars: Stars
    tags: Tags = []
    comment: Comment = ""


class Confirmation(Struct, frozen=True, forbid_unknown_fields=True):
    """The citizen accepts the answer, and may rate again."""

    rating: Again | None = None


class Reopening(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the answer isn't accepted."""

    reason: Said


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """What the department says.

    `fixed`: put right; `registered`: complex, will be done by the due date, which stays;
    `explained`: there is no legal basis to do otherwise, and why.
    """

    kind: Literal["fixed", "registered", "explained"]
    text: Said


class Appeal(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the department takes the rating for a mistake or for malice."""

    reason: Said


class Review(Struct, frozen=True, forbid_unknown_fields=True):
    """The operator's verdict on an appeal; `upheld` takes the rating out of the index."""

    verdict: Literal["upheld", "rejected"]
    reason: Said
