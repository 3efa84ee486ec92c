"""What may be told of a citizen, by whom: pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, Final

from shopkit.contract import DECLARABLE, fault

EVENTS_MAX: Final = 100
"""More than a life has."""
EARLIEST: Final = date(1900, 1, 1)


def wrong_declaration(facts: dict[str, Any]) -> tuple[str, str] | None:
    """The first attribute that can't be declared so, and why; None where all can."""
    for name, value in facts.items():
        if name not in DECLARABLE:
            return name, "can't be declared"
        if problem := fault(name, value):
            return name, problem
    return None


def wrong_attestation(
    name: str, value: Any, as_of: date, attests: Collection[str], today: date
) -> tuple[str, str] | None:
    """What is wrong with an attestation, by member; None where nothing is."""
    if name not in attests:
        return "name", "the manifest does not name it in attests"
    if problem := fault(name, value):
        return "value", problem
    if not EARLIEST <= as_of <= today:
        return "as_of", f"from {EARLIEST} to today"
    return None


def wrong_day(on: date, today: date) -> bool:
    """Whether nothing can have happened on this day that a citizen tells of."""
    return not EARLIEST <= on <= today
