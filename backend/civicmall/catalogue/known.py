"""What is known of one citizen on one date: the values that rules look at.

Facts come from registers and from the citizen, so they are JSON-like and may be missing or odd;
whatever can't be read as its attribute's type counts as unknown, never as an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from . import dates
from .models import Attribute
from .rules import Unit


class Unknown(Struct, frozen=True):
    """A value that we don't have; `missing` names what somebody would have to tell."""

    missing: frozenset[str]


Value: TypeAlias = bool | int | str | date | tuple[int, ...] | tuple[date, ...] | Unknown | None
"""None: known that there is none (no child, not married)."""
Read: TypeAlias = Callable[[str], Value]


class Axis(Struct, frozen=True, cache_hash=True):
    """One way to look at one attribute: its value, or a date's distance from today in a unit."""

    attribute: str
    how: Literal["value", "since", "until"] = "value"
    unit: Unit = "days"


Derive: TypeAlias = Callable[[Read, date], Value]


class Known:
    """One citizen's facts on `today`, read through the vocabulary; each value computed once."""

    def __init__(
        self,
        vocabulary: Mapping[str, Attribute],
        derivations: Mapping[str, Derive],
        facts: Mapping[str, Any],
        today: date,
    ) -> None:
        self.today = today
        self.facts = facts
        self._vocabulary = vocabulary
        self._derivations = derivations
        self._values: dict[str, Value] = {}
        self._axes: dict[Axis, Value] = {}

    def on(self, today: date) -> Known:
        """The same facts on another date."""
        return Known(self._vocabulary, self._derivations, self.facts, today)

    def value(self, name: str) -> Value:
        """An attribute's value; `name` is one of the vocabulary."""
        try:
            return self._values[name]
        except KeyError:
            pass
        derive = self._derivations.get(name)
        if derive is not None:
            found = derive(self.value, self.today)
        else:
            found = read(self._vocabulary[name], self.facts.get(name))
            if found is None:
                found = Unknown(frozenset((name,)))
        self._values[name] = found
        return found

    def along(self, axis: Axis) -> Value:
        """The value on an axis: for a date's distance, completed units as a whole number."""
        try:
            return self._axes[axis]
        except KeyError:
            pass
        found = self.value(axis.attribute)
        if axis.how != "value" and isinstance(found, date):
            found = (
                dates.completed(found, self.today, axis.unit)
                if axis.how == "since"
                else dates.completed(self.today, found, axis.unit)
            )
        self._axes[axis] = found
        return found


def read(attribute: Attribute, raw: Any) -> Value:
    """A fact as its attribute's type, None where it can't be read so."""
    match attribute.type:
        case "flag":
            return raw if isinstance(raw, bool) else None
        case "number":
            return raw if isinstance(raw, int) and not isinstance(raw, bool) else None
        case "choice":
            return raw if isinstance(raw, str) and raw in attribute.values else None
        case "date":
            return _date(raw)
        case "children":
            return _children(raw)
        case _:  # numbers are computed, never told
            return None


def _date(raw: Any) -> date | None:
    if isinstance(raw, date):
        return raw
    try:
        return date.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        return None


def _children(raw: Any) -> tuple[date, ...] | None:
    """The children's birth dates, oldest first; one without a birth date makes all unknown."""
    if not isinstance(raw, list):
        return None
    born: list[date] = []
    for child in raw:  # pyright: ignore[reportUnknownVariableType]
        day = _date(child.get("birth_date")) if isinstance(child, dict) else None  # pyright: ignore[reportUnknownMemberType]
        if day is None:
            return None
        born.append(day)
    return tuple(sorted(born))
