"""The way of an identity card, and what is told on it: pure, no clock, no database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from shopkit import Document, Progress, Result, Text
from shopkit.steps import BadHistory, Event, Path

from . import words
from .data import FACTS
from .models import Application
from .progress import Filed, promise

KINDS: Final = tuple(FACTS.id_card.fees)
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
