"""How a matter stands, reckoned from what happened to it: for apps with `progress`.

An app says as data which steps there are and what may follow what (`Path`), and how long it may
take (`Promise`). `Told` makes the contract's Progress of it; an app's own words are what it
overrides there. Pure: no clock, no database.

Two happenings are the same everywhere: `returned` asks the applicant for something and stops the
clock until `supplied`; `refused` ends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

from msgspec import Struct

from .contract import Basis, Progress, Result, Step, Text
from .local import local
from .texts import both, listed

RETURNED: Final = "returned"
SUPPLIED: Final = "supplied"
REFUSED: Final = "refused"
APPLICANT: Final = both("申请人", "The applicant")

State = Literal["running", "waiting_for_citizen", "ready", "finished", "refused"]


class BadHistory(ValueError):
    """Events in an order that can't be; names the matter and the event."""


class Event(Struct, frozen=True):
    """One thing that happened, at an aware instant. `about` has the codes of what is missing
    (`returned`) or of the reason (`refused`).
    """

    what: str
    at: datetime
    about: tuple[str, ...] = ()


class Path(Struct, frozen=True):
    """The steps in order, and what can happen after what; the key None is the beginning.

    `supplied` goes on from where it was `returned`. Where an event isn't called like the step that
    it completes, `step_of` says so. While `collect` is next, it is ready for the applicant.
    """

    steps: tuple[str, ...]
    may_follow: Mapping[str | None, tuple[str, ...]]
    step_of: Mapping[str, str] = {}
    collect: str | None = None


class Standing(Struct, frozen=True):
    """What the events add up to."""

    done: dict[str, Event]
    """By step, in order."""
    waited_days: int
    """Full days between each return and the answer to it."""
    returned: Event | None
    """Set while it waits for the applicant."""
    refused: Event | None


class Promise(Struct, frozen=True):
    """Within how many days of the first step `step` is done, and by which rule; what a
    correction takes isn't counted, by the rule `waiting`.
    """

    step: str
    days: int
    basis: Basis
    waiting: Basis


class Glossary(Struct, frozen=True):
    """What steps, papers that may be missing, and reasons of a refusal are called, by code."""

    steps: Mapping[str, Text]
    missing: Mapping[str, Text]
    reasons: Mapping[str, Text]


def follow(path: Path, events: Sequence[Event]) -> Standing:
    """Go through the history once. Raises BadHistory."""
    done: dict[str, Event] = {}
    waited_days = 0
    returned: Event | None = None
    refused: Event | None = None
    at: str | None = None
    """Where on the path it stands, or `returned`, or at an end."""
    before: str | None = None
    if any(later.at < earlier.at for earlier, later in pairwise(events)):
        raise BadHistory("an event before the one it follows")
    for event in events:
        if event.what not in path.may_follow.get(at, ()):
            raise BadHistory(f"{event.what} after {at}")
        if event.what == RETURNED:
            returned, before, at = event, at, RETURNED
        elif event.what == SUPPLIED and returned is not None:
            waited_days += (local(event.at) - local(returned.at)).days
            returned, at = None, before
        elif event.what == REFUSED:
            returned, refused, at = None, event, REFUSED
        else:
            done[path.step_of.get(event.what, event.what)] = event
            at = event.what
    if not done:
        raise BadHistory("nothing happened")
    return Standing(done, waited_days, returned, refused)


class Told:
    """What is told about one matter on `today`. Raises BadHistory.

    An app overrides `where`, `responsible`, `note` and `result`.
    """

    def __init__(
        self, path: Path, words: Glossary, promise: Promise, events: Sequence[Event], today: date
    ) -> None:
        self.path = path
        self.words = words
        self.promise = promise
        self.today = today
        self.now = follow(path, events)
        self.at = next((step for step in path.steps if step not in self.now.done), None)
        """The first step that isn't done."""
        begun = local(self.now.done[path.steps[0]].at)
        self.due_on = begun + timedelta(days=promise.days + self.now.waited_days)

    def where(self, step: str) -> Text | None:  # noqa: ARG002 (what an app overrides)
        """Where the papers or the result are during a step."""
        return None

    def responsible(self) -> Text | None:
        """Which office has to do something now; asked only while it isn't the applicant."""
        return None

    def note(self, step: str) -> Text | None:  # noqa: ARG002 (what an app overrides)
        """An app's own remark on a step."""
        return None

    def result(self) -> Result | None:
        """What came of it, once it is finished."""
        return None

    @property
    def state(self) -> State:
        """As the contract calls it."""
        if self.now.refused is not None:
            return "refused"
        if self.now.returned is not None:
            return "waiting_for_citizen"
        if self.at is None:
            return "finished"
        return "ready" if self.at == self.path.collect else "running"

    def progress(self, matter: str, title: Text, applied_on: date) -> Progress:
        """All of it."""
        state, refused = self.state, self.now.refused
        under_way = self.at is not None and refused is None
        # After a refusal the steps that will never come are left out.
        shown = self.path.steps if refused is None else self.path.steps[: len(self.now.done) + 1]
        return Progress(
            id=matter,
            title=title,
            state=state,
            applied_on=applied_on,
            steps=[self._step(step) for step in shown],
            due_on=self.due_on if state == "running" else None,
            responsible=APPLICANT if self.now.returned else self.responsible(),
            where=self.where(self.at) if under_way and self.at else None,
            missing=self._missing(),
            result=Result(self._reasons(refused)) if refused else self.result() if self.at is None else None,
        )  # fmt: skip

    def _step(self, step: str) -> Step:
        event = self.now.done.get(step)
        promised = step == self.promise.step and self.now.returned is None
        return Step(
            name=self.words.steps[step],
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

    def _missing(self) -> list[Text]:
        """What the applicant still has to bring."""
        returned = self.now.returned
        return [self.words.missing[code] for code in returned.about] if returned else []

    def _reasons(self, refused: Event) -> Text:
        return listed([self.words.reasons[code] for code in refused.about])

    def _note(self, step: str) -> Text | None:
        if step == self.at and self.now.refused is not None:
            return self._reasons(self.now.refused)
        if step == self.at and self.now.returned is not None:
            return self._clock_stands(self.now.returned)
        return self._rule() if step == self.promise.step else self.note(step)

    def _clock_stands(self, returned: Event) -> Text:
        since = local(returned.at)
        left = (self.due_on - since).days
        missing = listed(self._missing())
        return both(
            f"等候您补齐：{missing['zh-CN']}。办理时限自{since}起停止计算，补齐后还有{left}天",
            f"Waiting for you to bring: {missing['en']}. The clock has stood since {since}; "
            f"{left} days are left once you do",
        )

    def _rule(self) -> Text:
        """What is promised, and by how much it is late."""
        law, days = self.promise.basis.title, self.promise.days
        zh = f"自受理起{days}天内完成（{law['zh-CN']}）"
        en = f"Due within {days} days of acceptance ({law['en']})"
        if waited := self.now.waited_days:
            rule = self.promise.waiting.title
            zh += f"；等候补正的{waited}天不计入（{rule['zh-CN']}）"
            en += f"; {waited} days of waiting for you don't count ({rule['en']})"
        late = (self.today - self.due_on).days
        if late > 0 and self.promise.step not in self.now.done and self.now.returned is None:
            zh += f"；已超期{late}天"
            en += f"; {late} days overdue"
        return both(zh, en)
