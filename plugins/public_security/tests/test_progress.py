"""What is told about an application, over every history that can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from public_security.id_card import KINDS, PATH, tell
from public_security.models import Application, CardKind
from public_security.words import CARD

from shopkit import Progress, ProgressQuery, Step
from shopkit.answers import checked
from shopkit.local import local
from shopkit.steps import BadHistory, Event, follow

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
"""Nine in the morning in the city."""
MAY_FOLLOW = PATH.may_follow
MISSING, REASONS = CARD.missing, CARD.reasons


def event(what: str, at: datetime) -> Event:
    about = {"returned": ("photo", "old_card"), "refused": ("not_matching",)}.get(what, ())
    return Event(what, at, about)


def history(*happened: tuple[str, int]) -> list[Event]:
    """Events by kind and day after the first."""
    return [
        event(what, START + timedelta(days=day, minutes=i))
        for i, (what, day) in enumerate(happened)
    ]


def spread(whats: Sequence[str], days: int) -> list[Event]:
    """Events so many days apart."""
    return [event(what, START + timedelta(days=days * i)) for i, what in enumerate(whats)]


def application(kind: CardKind = "renewal", office: str = "qinghe") -> Application:
    return Application("SF20261102-00010", kind, office, "donghu", local(START))


def told(events: Sequence[Event], *, today: date | None = None, kind: CardKind = "renewal",
         office: str = "qinghe") -> Progress:  # fmt: skip
    return tell(application(kind, office), events, today or local(events[-1].at))


def step(answer: Progress, name: str) -> Step:
    return answer.steps[PATH.steps.index(name)]


def every_history(returns: int) -> Iterator[tuple[str, ...]]:
    """Each history that the table allows, with at most so many returns."""

    def go(
        so_far: tuple[str, ...], at: str | None, before: str | None
    ) -> Iterator[tuple[str, ...]]:
        if so_far:
            yield so_far
        for what in MAY_FOLLOW.get(at, ()):
            if what == "returned" and so_far.count("returned") == returns:
                continue
            then = before if what == "supplied" else what
            yield from go((*so_far, what), then, at if what == "returned" else None)

    return go((), None, None)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """A history of any length, with any gaps."""
    events: list[Event] = []
    at: str | None = None
    before: str | None = None
    when = START
    for _ in range(draw(st.integers(1, 30))):
        if not MAY_FOLLOW.get(at, ()):
            break
        what = draw(st.sampled_from(MAY_FOLLOW.get(at, ())))
        when += timedelta(minutes=draw(st.integers(0, 60 * 24 * 40)))
        codes = MISSING if what == "returned" else REASONS if what == "refused" else None
        about = (
            draw(st.lists(st.sampled_from(sorted(codes)), min_size=1, unique=True)) if codes else []
        )
        events.append(Event(what, when, tuple(about)))
        at, before = (before if what == "supplied" else what), at if what == "returned" else None
    return events


def holds(answer: Progress, events: Sequence[Event]) -> None:
    """What must be true of every answer."""
    checked("progress.list", ProgressQuery(), [answer])
    states = [s.state for s in answer.steps]
    current = states.count("current")
    assert current == (answer.state in {"running", "waiting_for_citizen", "ready"})
    assert states.count("failed") == (answer.state == "refused")
    assert states == sorted(states, key=["done", "current", "failed", "waiting"].index)
    assert all((s.state == "done") == (s.done_at is not None) for s in answer.steps)
    done_at = [s.done_at for s in answer.steps if s.done_at]
    assert done_at == sorted(done_at)
    accepted_on = local(events[0].at)
    assert all(
        day is None or day >= accepted_on
        for day in (answer.due_on, *(s.due_on for s in answer.steps))
    )
    assert (answer.due_on is not None) == (answer.state == "running")
    assert bool(answer.missing) == (answer.state == "waiting_for_citizen")
    assert (answer.state == "finished") == (events[-1].what == "collected")
    assert (answer.state == "ready") == (events[-1].what == "arrived")
    assert (answer.state == "refused") == (events[-1].what == "refused")
    assert (answer.responsible is None) == (answer.state == "finished")


def test_every_history_with_two_returns() -> None:
    seen = 0
    for whats in every_history(returns=2):
        events = spread(whats, days=2)
        holds(told(events), events)
        seen += 1
    assert seen > 200


@given(
    histories(), st.sampled_from(KINDS), st.sampled_from(["qinghe", "yunling"]), st.integers(0, 400)
)
def test_any_history_on_any_day(
    events: list[Event], kind: CardKind, office: str, later: int
) -> None:
    today = local(events[-1].at) + timedelta(days=later)
    holds(told(events, today=today, kind=kind, office=office), events)


@given(histories(), st.sampled_from(KINDS))
def test_both_languages_everywhere(events: list[Event], kind: CardKind) -> None:
    def texts(node: object) -> Iterator[dict[str, str]]:
        if isinstance(node, dict):
            if node.keys() & {"zh-CN", "en"}:  # pyright: ignore[reportUnknownMemberType]
                yield node
            else:
                for value in node.values():  # pyright: ignore[reportUnknownVariableType]
                    yield from texts(value)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(node, list):
            for value in node:  # pyright: ignore[reportUnknownVariableType]
                yield from texts(value)  # pyright: ignore[reportUnknownArgumentType]

    found = list(texts(msgspec.to_builtins(told(events, kind=kind))))
    assert found
    assert all(text.keys() == {"zh-CN", "en"} for text in found)


@given(histories())
def test_the_clock_stops_while_it_waits(events: list[Event]) -> None:
    """Due is acceptance, 60 days, and exactly the days between each return and its answer."""
    answer = told(events)
    waited = 0
    since: date | None = None
    for one in events:
        if one.what == "returned":
            since = local(one.at)
        elif one.what == "supplied" and since is not None:
            waited += (local(one.at) - since).days
    promised = local(events[0].at) + timedelta(days=60 + waited)
    if answer.state == "running":
        assert answer.due_on == promised
        assert step(answer, "arrived").due_on == promised
    elif answer.state == "waiting_for_citizen":
        assert answer.due_on is None
        note = next(s.note for s in answer.steps if s.state == "current")
        assert note is not None
        assert f"{(promised - local(events[-1].at)).days} days are left" in note["en"]


def test_due_sixty_days_after_acceptance() -> None:
    answer = told(history(("accepted", 0)))
    assert answer.due_on == date(2027, 1, 1)
    assert answer.applied_on == date(2026, 11, 2)


def test_due_ninety_days_in_remote_places() -> None:
    assert told(history(("accepted", 0)), office="yunling").due_on == date(2027, 1, 31)


def test_five_days_of_waiting_are_five_days_more() -> None:
    answer = told(history(("accepted", 0), ("returned", 1), ("supplied", 6)))
    assert answer.due_on == date(2027, 1, 6)
    note = step(answer, "arrived").note
    assert note is not None
    assert "等候补正的5天不计入" in note["zh-CN"]


def test_waiting_says_what_is_missing_and_that_the_clock_stands() -> None:
    answer = told(history(("accepted", 0), ("fee_settled", 0), ("returned", 3)))
    assert answer.state == "waiting_for_citizen"
    assert answer.missing == [MISSING["photo"], MISSING["old_card"]]
    assert answer.responsible == {"zh-CN": "申请人", "en": "The applicant"}
    current = step(answer, "checked")
    assert current.state == "current"
    assert current.note is not None
    assert "自2026-11-05起停止计算，补齐后还有57天" in current.note["zh-CN"]


def test_late_is_said() -> None:
    events = history(("accepted", 0), ("fee_settled", 0))
    on_time, late = (told(events, today=date(2027, 1, day)) for day in (1, 4))
    for answer, words in ((on_time, ""), (late, "已超期3天")):
        note = step(answer, "arrived").note
        assert note is not None
        assert ("超期" in note["zh-CN"]) == bool(words)
        assert words in note["zh-CN"]


def test_refusal_names_the_reason_and_no_step_after_it() -> None:
    answer = told(history(("accepted", 0), ("fee_settled", 0), ("refused", 2)))
    assert [s.state for s in answer.steps] == ["done", "done", "failed"]
    assert answer.steps[-1].note == REASONS["not_matching"]
    assert answer.where is None
    assert answer.responsible == {"zh-CN": "清河路派出所", "en": "Qinghe Road Police Station"}


def test_on_its_way_then_ready_where_it_is_collected() -> None:
    made: list[tuple[str, int]] = [
        ("accepted", 0), ("fee_settled", 0), ("checked", 1), ("reviewed", 5), ("sent", 6), ("produced", 20),
    ]  # fmt: skip
    way, ready = told(history(*made)), told(history(*made, ("arrived", 22)))
    assert way.where == {
        "zh-CN": "运往东湖路派出所途中",
        "en": "On its way to Donghu Road Police Station",
    }
    assert way.responsible == {"zh-CN": "证件制作中心", "en": "Card Production Centre"}
    assert ready.state == "ready"
    assert ready.where == ready.responsible == step(ready, "collected").where
    done = told(history(*made, ("arrived", 22), ("collected", 23)))
    assert (done.state, done.where, done.due_on) == ("finished", None, None)


@pytest.mark.parametrize(
    ("kind", "what", "words"),
    [
        ("renewal", "fee_settled", "20元"),
        ("replacement", "fee_settled", "40元"),
        ("renewal", "fee_exempt", "已免收"),
        ("first", "fee_exempt", "免费"),
        ("under_16", "fee_exempt", "免费"),
    ],
)
def test_the_published_fee_is_told(kind: CardKind, what: str, words: str) -> None:
    note = step(told(history(("accepted", 0), (what, 0)), kind=kind), "fee").note
    assert note is not None
    assert words in note["zh-CN"]


@pytest.mark.parametrize(
    "whats",
    [
        (),
        ("fee_settled",),
        ("accepted", "accepted"),
        ("accepted", "supplied"),
        ("accepted", "returned", "fee_settled"),
        ("accepted", "returned", "returned"),
        ("accepted", "fee_settled", "fee_exempt"),
        ("accepted", "refused", "supplied"),
        ("accepted", "returned", "refused", "supplied"),
        ("accepted", "fee_settled", "checked", "reviewed", "refused"),
        (
            "accepted",
            "fee_settled",
            "checked",
            "reviewed",
            "sent",
            "produced",
            "arrived",
            "collected",
            "collected",
        ),
    ],
)
def test_a_history_that_cannot_be_is_refused(whats: tuple[str, ...]) -> None:
    events = spread(whats, days=1)
    with pytest.raises(BadHistory):
        follow(PATH, events)


def test_a_history_that_runs_backwards_is_refused_by_name() -> None:
    events = history(("accepted", 3), ("fee_settled", 1))
    with pytest.raises(BadHistory, match=r"SF20261102-00010: an event before the one it follows"):
        told(events, today=local(START))
