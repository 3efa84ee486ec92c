"""Sandbox data: earlier enrolments, each behind the contribution that followed from it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from shopkit.applications import Happened, Planted
from shopkit.local import CITY, local

from .enrolment import COURSE, to_keep
from .rules import Category

STAGES: Final = tuple(stage.code for stage in COURSE.stages)
BORN: Final = date(1960, 5, 20)
"""Stands for a birth date: benefits depend on it for newborns only, who aren't planted."""


def reference(payer: bytes, whose: str, year: int) -> str:
    """An earlier enrolment's; its contribution has the same behind `JF-`."""
    return f"CB-{payer.hex()[:12].upper()}-{whose}-{year}"


def _planted(
    payer: bytes, whose: str, category: Category, year: int, events: tuple[Happened, ...]
) -> Planted:
    kept = to_keep(year, category, whose, BORN, local(events[0].at))
    held = f"{year}:{payer.hex()}" if whose == "self" else None
    return Planted(reference(payer, whose, year), payer, events, kept, held)


def finished(payer: bytes, whose: str, category: Category, year: int, on: date) -> Planted:
    """One that went through within a morning."""
    morning = datetime.combine(on, time(), CITY)
    done = [Happened("done", morning + timedelta(hours=n), s) for n, s in enumerate(STAGES)]
    return _planted(payer, whose, category, year, tuple(done))


def waiting(payer: bytes, on: date) -> Planted:
    """A parent's, for whom the household register booklet is still to be brought."""
    at = datetime.combine(on, time(10), CITY)
    asked = Happened("asked", at, about=("household_book",), key="entry")
    events = (Happened("done", at, STAGES[0]), asked)
    return _planted(payer, "parent", "elderly", on.year, events)


def refused(payer: bytes, on: date) -> Planted:
    """A parent's, who was found to be insured already."""
    at = datetime.combine(on, time(10), CITY)
    found = Happened("refused", at + timedelta(hours=5), about=("insured",))
    return _planted(payer, "parent", "elderly", on.year, (Happened("done", at, STAGES[0]), found))
