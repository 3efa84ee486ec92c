"""What is told about a residence permit, and when it is to be endorsed next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from public_security.models import Application, PermitKind
from public_security.residence_permit import (
    CARD,
    ENDORSEMENT,
    KINDS,
    tell,
    window,
)
from public_security.words import PERMIT

from shopkit import Progress, ProgressQuery, Step
from shopkit.answers import checked
from shopkit.local import local
from shopkit.months import same_day
from shopkit.steps import BadHistory, Event, Path

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
"""Nine in the morning in the city."""
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
MADE: list[tuple[str, int]] = [
    ("accepted", 0), ("verified", 2), ("issued", 4), ("produced", 8), ("arrived", 10), ("collected", 12),
]  # fmt: skip
ABOUT = {"returned": ("residence_proof", "photo"), "refused": ("under_half_year",)}


def history(*happened: tuple[str, int]) -> list[Event]:
    """Events by kind and day after the first."""
    return [
        Event(what, START + timedelta(days=day, minutes=i), ABOUT.get(what, ()))
        for i, (what, day) in enumerate(happened)
    ]


def told(
    events: Sequence[Event], *, kind: PermitKind = "permit_new", office: str = "qinghe",
    full_on: date = date(2027, 3, 1), today: date | None = None,
) -> Progress:  # fmt: skip
    filed = Application("JZ20261102-00010", kind, office, "donghu", local(START), full_on)
    answer = tell(filed, events, today or local(events[-1].at))
    checked("progress.list", ProgressQuery(), [answer])
    return answer


def step(answer: Progress, name: str, path: Path = CARD) -> Step:
    return answer.steps[path.steps.index(name)]


@st.composite
def histories(draw: st.DrawFn) -> tuple[PermitKind, list[Event]]:
    """Any history that a kind's table allows, with any gaps."""
    kind = draw(st.sampled_from(KINDS))
    path = ENDORSEMENT if kind == "permit_endorsement" else CARD
    events: list[Event] = []
    at: str | None = None
    before: str | None = None
    when = START
    for _ in range(draw(st.integers(1, 20))):
        if not (may := path.may_follow.get(at)):
            break
        what = draw(st.sampled_from(may))
        when += timedelta(minutes=draw(st.integers(0, 60 * 24 * 40)))
        events.append(Event(what, when, ABOUT.get(what, ())))
        at, before = (before if what == "supplied" else what), at if what == "returned" else None
    return kind, events


@given(histories(), st.sampled_from(["qinghe", "yunling"]), DAYS, st.integers(0, 800))
def test_every_history_on_any_day(
    filed: tuple[PermitKind, list[Event]], office: str, full_on: date, later: int
) -> None:
    kind, events = filed
    today = local(events[-1].at) + timedelta(days=later)
    answer = told(events, kind=kind, office=office, full_on=full_on, today=today)
    last = events[-1].what
    assert (answer.state == "finished") == (last in {"collected", "endorsed"})
    assert (answer.state == "ready") == (last == "arrived")
    assert (answer.state == "refused") == (last == "refused")
    assert (answer.result is not None) == (answer.state in {"finished", "refused"})
    assert (answer.due_on is not None) == (answer.state == "running")
    assert bool(answer.missing) == (answer.state == "waiting_for_citizen")
    assert (answer.responsible is None) == (answer.state == "finished")
    if answer.state == "finished" and answer.result:
        (document,) = answer.result.documents
        assert document.valid_until is not None
        assert document.valid_until > local(events[-1].at)
        suspended = "使用功能中止" in answer.result.summary["zh-CN"]
        assert suspended == (today > document.valid_until)


@pytest.mark.parametrize(("office", "due"), [("qinghe", "2026-11-17"), ("yunling", "2026-12-02")])
def test_a_permit_takes_fifteen_days_and_thirty_in_remote_places(office: str, due: str) -> None:
    answer = told(history(("accepted", 0)), office=office)
    assert answer.due_on == date.fromisoformat(due)
    assert "第九条" in str(step(answer, "arrived").note)


def test_what_the_applicant_takes_is_not_counted() -> None:
    waiting = told(history(("accepted", 0), ("returned", 3)))
    assert waiting.missing == [PERMIT.missing["residence_proof"], PERMIT.missing["photo"]]
    assert "12 days are left" in str(step(waiting, "verified").note)
    going_on = told(history(("accepted", 0), ("returned", 3), ("supplied", 9)))
    assert going_on.due_on == date(2026, 11, 23)


def test_late_is_said() -> None:
    answer = told(history(("accepted", 0)), today=date(2026, 11, 20))
    assert "已超期3天" in str(step(answer, "arrived").note)


def test_who_has_it_on_its_way() -> None:
    names = [
        str((told(history(*MADE[:n])).responsible or {}).get("en")) for n in range(1, len(MADE) + 1)
    ]
    assert names == [
        "Qinghe Road Police Station", "District Public Security Office", "Card Production Centre",
        "Card Production Centre", "Donghu Road Police Station", "None",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "words"),
    [("permit_new", "免费"), ("permit_endorsement", "免费"), ("permit_replacement", "示例")],
)
def test_what_it_costs_is_told(kind: PermitKind, words: str) -> None:
    assert words in str(told(history(("accepted", 0)), kind=kind).steps[0].note)


def test_an_endorsement_ends_at_the_counter() -> None:
    answer = told(
        history(("accepted", 0), ("verified", 1), ("endorsed", 2)),
        kind="permit_endorsement", full_on=date(2026, 11, 20),
    )  # fmt: skip
    assert [s.state for s in answer.steps] == ["done"] * 3
    assert answer.result is not None
    assert answer.result.documents[0].valid_until == date(2027, 11, 20)
    assert "2027-10-20至2027-11-20" in answer.result.summary["zh-CN"]
    assert "逾期" not in answer.result.summary["zh-CN"]


def test_a_late_endorsement_starts_the_years_anew() -> None:
    answer = told(
        history(("accepted", 0), ("verified", 1), ("endorsed", 2)),
        kind="permit_endorsement", full_on=date(2026, 11, 3),
    )  # fmt: skip
    assert answer.result is not None
    assert answer.result.documents[0].valid_until == date(2027, 11, 4)
    assert "居住年限自补办之日起连续计算" in answer.result.summary["zh-CN"]


def test_a_permit_that_was_not_endorsed_is_suspended() -> None:
    answer = told(history(*MADE), full_on=date(2027, 3, 1), today=date(2027, 3, 2))
    assert answer.result is not None
    assert "使用功能中止，补办签注后恢复" in answer.result.summary["zh-CN"]
    assert "suspended" in answer.result.summary["en"]


def test_a_refusal_says_which_rule() -> None:
    answer = told(history(("accepted", 0), ("refused", 2)))
    assert answer.result is not None
    assert answer.result.summary == PERMIT.reasons["under_half_year"] == answer.steps[-1].note
    assert [s.state for s in answer.steps] == ["done", "failed"]


@given(full_on=DAYS, done_on=DAYS, endorsed=st.booleans())
def test_the_next_window_is_the_month_before_a_full_year_to_come(
    full_on: date, done_on: date, *, endorsed: bool
) -> None:
    due = window(endorsed=endorsed, year_full_on=full_on, done_on=done_on)
    assert due.first < due.last
    assert (due.last - due.first).days in {28, 29, 30, 31}
    assert due.last > done_on
    if endorsed:
        assert due.last == same_day(max(full_on, done_on), 12)
    else:
        assert full_on > done_on or due.last <= same_day(done_on, 12)
        assert due.last.month == full_on.month


@pytest.mark.parametrize(
    "whats",
    [
        ("verified",), ("accepted", "issued"), ("accepted", "verified", "endorsed"),
        ("accepted", "verified", "issued", "refused"), ("accepted", "fee_settled"),
    ],
)  # fmt: skip
def test_a_history_that_cannot_be_is_refused_by_name(whats: tuple[str, ...]) -> None:
    events = history(*((what, n) for n, what in enumerate(whats)))
    with pytest.raises(BadHistory, match="JZ20261102-00010"):
        told(events)
