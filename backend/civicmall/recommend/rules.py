"""What the home shows, in which order: pure, from what is known of a citizen on one date.

The order is one sum, so that it can be explained:

    score = bearing + urgency + recency + stage

    bearing   duty 30, entitlement 20, suggestion 8; what can't be done yet counts as a suggestion
    urgency   40 · 30 / (30 + days left), 40 once the deadline has passed, 0 without one;
              for what can't be done yet half of that, by the days until it can
    recency   20 · 30 / (30 + days to the nearest date in the rule: the birth, the wedding …)
    stage     6 if the item belongs to a stage of life that the citizen is in

Equal scores keep the editors' order. Only what holds for certain is shown: an unknown rule never
makes a card, it makes a question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from msgspec import Struct

from civicmall.catalogue import YES, AtHome, Catalogue, Known, Stage, answer, evidence

from .models import Feedback, Urgency

CARDS_MAX: Final = 12
"""More is a catalogue, not a home."""
BEARING: Final = {"duty": 30.0, "entitlement": 20.0, "suggestion": 8.0}
"""A duty missed can cost a fine, an entitlement missed costs money, a suggestion nothing."""
URGENCY: Final = 40.0
"""More than any difference in bearing: what ends tomorrow comes before what has no end."""
RECENCY: Final = 20.0
"""Lifts what a fresh event calls for over what is always true."""
STAGE: Final = 6.0
"""Less than the step between bearings: a stage of life breaks ties, it doesn't rule."""
FADE_DAYS: Final = 30.0
"""After a month both urgency and recency are worth half: people plan by months."""
NOW_DAYS: Final = 7
SOON_DAYS: Final = 30
SNOOZE_DAYS: Final = 30
SNOOZE_DAYS_MAX: Final = 365
DISMISSED_DAYS: Final = 365
"""What was waved away may come back after a year: circumstances change."""


class Candidate(Struct, frozen=True):
    """An item whose home rule holds, now or from `starts_on` on."""

    shown: AtHome
    known: Known
    """The citizen's facts on the day from which it holds."""
    starts_on: date | None
    deadline: date | None
    event_on: date | None
    """The nearest date among the facts that made it so."""
    occasion_on: date | None
    """When this occasion began: feedback from before it is about another one."""


def candidates(catalogue: Catalogue, known: Known) -> list[Candidate]:
    """Everything that the home could show."""
    holding, _ = catalogue.for_home(known)
    now = {one.entry.order for one in holding}
    days: dict[date, Known] = {}
    starts = [
        (one, start)
        for one in catalogue.at_home
        if one.ahead_days
        and one.entry.order not in now
        and (start := _starts_on(one, known, days)) is not None
    ]
    found = [candidate(one, known, None) for one in holding]
    found += [candidate(one, days[start], start) for one, start in starts]
    return [one for one in found if one is not None]


def _starts_on(one: AtHome, known: Known, days: dict[date, Known]) -> date | None:
    """The first day on which the rule holds, within the item's `ahead_days`; None if it won't."""

    def holds(after: int) -> bool:
        on = known.today + timedelta(days=after)
        if on not in days:
            days[on] = known.on(on)
        return answer(one.rule, days[on]) is YES

    if not holds(one.ahead_days):
        return None
    no, yes = 0, one.ahead_days
    while yes - no > 1:
        middle = (no + yes) // 2
        no, yes = (no, middle) if holds(middle) else (middle, yes)
    return known.today + timedelta(days=yes)


def candidate(one: AtHome, known: Known, starts_on: date | None) -> Candidate | None:
    """None where the window is closed, or opens later than the home speaks of it."""
    window = one.entry.window
    opens, closes = window.bounds(known) if window else (None, None)
    if opens is not None and opens > known.today:
        if (opens - known.today).days > one.ahead_days:
            return None
        starts_on = opens
    if closes is not None and closes < known.today and one.bearing != "duty":
        return None
    events = _events(one, known)
    past = [day for day in events if day <= known.today]
    return Candidate(
        shown=one,
        known=known,
        starts_on=starts_on,
        deadline=closes,
        event_on=min(events, key=lambda day: abs((day - known.today).days), default=None),
        occasion_on=opens or max(past, default=None),
    )


def _events(one: AtHome, known: Known) -> list[date]:
    values = (
        known.value(atom.axis.attribute)
        for atom in evidence(one.rule, known)
        if atom.axis.how != "value"
    )
    return [value for value in values if isinstance(value, date)]


def score(one: Candidate, stages: Iterable[Stage], today: date) -> float:
    """The module's formula."""
    shown = one.shown
    total = BEARING["suggestion" if one.starts_on else shown.bearing]
    if one.starts_on is not None:
        total += URGENCY / 2 * _fade((one.starts_on - today).days)
    elif one.deadline is not None:
        total += URGENCY * _fade((one.deadline - today).days)
    if one.event_on is not None:
        total += RECENCY * _fade(abs((one.event_on - today).days))
    if not set(stages).isdisjoint(shown.entry.item.stages):
        total += STAGE
    return round(total, 6)


def _fade(days: int) -> float:
    return FADE_DAYS / (FADE_DAYS + max(days, 0))


def ranked(
    found: Sequence[Candidate],
    stages: Sequence[Stage],
    feedback: Mapping[str, Feedback],
    today: date,
) -> list[Candidate]:
    """The cards' items, best first; what the citizen waved away is left out."""
    shown = [
        one
        for one in found
        if not hidden(feedback.get(one.shown.entry.item.code), one.occasion_on, today)
    ]
    shown.sort(key=lambda one: (-score(one, stages, today), one.shown.entry.order))
    return shown[:CARDS_MAX]


def hidden(said: Feedback | None, occasion_on: date | None, today: date) -> bool:
    """Whether feedback keeps an item from the home. A newer occasion (the next child, next
    year's tax return) makes it void.
    """
    if said is None or (occasion_on is not None and occasion_on > said.given_on):
        return False
    if said.action == "snooze":
        return said.until is not None and today < said.until
    if said.action == "dismiss":
        return (today - said.given_on).days < DISMISSED_DAYS
    return True


def urgency(deadline: date | None, today: date) -> Urgency:
    """A deadline in words."""
    if deadline is None:
        return "none"
    left = (deadline - today).days
    if left < 0:
        return "overdue"
    return "now" if left <= NOW_DAYS else "soon" if left <= SOON_DAYS else "later"


def snooze_until(asked: date | None, today: date) -> date | None:
    """The day a snoozed card comes back; None where the day asked for can't be used."""
    until = asked or today + timedelta(days=SNOOZE_DAYS)
    return until if 0 < (until - today).days <= SNOOZE_DAYS_MAX else None


class Wanted(Struct, frozen=True):
    """The attribute to ask for, and how many items it settles by itself."""

    attribute: str
    settles: int


def question(
    catalogue: Catalogue,
    known: Known,
    feedback: Mapping[str, Feedback],
    off: frozenset[str] = frozenset(),
) -> Wanted | None:
    """The attribute that would settle most of what is unknown.

    First by the items that lack nothing else, then by its share in those that lack more. Only
    what a citizen may say, and what isn't sensitive or switched off, is asked; items waved away don't
    count.
    """
    _, unknown = catalogue.for_home(known)
    alone: dict[str, int] = {}
    share: dict[str, float] = {}
    for one in unknown:
        if hidden(feedback.get(one.entry.item.code), None, known.today):
            continue
        missing = answer(one.rule, known).missing
        for name in missing:
            share[name] = share.get(name, 0.0) + 1 / len(missing)
            alone[name] = alone.get(name, 0) + (len(missing) == 1)
    order = list(catalogue.vocabulary)
    asked = [name for name in share if name not in off and _may_ask(catalogue, name)]
    if not asked:
        return None
    best = max(asked, key=lambda name: (alone[name], round(share[name], 6), -order.index(name)))
    return Wanted(best, alone[best])


def _may_ask(catalogue: Catalogue, name: str) -> bool:
    attribute = catalogue.vocabulary[name]
    return attribute.declared and attribute.question is not None and not attribute.sensitive
