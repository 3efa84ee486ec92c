"""What the room says. English here, Chinese in locale/zh.po."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from civicmall.kernel.i18n import Text, both

from .rules import Move

MOVES: Final[dict[Move, str]] = {
    "submit": "Submitted",
    "defer": "The department has it and will answer later",
    "accept": "Accepted by the department",
    "refuse": "Refused by the department",
    "void": "Sent back to be mended",
    "ask": "The department needs something from you",
    "supplement": "Supplemented",
    "take": "The department took the supplement",
    "resume": "The department goes on",
    "ready": "Ready to collect",
    "finish": "Finished",
    "withdraw": "Withdrawn",
    "overdue": "The department has not answered by the day it named",
}
"""What happened, as a line of the timeline."""
MESSAGES: Final[dict[str, tuple[str, str]]] = {
    "accept": ("Application accepted", "{shop} accepted “{title}”. Its number is {reference}."),
    "defer": ("Application received", "{shop} has received “{title}” and will answer later."),
    "refuse": ("Application refused", "{shop} refused “{title}”. Its reasons stand in the case."),
    "ask": (
        "Your application waits for you",
        "{shop} needs something more for “{title}”. See what.",
    ),
    "ready": ("Ready to collect", "“{title}” is ready. {shop} tells where to collect it."),
    "finish": ("Application finished", "{shop} finished “{title}”. The result stands in the case."),
    "overdue": (
        "No answer in time",
        "{shop} has not answered to “{title}” by the day it named. The platform asks after it.",
    ),
}
"""What the citizen is told, by move: title and body. Moves of their own need no message."""


def message(move: Move, values: Mapping[str, Text | str]) -> tuple[Text, Text] | None:
    """Title and body in both languages; None where there is nothing to tell."""
    if move not in MESSAGES:
        return None
    title, body = MESSAGES[move]
    return both(title, **values), both(body, **values)
