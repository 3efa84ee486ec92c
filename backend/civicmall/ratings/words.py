"""What steps, states and messages are called. English here, Chinese in locale/zh.po."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from civicmall.kernel.i18n import Text, both

from .rules import Move, State

STATES: Final[dict[State, str]] = {
    "open": "Waiting for the department",
    "registered": "Registered, in progress",
    "fixed": "Put right; please confirm",
    "explained": "Explained; please confirm",
    "reopened": "Sent back to the department",
    "confirmed": "Confirmed by the citizen",
    "appealed": "Under review by the platform",
    "excluded": "Closed after review; not counted",
}
STEPS: Final[dict[Move, str]] = {
    "open": "A bad rating opened this ticket",
    "register": "The department registered the matter",
    "fix": "The department says it has put the matter right",
    "explain": "The department explained its position",
    "confirm": "The citizen accepted the answer",
    "reopen": "The citizen sent the answer back",
    "appeal": "The department asked for a review of the rating",
    "uphold": "The review took the rating out of the index",
    "reject": "The review left the rating as it is",
    "remind": "The platform reminded the department",
    "overdue": "The due date passed without an answer",
    "redate": "The due date was reckoned anew by the published holidays",
}
MESSAGES: Final[dict[Move, tuple[str, str]]] = {
    "open": (
        "Your rating is being followed up",
        "{shop} has until {due} to answer your rating. Responsible: {who}, {phone}.",
    ),
    "register": (
        "Your matter was registered",
        "{shop} will settle it by {due}: {said}",
    ),
    "fix": (
        "Your matter was put right",
        "{shop} says: {said} Please confirm, or send it back.",
    ),
    "explain": (
        "You have an explanation",
        "{shop} says: {said} Please confirm, or send it back.",
    ),
    "reopen": (
        "Your matter is open again",
        "{shop} has until {due} to answer. Responsible: {who}, {phone}.",
    ),
    "appeal": (
        "Your rating is under review",
        "{shop} asked the platform to review it. The department's clock stands still meanwhile.",
    ),
    "uphold": (
        "Your rating was reviewed",
        "It stays visible but does not count in the index. Reason: {said}",
    ),
    "reject": (
        "Your rating was reviewed",
        "It counts as before; {shop} has until {due} to answer. Reason: {said}",
    ),
    "remind": (
        "The department was reminded",
        "The platform reminded {shop} to answer you by {due}.",
    ),
    "overdue": (
        "The answer to your rating is late",
        "{shop} did not answer by {due}. The platform now supervises this ticket.",
    ),
    "redate": (
        "A due date was reckoned anew",
        "By the published holidays {shop} has until {due} to answer.",
    ),
}
"""Title and body by move; `confirm` is the citizen's own doing and needs no message."""
INVITATION: Final = (
    "How was it?",
    "{shop} finished your application. Your rating shows how well, and a bad one must be answered.",
)
"""Title and body once a case is finished."""
TOO_FEW: Final = "Too few ratings"
NO_CONTACT: Final = "the department's service desk"
"""Where a shop's manifest can't be read at the moment."""


def invitation(shop: Text) -> tuple[Text, Text]:
    """Title and body that ask a citizen to rate a finished case."""
    title, body = INVITATION
    return both(title), both(body, shop=shop)


def message(move: Move, values: Mapping[str, Text | str]) -> tuple[Text, Text] | None:
    """Title and body that tell a citizen of a step; None where there is nothing to tell."""
    if move not in MESSAGES:
        return None
    title, body = MESSAGES[move]
    return both(title), both(body, **values)
