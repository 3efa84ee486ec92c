"""The way of a residence permit and of its yearly endorsement: pure, no clock, no database.

A permit is endorsed once a year, in the month before each full year of residence. One that
wasn't is suspended until it is; the years then count from that day (Interim Regulations on
Residence Permits, art. 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from shopkit import Document, Progress, Result, Text
from shopkit.local import local
from shopkit.months import same_day
from shopkit.steps import BadHistory, Event, Path
from shopkit.texts import both

from . import words
from .data import FACTS
from .models import Application, PermitKind
from .progress import Filed, promise

YEAR: Final = 12
"""Months."""
KINDS: Final = tuple(FACTS.residence_permit.fees)
_CHECKING: Final[dict[str | None, tuple[str, ...]]] = {
    None: ("accepted",),
    "accepted": ("verified", "returned", "refused"),
    "returned": ("supplied", "refused"),
}
CARD: Final = Path(
    steps=("accepted", "verified", "issued", "produced", "arrived", "collected"),
    may_follow=_CHECKING
    | {
        "verified": ("issued", "returned", "refused"),
        "issued": ("produced",),
        "produced": ("arrived",),
        "arrived": ("collected",),
    },
    collect="collected",
)
ENDORSEMENT: Final = Path(
    steps=("accepted", "verified", "endorsed"),
    may_follow=_CHECKING | {"verified": ("endorsed", "returned", "refused")},
)


class Window(Struct, frozen=True):
    """When the next endorsement can be had, both days included."""

    first: date
    last: date


def window(*, endorsed: bool, year_full_on: date, done_on: date) -> Window:
    """When the next endorsement is due after a permit was handed out or endorsed on `done_on`."""
    if not endorsed:
        full = year_full_on
        while full <= done_on:
            full = same_day(full, YEAR)
    else:
        full = same_day(max(year_full_on, done_on), YEAR)
    return Window(same_day(full, -1), full)


class Permit(Filed):
    """An application for a residence permit or its endorsement."""

    def note(self, step: str) -> Text | None:
        """What it costs."""
        if step == "accepted":
            fees = FACTS.residence_permit.fees
            return words.fee(fees[_kind(self.application)])
        return super().note(step)

    def result(self) -> Result:
        """What the holder now has, and when it is to be endorsed next."""
        done_on = local(self.now.done[self.path.steps[-1]].at)
        endorsed = self.path is ENDORSEMENT
        year_full_on = self.application.year_full_on or same_day(done_on, YEAR)
        due = window(endorsed=endorsed, year_full_on=year_full_on, done_on=done_on)
        late = endorsed and done_on > year_full_on
        return Result(
            _summary(due, self.today, endorsed=endorsed, late=late),
            [Document(words.PERMIT_NAME, valid_until=due.last)],
        )


def _kind(application: Application) -> PermitKind:
    return next(kind for kind in KINDS if kind == application.kind)


def _summary(due: Window, today: date, *, endorsed: bool, late: bool) -> Text:
    rule = FACTS.residence_permit.yearly.title
    zh = "居住证已签注" if endorsed else "居住证已领取"
    en = "The residence permit was endorsed" if endorsed else "The residence permit was collected"
    if late:
        zh += "；因逾期，居住年限自补办之日起连续计算"
        en += "; it was late, so years of residence count from that day"
    if today > due.last:
        zh += f"；应于{due.last}前再次签注，现已逾期，使用功能中止，补办签注后恢复"
        en += f"; the next endorsement was due by {due.last}: the permit is suspended until it is done"
    else:
        zh += f"；下一次签注请于{due.first}至{due.last}办理"
        en += f"; have it endorsed next between {due.first} and {due.last}"
    return both(f"{zh}（{rule['zh-CN']}）", f"{en} ({rule['en']})")


def tell(application: Application, events: Sequence[Event], today: date) -> Progress:
    """What the applicant is told on `today`. Raises BadHistory."""
    law, endorse = FACTS.residence_permit, application.kind == "permit_endorsement"
    path, step, rule = (
        (ENDORSEMENT, "endorsed", law.endorsement) if endorse else (CARD, "arrived", law.deadline)
    )
    promised = promise(step, rule, application.office)
    try:
        told = Permit(application, path, words.PERMIT, promised, events, today)
    except BadHistory as error:
        raise BadHistory(f"{application.id}: {error}") from None
    return told.progress(application.id, words.TITLES[application.kind], application.applied_on)
