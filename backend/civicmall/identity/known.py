"""What counts of what is said about a citizen, and what life events lead to: pure.

A register or a department counts more than one's own word. Of two that attest, the later day counts
(`as_of`), on the same day what was told later; of one's own words the last. What the citizen
objected to is shown and stays known, but no recommendation rests on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, cast
from uuid import UUID

from msgspec import Struct

SELF: Final = "self"
REGISTER: Final = "register"
PREGNANT_DAYS: Final = 300
"""Forty weeks and a little: after that it is over, one way or the other, and nobody should be
reminded of it."""
EventKind = Literal[
    "pregnant", "child_born", "married", "divorced", "widowed", "moved", "graduated",
    "started_work", "lost_work", "started_business", "retired", "bought_home", "discharged",
]  # fmt: skip


class Said(Struct, frozen=True):
    """What one source says: `self` (the citizen), `register`, or a department's shop."""

    source: str
    value: Any
    as_of: date
    """The day on which it was so, as the source has it."""
    told_at: datetime
    disputed_at: datetime | None = None
    """Since when the citizen says that it is wrong."""


class Known(Struct, frozen=True):
    """An attribute with everything that is said of it, what counts first."""

    name: str
    said: tuple[Said, ...]
    off: bool

    @property
    def value(self) -> Any:
        """What counts."""
        return self.said[0].value


class AttributeView(Struct, frozen=True):
    """A fact with its source and date; `others` say something else, and count less."""

    name: str
    value: Any
    source: str
    as_of: date
    told_at: datetime
    recommend: bool
    """Whether the home may look at it."""
    disputed_at: datetime | None
    others: list[Said]


class NewEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """What happened in a life, and on which day."""

    kind: EventKind
    on: date


class LifeEvent(Struct, frozen=True):
    """What happened. `id` is there where the citizen told it, who may correct and remove it; else it
    follows from what `source` attests.
    """

    kind: EventKind
    on: date
    source: str
    told_at: datetime
    id: UUID | None = None


EVENTS: Final[dict[EventKind, Callable[[str], dict[str, Any]]]] = {
    "pregnant": lambda _: {"pregnant": True},
    "child_born": lambda _: {"pregnant": False},
    "married": lambda on: {"marital_status": "married", "married_on": on},
    "divorced": lambda _: {"marital_status": "divorced"},
    "widowed": lambda _: {"marital_status": "widowed"},
    "moved": lambda on: {"moved_on": on},
    "graduated": lambda on: {"graduated_on": on, "student": False},
    "started_work": lambda _: {"employment": "employed"},
    "lost_work": lambda _: {"employment": "unemployed"},
    "started_business": lambda _: {"employment": "self_employed"},
    "retired": lambda _: {"employment": "retired"},
    "bought_home": lambda _: {"housing": "owner"},
    "discharged": lambda _: {"veteran": True},
}
"""What each event leads to. Children are gathered beside: each birth is one more."""
TOLD_BY: Final[dict[str, EventKind]] = {
    "married_on": "married", "graduated_on": "graduated", "moved_on": "moved",
}  # fmt: skip
"""Attested days that are an event by themselves."""


def from_events(events: Iterable[LifeEvent], today: date) -> dict[str, Said]:
    """What a citizen's own events lead to, each from the last that speaks of it."""
    found: dict[str, Said] = {}
    born: list[dict[str, str]] = []
    for event in sorted(events, key=lambda e: (e.on, e.told_at)):
        for name, value in EVENTS[event.kind](event.on.isoformat()).items():
            found[name] = Said(SELF, value, event.on, event.told_at)
        if event.kind == "child_born":
            born.append({"birth_date": event.on.isoformat()})
            found["children"] = Said(SELF, [*born], event.on, event.told_at)
    carried = found.get("pregnant")
    if carried and carried.value and today - carried.as_of > timedelta(days=PREGNANT_DAYS):
        del found["pregnant"]
    return found


def gathered(
    told: Iterable[tuple[str, Said]],
    events: Iterable[LifeEvent],
    disputes: Mapping[tuple[str, str], datetime],
    off: frozenset[str],
    today: date,
) -> dict[str, Known]:
    """Everything that is said of a citizen, by attribute; `told` is attribute and what is said."""
    by_name: dict[str, list[Said]] = {}
    for name, said in told:
        by_name.setdefault(name, []).append(said)
    for name, said in from_events(events, today).items():
        by_name.setdefault(name, []).append(said)
    return {
        name: Known(name, _ranked(name, said, disputes), name in off)
        for name, said in by_name.items()
    }


def _ranked(
    name: str, said: list[Said], disputes: Mapping[tuple[str, str], datetime]
) -> tuple[Said, ...]:
    if len(said) == 1 and not disputes:
        return (said[0],)
    marked = [
        Said(one.source, one.value, one.as_of, one.told_at, disputes.get((name, one.source)))
        for one in said
    ]
    marked.sort(key=_weight, reverse=True)
    return tuple(marked)


def _weight(one: Said) -> tuple[bool, date, datetime]:
    attested = one.source != SELF
    return attested, one.as_of if attested else date.min, one.told_at


def facts(known: Mapping[str, Known]) -> dict[str, Any]:
    """Attribute → what counts."""
    return {name: one.said[0].value for name, one in known.items()}


def for_recommendation(known: Mapping[str, Known]) -> dict[str, Any]:
    """The same without what is switched off, and without what the citizen objected to."""
    found: dict[str, Any] = {}
    for name, one in known.items():
        if not one.off:
            for said in one.said:
                if said.disputed_at is None:
                    found[name] = said.value
                    break
    return found


def view(one: Known) -> AttributeView:
    """An attribute as its citizen sees it."""
    first = one.said[0]
    return AttributeView(
        one.name, first.value, first.source, first.as_of, first.told_at, not one.off,
        first.disputed_at, [said for said in one.said[1:] if said.value != first.value],
    )  # fmt: skip


def attested_events(known: Mapping[str, Known]) -> list[LifeEvent]:
    """The events that what is attested tells of by itself."""
    found: list[LifeEvent] = []
    for name, one in known.items():
        for said in one.said:
            if said.source == SELF:
                continue
            if kind := TOLD_BY.get(name):
                days = [said.value]
            elif name == "children" and isinstance(said.value, list):
                kind, children = "child_born", cast("list[dict[str, Any]]", said.value)
                days = [child.get("birth_date") for child in children]
            else:
                continue
            found += [
                LifeEvent(kind, on, said.source, said.told_at)
                for on in map(_day, days)
                if on is not None
            ]
    return found


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
