"""What both apps tell of a card that is being made: who has it and where it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from shopkit import Text
from shopkit.steps import Event, Glossary, Path, Promise, Told

from . import words
from .data import FACTS, OFFICES
from .models import Application, Deadline

AUTHORITY: Final = {"reviewed", "sent", "issued"}
"""Steps at the district's office."""
CENTRE: Final = {"produced"}
WAY: Final = "arrived"
AT_PICKUP: Final = {WAY, "collected"}


def promise(step: str, rule: Deadline, office: str) -> Promise:
    """By when `step` is done for what was handed in at an office."""
    extra = rule.remote_extra_days if OFFICES[office].remote else 0
    return Promise(step, rule.days + extra, rule, FACTS.clock_stop)


class Filed(Told):
    """An application as the bureau tells of it."""

    def __init__(
        self, application: Application, path: Path, glossary: Glossary, promised: Promise,
        events: Sequence[Event], today: date,
    ) -> None:  # fmt: skip
        self.application = application
        super().__init__(path, glossary, promised, events, today)

    def responsible(self) -> Text | None:
        """Who has to do something now."""
        if self.now.refused is not None:
            return self._office
        if self.at in AUTHORITY:
            return words.AUTHORITY
        if self.at in CENTRE or self.at == WAY:
            return words.CENTRE
        return None if self.at is None else self.where(self.at)

    def where(self, step: str) -> Text:
        """Where the papers or the card are during a step."""
        if step in AUTHORITY:
            return words.AUTHORITY
        if step in CENTRE:
            return words.CENTRE
        if step == WAY and step == self.at:
            return words.on_its_way(self._pickup)
        return self._pickup if step in AT_PICKUP else self._office

    def note(self, step: str) -> Text | None:
        """How it is collected, when that is next."""
        return words.COLLECT if step == "collected" and step == self.at else None

    @property
    def _office(self) -> Text:
        return OFFICES[self.application.office].name

    @property
    def _pickup(self) -> Text:
        return OFFICES[self.application.pickup].name
