"""How an application stands: whatever happens to it, what is told holds together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkit import Handed, Material, Result, Submission
from shopkit.answers import checked
from shopkit.applications import unhanded
from shopkit.course import (
    Application,
    BadMove,
    Course,
    Happened,
    Stage,
    due_on,
    follow,
    local,
    steadily,
    tell,
)
from shopkit.texts import both
from shopkit.workdays import between

BEGIN = datetime(2026, 3, 2, 2, tzinfo=UTC)
WORDS = {"deed": both("证", "Deed"), "photo": both("照", "Photo"), "late": both("晚", "Late")}
COURSE = Course(
    "move", "MV", both("搬迁", "Move"),
    (
        Stage("accepted", both("受理", "Accepted")), Stage("checked", both("核查", "Checked")),
        Stage("made", both("制证", "Made")), Stage("collected", both("领取", "Collected"), ready=True),
    ),
    10, both("窗口", "Desk"), WORDS, "made", lambda _: Result(both("同意", "Granted")),
)  # fmt: skip
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 20_000),
        st.sampled_from(
            [("done", "checked", ()), ("done", "made", ()), ("done", "collected", ()),
             ("asked", None, ("deed",)), ("asked", None, ("photo", "deed")),
             ("supplied", None, ("deed",)), ("supplied", None, ("photo",)),
             ("refused", None, ("late",)), ("withdrawn", None, ())]
        ),
    ),
    max_size=14,
)  # fmt: skip
"""Minutes after the one before, and what may have happened."""


def application() -> Application:
    return Application("MV1", "move", "case", {}, "open", BEGIN)


@given(EVENTS)
def test_whatever_could_happen_is_told_in_order(
    tried: list[tuple[int, tuple[str, str | None, tuple[str, ...]]]],
) -> None:
    events = [Happened("done", BEGIN, "accepted")]
    for minutes, (what, step, about) in tried:
        at = events[-1].at + timedelta(minutes=minutes)
        new = msgspec.convert({"what": what, "at": at, "step": step, "about": about}, Happened)
        try:
            follow(COURSE, [*events, new])
        except BadMove:
            continue
        events.append(new)
    now = follow(COURSE, events)
    told = checked("progress.get", "MV1", tell(COURSE, application(), events))

    assert (told.state == "waiting_for_citizen") is bool(now.missing) is bool(told.missing)
    assert (told.result is None) is (now.state == "open")
    assert (told.due_on is None) is (now.state != "open" or bool(now.missing))
    assert (told.responsible is None) is (now.state != "open")
    if told.due_on is not None:
        assert between(local(BEGIN), told.due_on) == COURSE.working_days + now.waited
    if now.state == "withdrawn":
        assert "made" not in now.done


def test_the_last_stage_is_the_citizens() -> None:
    done = [Happened("done", BEGIN, stage.code) for stage in COURSE.stages[:3]]
    told = tell(COURSE, application(), done)

    assert (told.state, told.responsible) == ("ready", both("申请人", "The applicant"))
    assert steadily(COURSE, timedelta(1))(application(), done) is None


def test_nothing_is_promised_while_it_waits() -> None:
    waiting = [
        Happened("done", BEGIN, "accepted"),
        Happened("asked", BEGIN + timedelta(days=1), about=("deed",)),
    ]
    assert due_on(COURSE, follow(COURSE, waiting)) is None
    assert steadily(COURSE, timedelta(1))(application(), waiting) is None


@pytest.mark.parametrize(
    "events", [[], [Happened("asked", BEGIN, about=("deed",))]], ids=["none", "asked"]
)
def test_what_was_never_handed_in_has_no_history(events: list[Happened]) -> None:
    with pytest.raises(BadMove):
        follow(COURSE, events)


@pytest.mark.parametrize("until", ["accepted", "nothing"])
def test_a_course_that_cannot_be_withdrawn_from_is_no_course(until: str) -> None:
    with pytest.raises(ValueError, match="withdrawn until"):
        msgspec.structs.replace(COURSE, withdraw_until=until)


def test_required_papers_that_are_not_handed_in() -> None:
    papers = [Material("deed", WORDS["deed"]), Material("photo", WORDS["photo"], required=False)]
    deed = Handed("deed", "m-1", "application/pdf", 3, "0" * 64)

    assert unhanded(papers, Submission("c", {})) == ("deed",)
    assert unhanded(papers, Submission("c", {}, materials=[deed])) == ()
