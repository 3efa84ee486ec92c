"""How an application stands, reckoned from what happened to it: pure, no clock, no database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Final, Literal

from msgspec import Struct

from shopkit import Progress, Step, Text

from . import words
from .data import FACTS, OFFICES
from .models import Application, Event, What
from .words import both

CITY: Final = timezone(timedelta(hours=8))
"""Asia/Shanghai, which has kept one offset since 1992."""

PATH: Final = ("accepted", "fee", "checked", "reviewed", "sent", "produced", "arrived", "collected")
"""The steps of every application, in order."""
STEP_OF: Final[dict[What, str]] = {"fee_settled": "fee", "fee_exempt": "fee"}
"""The step that an event completes, where it isn't called the same."""

MAY_FOLLOW: Final[dict[What | None, tuple[What, ...]]] = {
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
    "collected": (),
    "refused": (),
}
"""What can happen after what; `supplied` goes on from where it was `returned`. Once it is signed
(`reviewed`) a card is made."""


class BadHistory(ValueError):
    """Events in an order that can't be; names the application and the event."""


class Standing(Struct, frozen=True):
    """What the events add up to."""

    done: dict[str, Event]
    """By step, in order."""
    waited_days: int
    """Full days between each return and the answer to it."""
    returned: Event | None
    """Set while it waits for the applicant."""
    refused: Event | None


def local(at: datetime) -> date:
    """The city's date at an instant."""
    return at.astimezone(CITY).date()


def follow(events: Sequence[Event]) -> Standing:
    """Go through the history once. Raises BadHistory."""
    done: dict[str, Event] = {}
    waited_days = 0
    returned: Event | None = None
    refused: Event | None = None
    at: What | None = None
    """Where on the path it stands, or `returned`, or at an end."""
    before: What | None = None
    if any(later.at < earlier.at for earlier, later in pairwise(events)):
        raise BadHistory("an event before the one it follows")
    for event in events:
        if event.what not in MAY_FOLLOW[at]:
            raise BadHistory(f"{event.what} after {at}")
        if event.what == "returned":
            returned, before, at = event, at, "returned"
        elif event.what == "supplied" and returned is not None:
            waited_days += (local(event.at) - local(returned.at)).days
            returned, at = None, before
        elif event.what == "refused":
            returned, refused, at = None, event, "refused"
        else:
            done[STEP_OF.get(event.what, event.what)] = event
            at = event.what
    if not done:
        raise BadHistory("nothing happened")
    return Standing(done, waited_days, returned, refused)


def days_allowed(*, remote: bool) -> int:
    """Days from acceptance until the card must be handed out."""
    law = FACTS.deadline
    return law.days + (law.remote_extra_days if remote else 0)


def tell(application: Application, events: Sequence[Event], today: date) -> Progress:
    """What the applicant is told on `today`. Raises BadHistory."""
    try:
        now = follow(events)
    except BadHistory as error:
        raise BadHistory(f"{application.id}: {error}") from None
    accepted_on = local(now.done["accepted"].at)
    allowed = days_allowed(remote=OFFICES[application.office].remote)
    due_on = accepted_on + timedelta(days=allowed + now.waited_days)
    at = next((step for step in PATH if step not in now.done), None)
    state = _state(now, at)
    told = _Told(application, now, at, due_on, today)
    running = state in {"running", "waiting_for_citizen"}
    return Progress(
        id=application.id,
        title=words.TITLES[application.kind],
        state=state,
        applied_on=application.applied_on,
        steps=told.steps(),
        due_on=due_on if state == "running" else None,
        responsible=told.responsible(),
        where=told.where(at) if at is not None and (running or state == "ready") else None,
        missing=told.missing(),
    )


State = Literal["running", "waiting_for_citizen", "ready", "finished", "refused"]


def _state(now: Standing, at: str | None) -> State:
    if now.refused is not None:
        return "refused"
    if now.returned is not None:
        return "waiting_for_citizen"
    if at is None:
        return "finished"
    return "ready" if at == "collected" else "running"


class _Told(Struct, frozen=True):
    """The words for one application. `at` is the first step that isn't done."""

    application: Application
    now: Standing
    at: str | None
    due_on: date
    today: date

    def steps(self) -> list[Step]:
        """Every step; after a refusal the ones that will never come are left out."""
        shown = PATH if self.now.refused is None else PATH[: len(self.now.done) + 1]
        return [self._step(step) for step in shown]

    def responsible(self) -> Text | None:
        """Who has to do something now."""
        if self.now.returned is not None:
            return words.APPLICANT
        if self.now.refused is not None:
            return self._office
        if self.at in {"reviewed", "sent"}:
            return words.AUTHORITY
        if self.at in {"produced", "arrived"}:
            return words.CENTRE
        return None if self.at is None else self._pickup if self.at == "collected" else self._office

    def where(self, step: str) -> Text:
        """Where the papers or the card are during a step."""
        if step in {"reviewed", "sent"}:
            return words.AUTHORITY
        if step == "produced":
            return words.CENTRE
        if step == "arrived" and step == self.at:
            return both(f"运往{self._pickup['zh-CN']}途中", f"On its way to {self._pickup['en']}")
        return self._pickup if step in {"arrived", "collected"} else self._office

    def missing(self) -> list[Text]:
        """What the applicant still has to bring."""
        return (
            [words.MISSING[code] for code in self.now.returned.about] if self.now.returned else []
        )

    @property
    def _office(self) -> Text:
        return OFFICES[self.application.office].name

    @property
    def _pickup(self) -> Text:
        return OFFICES[self.application.pickup].name

    def _step(self, step: str) -> Step:
        event = self.now.done.get(step)
        promised = step == "arrived" and self.now.returned is None
        return Step(
            name=words.STEPS[step],
            state=self._step_state(step),
            done_at=event.at if event else None,
            due_on=self.due_on if promised else None,
            where=self.where(step),
            note=self._note(step),
        )

    def _step_state(self, step: str) -> Literal["done", "current", "waiting", "failed"]:
        if step in self.now.done:
            return "done"
        if step != self.at:
            return "waiting"
        return "current" if self.now.refused is None else "failed"

    def _note(self, step: str) -> Text | None:
        if step == self.at and self.now.refused is not None:
            return words.listed([words.REASONS[code] for code in self.now.refused.about])
        if step == self.at and self.now.returned is not None:
            return self._clock_stands(self.now.returned)
        if step == "accepted":
            return words.BY_GUARDIAN if self.application.kind == "under_16" else None
        if step == "fee":
            return self._fee()
        if step == "arrived":
            return self._law()
        return words.COLLECT if step == "collected" and step == self.at else None

    def _clock_stands(self, returned: Event) -> Text:
        since = local(returned.at)
        left = (self.due_on - since).days
        missing = words.listed(self.missing())
        return both(
            f"等候您补齐：{missing['zh-CN']}。办理时限自{since}起停止计算，补齐后还有{left}天",
            f"Waiting for you to bring: {missing['en']}. The clock has stood since {since}; "
            f"{left} days are left once you do",
        )

    def _fee(self) -> Text:
        fee = FACTS.fees[self.application.kind]
        event = self.now.done.get("fee")
        if fee.amount_minor == 0:
            return both(f"免费（{fee.basis['zh-CN']}）", f"Free ({fee.basis['en']})")
        if event and event.what == "fee_exempt":
            basis = FACTS.fee_exemption.basis
            return both(f"已免收（{basis['zh-CN']}）", f"Waived ({basis['en']})")
        yuan = fee.amount_minor // 100
        return both(
            f"工本费{yuan}元（{fee.basis['zh-CN']}），在受理窗口缴纳",
            f"Card fee {yuan} yuan ({fee.basis['en']}), paid at the counter",
        )

    def _law(self) -> Text:
        law = FACTS.deadline
        allowed = days_allowed(remote=OFFICES[self.application.office].remote)
        zh = f"自受理起{allowed}天内发放（{law.basis['zh-CN']}）"
        en = f"Due within {allowed} days of acceptance ({law.basis['en']})"
        if waited := self.now.waited_days:
            rule = FACTS.clock_stop.basis
            zh += f"；等候补正的{waited}天不计入（{rule['zh-CN']}）"
            en += f"; {waited} days of waiting for you don't count ({rule['en']})"
        late = (self.today - self.due_on).days
        if late > 0 and "arrived" not in self.now.done and self.now.returned is None:
            zh += f"；已超期{late}天"
            en += f"; {late} days overdue"
        return both(zh, en)
