"""The way of an identity card, and what is told on it: pure, no clock, no database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from shopkit import Document, Progress, Result, Text
from shopkit.local import local
from shopkit.months import same_day
from shopkit.steps import BadHistory, Event, Path

from . import words
from .data import FACTS
from .models import Application
from .progress import Filed, promise

KINDS: Final = tuple(FACTS.id_card.fees)
MONTHS: Final = 12
PATH: Final = Path(
    steps=("accepted", "fee", "checked", "reviewed", "sent", "produced", "arrived", "collected"),
    step_of={"fee_settled": "fee", "fee_exempt": "fee"},
    may_follow={
        None: ("accepted",),
        "accepted": ("fee_settled", "fee_exempt", "returned", "refused"),
        "fee_settled": ("checked", "returned", "refused"),
        "fee_exempt": ("checked", "returned", "refused"),
        "checked": ("reviewed", "returned", "refused"),
        "returned": ("supplied", "refused"),
        "reviewed": ("sent",),
        "sent": ("produced",),
        "produced": ("arrived",),
        "arrived": ("collected",),
    },
    collect="collected",
)
"""Once it is signed (`reviewed`) a card is made."""


VALID_YEARS: Final = ((16, 5), (26, 10), (46, 20))
"""Below which age a card holds for how many years; from 46 on it holds for good (Resident Identity
Card Law art. 5)."""
MADE: Final = "produced"


class Validity(Struct, frozen=True):
    """Until when a card holds, by the record of the day on which it was made."""

    until: date
    made_on: date


def validity(id_number: str, events: Sequence[Event]) -> Validity | None:
    """Of a card that was handed over; None before that, and for one that holds for good."""
    made = next((local(event.at) for event in events if event.what == MADE), None)
    if made is None or all(event.what != PATH.collect for event in events):
        return None
    born = date.fromisoformat(f"{id_number[6:10]}-{id_number[10:12]}-{id_number[12:14]}")
    age = made.year - born.year - ((made.month, made.day) < (born.month, born.day))
    years = next((years for below, years in VALID_YEARS if age < below), None)
    return None if years is None else Validity(same_day(made, years * MONTHS), made)


class Card(Filed):
    """An application for an identity card."""

    def note(self, step: str) -> Text | None:
        """Who applied and what it costs."""
        kind = self.application.kind
        if step == "accepted":
            return words.BY_GUARDIAN if kind == "under_16" else None
        if step == "fee":
            event = self.now.done.get("fee")
            exempt = event is not None and event.what == "fee_exempt"
            law = FACTS.id_card
            return words.fee(
                next(fee for name, fee in law.fees.items() if name == kind),
                law.fee_exemption if exempt else None,
            )
        return super().note(step)

    def result(self) -> Result:
        """The card."""
        return Result(words.CARD_COLLECTED, [Document(words.CARD_NAME)])


def tell(application: Application, events: Sequence[Event], today: date) -> Progress:
    """What the applicant is told on `today`. Raises BadHistory."""
    promised = promise("arrived", FACTS.id_card.deadline, application.office)
    try:
        told = Card(application, PATH, words.CARD, promised, events, today)
    except BadHistory as error:
        raise BadHistory(f"{application.id}: {error}") from None
    return told.progress(application.id, words.TITLES[application.kind], application.applied_on)
