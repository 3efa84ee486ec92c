"""What is told about a matter, on a small path: the parts that an app doesn't have to override."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from shopkit import Basis, Progress, ProgressQuery
from shopkit.answers import checked
from shopkit.steps import BadHistory, Event, Glossary, Path, Promise, Told, follow, listed
from shopkit.texts import both

START = datetime(2026, 11, 2, 15, 30, tzinfo=UTC)
"""Half past eleven at night in the city."""
PATH = Path(
    steps=("handed_in", "paid", "done"),
    step_of={"waived": "paid"},
    may_follow={
        None: ("handed_in",),
        "handed_in": ("paid", "waived", "returned", "refused"),
        "returned": ("supplied", "refused"),
        "paid": ("done",),
        "waived": ("done",),
    },
)
WORDS = Glossary(
    steps={step: both(step, step) for step in PATH.steps},
    missing={"form": both("表格", "the form"), "photo": both("照片", "a photo")},
    reasons={"late": both("已逾期", "too late")},
)
RULE = Basis(both("某条例第一条", "Some Regulations, art. 1"), "a test")
PROMISE = Promise("done", 10, RULE, Basis(both("某规则", "some rule"), "a test", example=True))


def told(*happened: tuple[str, int], today: date = date(2026, 11, 3)) -> Progress:
    about = {"returned": ("form", "photo"), "refused": ("late",)}
    events = [
        Event(what, START + timedelta(days=day), about.get(what, ())) for what, day in happened
    ]
    answer = Told(PATH, WORDS, PROMISE, events, today).progress(
        "m-1", both("事", "A matter"), date(2026, 11, 2)
    )
    checked("progress.list", ProgressQuery(), [answer])
    return answer


def test_a_matter_runs_until_it_is_finished() -> None:
    running, finished = told(("handed_in", 0)), told(("handed_in", 0), ("waived", 0), ("done", 1))
    assert [s.state for s in running.steps] == ["done", "current", "waiting"]
    assert (running.state, running.due_on) == ("running", date(2026, 11, 12))
    assert (finished.state, finished.due_on, finished.result) == ("finished", None, None)
    assert [s.done_at for s in finished.steps] == [START, START, START + timedelta(days=1)]


def test_without_a_step_to_collect_nothing_is_ready() -> None:
    assert told(("handed_in", 0), ("paid", 1)).state == "running"


def test_waiting_is_the_applicants_turn_and_stops_the_clock() -> None:
    waiting = told(("handed_in", 0), ("returned", 4))
    assert waiting.responsible == {"zh-CN": "申请人", "en": "The applicant"}
    assert waiting.missing == [WORDS.missing["form"], WORDS.missing["photo"]]
    assert waiting.steps[1].note == both(
        "等候您补齐：表格、照片。办理时限自2026-11-06起停止计算，补齐后还有6天",
        "Waiting for you to bring: the form; a photo. The clock has stood since 2026-11-06; "
        "6 days are left once you do",
    )
    on = told(("handed_in", 0), ("returned", 4), ("supplied", 7))
    assert on.due_on == date(2026, 11, 15)
    assert on.steps[2].note is not None
    assert "等候补正的3天不计入（某规则）" in on.steps[2].note["zh-CN"]


@pytest.mark.parametrize(("day", "late"), [(12, ""), (13, "已超期1天")])
def test_late_begins_on_the_day_after(day: int, late: str) -> None:
    note = told(("handed_in", 0), today=date(2026, 11, day)).steps[2].note
    assert note is not None
    assert ("超期" in note["zh-CN"]) == bool(late)
    assert late in note["zh-CN"]


def test_a_refusal_gives_its_reason_as_the_result() -> None:
    refused = told(("handed_in", 0), ("refused", 1))
    assert [s.state for s in refused.steps] == ["done", "failed"]
    assert refused.result is not None
    assert refused.result.summary == refused.steps[1].note == WORDS.reasons["late"]
    assert (refused.where, refused.due_on) == (None, None)


@pytest.mark.parametrize(
    "whats", [(), ("paid",), ("handed_in", "supplied"), ("handed_in", "paid", "returned")]
)
def test_a_history_that_cannot_be(whats: tuple[str, ...]) -> None:
    with pytest.raises(BadHistory):
        follow(PATH, [Event(what, START) for what in whats])


def test_a_history_that_runs_backwards() -> None:
    events = [Event("handed_in", START), Event("paid", START - timedelta(seconds=1))]
    with pytest.raises(BadHistory, match="an event before the one it follows"):
        follow(PATH, events)


def test_texts_are_listed_in_each_language_its_own_way() -> None:
    assert listed([both("甲", "a"), both("乙", "b")]) == both("甲、乙", "a; b")
