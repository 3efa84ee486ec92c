"""How an application stands, reckoned from what happened to it: pure, no clock, no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from . import workdays
from .contract import Progress, Result, Step, Text
from .local import local
from .steps import APPLICANT
from .texts import both, listed

What = Literal["done", "asked", "supplied", "refused", "withdrawn"]
"""A stage was done; something was asked of the citizen; they supplied it; the department said no;
the citizen took it back."""
State = Literal["open", "finished", "refused", "withdrawn"]

WITHDRAWN: Final = both("申请人已撤回", "Withdrawn by the applicant")


class BadMove(ValueError):
    """Something that can't follow what happened before; says what after what."""


class Application(Struct, frozen=True):
    """One application. `kept` is what the department needs to know of it, nothing more."""

    reference: str
    app: str
    case_id: str
    kept: dict[str, Any]
    state: State
    applied_at: datetime


class Happened(Struct, frozen=True):
    """One thing that happened. `step` is the stage that was done; `about` has the codes of what is
    asked for, was supplied, or is the reason; `key` tells repeated news apart.
    """

    what: What
    at: datetime
    step: str | None = None
    about: tuple[str, ...] = ()
    key: str | None = None


class Stage(Struct, frozen=True):
    """One stage of the way. `ready`: it is the citizen who has to come now."""

    code: str
    name: Text
    responsible: Text | None = None
    where: Text | None = None
    ready: bool = False


class Course(Struct, frozen=True):
    """How one app's applications go. The first stage is done by handing in."""

    app: str
    prefix: str
    """References begin with it."""
    title: Text | Callable[[Application], Text]
    stages: tuple[Stage, ...]
    working_days: int
    """Promised from handing in to the end; the days that it waits for the citizen don't count."""
    responsible: Text
    words: Mapping[str, Text]
    """By code: what may be asked for and why it may be refused."""
    withdraw_until: str
    """The stage that, once done, makes it too late to withdraw."""
    result: Callable[[Application], Result]
    """What came of a finished one."""
    holds_when_finished: bool = False
    """Whether what it holds stays taken once it is finished."""

    def __post_init__(self) -> None:
        """Raises ValueError for stages that don't fit together."""
        codes = [stage.code for stage in self.stages]
        if len(codes) != len(set(codes)) or self.withdraw_until not in codes[1:]:
            raise ValueError(f"{self.app}: stages {codes}, withdrawn until {self.withdraw_until}")


class Standing(Struct):
    """What the events add up to; filled in by `follow`."""

    done: dict[str, datetime] = msgspec.field(default_factory=dict[str, datetime])
    """By stage, in order."""
    missing: tuple[str, ...] = ()
    """Codes that the applicant still has to bring."""
    asked_at: datetime | None = None
    waited: int = 0
    """Working days between asking and the last of what was asked."""
    state: State = "open"
    why: tuple[str, ...] = ()
    last_at: datetime | None = None


def follow(course: Course, events: Sequence[Happened]) -> Standing:
    """Go through the history once. Raises BadMove."""
    now = Standing()
    for event in events:
        if now.last_at is not None and event.at < now.last_at:
            raise BadMove(f"{event.what} before what it follows")
        if now.state != "open":
            raise BadMove(f"{event.what} after it was {now.state}")
        unknown = set(event.about) - course.words.keys()
        if unknown:
            raise BadMove(f"no words for {min(unknown)}")
        _MOVES[event.what](course, now, event)
        now.last_at = event.at
    if not now.done:
        raise BadMove("nothing was handed in")
    return now


def _done(course: Course, now: Standing, event: Happened) -> None:
    following = course.stages[len(now.done)].code
    if event.step != following or now.missing:
        raise BadMove(f"{event.step} done while {'waiting' if now.missing else following} is next")
    now.done[following] = event.at
    if len(now.done) == len(course.stages):
        now.state = "finished"


def _asked(_: Course, now: Standing, event: Happened) -> None:
    if not event.about or not now.done:
        raise BadMove("asked for nothing" if now.done else "asked before it was handed in")
    now.missing = (*now.missing, *(code for code in event.about if code not in now.missing))
    now.asked_at = now.asked_at or event.at


def _supplied(_: Course, now: Standing, event: Happened) -> None:
    if not event.about or not set(event.about) <= set(now.missing) or now.asked_at is None:
        raise BadMove(f"supplied {event.about} while {now.missing} is missing")
    now.missing = tuple(code for code in now.missing if code not in event.about)
    if not now.missing:
        now.waited += workdays.between(local(now.asked_at), local(event.at))
        now.asked_at = None


def _refused(_: Course, now: Standing, event: Happened) -> None:
    if not event.about or not now.done:
        raise BadMove("refused without a reason" if now.done else "refused before handed in")
    now.state, now.why, now.missing = "refused", event.about, ()


def _withdrawn(course: Course, now: Standing, _: Happened) -> None:
    if course.withdraw_until in now.done or not now.done:
        raise BadMove(f"withdrawn after {course.withdraw_until}")
    now.state, now.missing = "withdrawn", ()


_MOVES: Final[dict[What, Callable[[Course, Standing, Happened], None]]] = {
    "done": _done, "asked": _asked, "supplied": _supplied, "refused": _refused,
    "withdrawn": _withdrawn,
}  # fmt: skip


def due_on(course: Course, now: Standing) -> date | None:
    """When it must be finished; nothing is promised while it waits, or after the end."""
    if now.missing or now.state != "open":
        return None
    applied_on = local(now.done[course.stages[0].code])
    return workdays.after(applied_on, course.working_days + now.waited)


def tell(course: Course, application: Application, events: Sequence[Happened]) -> Progress:
    """What the applicant is told. Raises BadMove for a history that can't be."""
    now = follow(course, events)
    at = course.stages[len(now.done)] if len(now.done) < len(course.stages) else None
    due = due_on(course, now)
    responsible = None
    if now.state == "open" and at is not None:
        waits = now.missing or at.ready
        responsible = APPLICANT if waits else at.responsible or course.responsible
    return Progress(
        id=application.reference,
        title=course.title(application) if callable(course.title) else course.title,
        state=_state(now, at),
        applied_on=local(application.applied_at),
        steps=_steps(course, now, due),
        due_on=due,
        responsible=responsible,
        where=at.where if at is not None and now.state == "open" else None,
        missing=[course.words[code] for code in now.missing],
        result=_result(course, application, now),
    )


def _state(
    now: Standing, at: Stage | None
) -> Literal["running", "waiting_for_citizen", "ready", "finished", "refused"]:
    if now.state == "refused":
        return "refused"
    if now.state != "open" or at is None:
        return "finished"
    return "waiting_for_citizen" if now.missing else "ready" if at.ready else "running"


def _steps(course: Course, now: Standing, due: date | None) -> list[Step]:
    """Every stage; of an application that ended early only those up to its end."""
    early = now.state in {"refused", "withdrawn"}
    shown = course.stages[: len(now.done) + early] if early else course.stages
    steps: list[Step] = []
    for number, stage in enumerate(shown):
        current = number == len(now.done)
        state = "done" if stage.code in now.done else "current" if current else "waiting"
        last = stage is course.stages[-1]
        steps.append(
            Step(
                name=stage.name,
                state="failed" if current and early else state,
                done_at=now.done.get(stage.code),
                due_on=due if last else None,
                where=stage.where,
                note=_note(course, now) if current else None,
            )
        )
    return steps


def _note(course: Course, now: Standing) -> Text | None:
    """Why it goes no further."""
    if now.state == "withdrawn":
        return WITHDRAWN
    if now.state == "refused":
        return _listed(course, now.why)
    if now.asked_at is None:
        return None
    since = local(now.asked_at)
    return both(
        f"等候您补齐材料，办理时限自{since}起停止计算",
        f"Waiting for you; the clock has stood still since {since}",
    )


def _result(course: Course, application: Application, now: Standing) -> Result | None:
    match now.state:
        case "open":
            return None
        case "withdrawn":
            return Result(WITHDRAWN)
        case "refused":
            return Result(_listed(course, now.why))
        case "finished":
            return course.result(application)


def _listed(course: Course, codes: Sequence[str]) -> Text:
    return listed((course.words[code] for code in codes), zh="；")


class Act(Struct, frozen=True):
    """What a clerk does next, so long after the last thing that happened."""

    after: timedelta
    what: What
    step: str | None = None
    about: tuple[str, ...] = ()


Clerk: TypeAlias = Callable[[Application, Sequence[Happened]], Act | None]
"""None: nothing to do but wait."""


def steadily(course: Course, after: timedelta) -> Clerk:
    """A clerk that does one stage after the other, each so long after what happened before."""

    def work(_: Application, events: Sequence[Happened]) -> Act | None:
        now = follow(course, events)
        if now.state != "open" or now.missing or course.stages[len(now.done)].ready:
            return None
        return Act(after, "done", course.stages[len(now.done)].code)

    return work
