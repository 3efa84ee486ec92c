"""The table of moves, and the decisions about papers and times."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall import cases
from civicmall.cases import rules, words
from civicmall.cases.rules import CLOSED, FOLLOWED, MOVES, STATES, UNANSWERED, Given, Move, State
from shopkit.contract import Material, Media, Outcome, Progress, Step
from shopkit.contract.apply import MEDIA
from shopkit.contract.progress import Result
from shopkit.forms import Field, Form

ALL: tuple[Move, ...] = get_args(Move)
MEDIAS: tuple[Media, ...] = MEDIA
SQL = (Path(cases.__file__).parent / "migrations" / "0001_cases.sql").read_text()


def test_the_table_names_only_what_there_is() -> None:
    assert {state for state, _ in MOVES} | set(MOVES.values()) == set(STATES)
    assert {move for _, move in MOVES} | {"submit"} == set(ALL)
    assert set(STATES) == UNANSWERED | FOLLOWED | CLOSED
    assert all(f"'{state}'" in SQL for state in STATES)
    assert set(words.MOVES) == set(ALL)
    assert set(words.MESSAGES) <= set(ALL)


@pytest.mark.parametrize("move", [move for move in ALL if move != "submit"])
def test_a_move_leads_to_one_state(move: Move) -> None:
    assert {end for (_, by), end in MOVES.items() if by == move} == {rules.target(move)}
    assert all(rules.after(state, move) for state in rules.sources(move))


@given(st.lists(st.sampled_from(ALL), max_size=30))
def test_whatever_comes_a_case_never_comes_back_from_its_end(moves: list[Move]) -> None:
    state: State = "submitted"
    for move in moves:
        before, state = state, rules.after(state, move) or state
        if before in CLOSED:
            assert state == before
        if before in FOLLOWED:
            assert state not in UNANSWERED
        if state == "void":
            assert before in {"submitted", "void"}


def test_every_state_can_be_reached() -> None:
    seen: set[str] = {"submitted"}
    while more := {end for (start, _), end in MOVES.items() if start in seen} - seen:
        seen |= more
    assert seen == set(STATES)


def test_the_verdict_is_the_outcome() -> None:
    assert [rules.verdict(Outcome(state)) for state in ("accepted", "pending", "refused")] == [
        "accept", "defer", "refuse",
    ]  # fmt: skip


@pytest.mark.parametrize("said", ["running", "waiting_for_citizen", "ready", "finished", "refused"])
@pytest.mark.parametrize("state", STATES)
def test_what_a_shop_says_is_taken_over_while_the_case_is_with_it(state: State, said: str) -> None:
    done = said in {"finished", "refused"}
    result = Result({"zh-CN": "x"}) if done else None
    told = Progress(
        "1", {"zh-CN": "x"}, said, date(2026, 1, 1),  # pyright: ignore[reportArgumentType] (one of its states)
        [Step({"zh-CN": "x"}, "waiting")], result=result,
    )  # fmt: skip
    move = rules.heard(state, told)
    if state not in FOLLOWED:
        assert move is None or state in UNANSWERED
    elif state == said:
        assert move is None
    else:
        assert move is not None
        assert rules.target(move) == said


def test_what_the_citizen_may_do() -> None:
    assert rules.may("waiting_for_citizen", referenced=True) == ["supplement", "withdraw"]
    assert rules.may("pending", referenced=False) == []
    assert rules.may("pending", referenced=True) == ["withdraw"]
    assert rules.may("finished", referenced=True) == ["rate"]
    assert rules.may("withdrawn", referenced=True) == []


@given(st.sampled_from(MEDIAS), st.sampled_from(MEDIAS), st.binary(max_size=40))
def test_a_file_fits_its_own_kind_alone(media: Media, other: Media, rest: bytes) -> None:
    body = rules.MAGIC[media] + rest
    assert rules.fits(other, body) == (media == other)


codes = st.sampled_from(["a", "b", "c", "d"])
papers = st.lists(st.builds(Given, codes, st.sampled_from(MEDIAS), st.just(1)), max_size=6)
ASKED = [
    Material("a", {"zh-CN": "甲"}),
    Material("b", {"zh-CN": "乙"}, required=False, media=["image/png"]),
    Material("c", {"zh-CN": "丙"}, media=["application/pdf"]),
]


@given(papers, st.booleans())
def test_papers_are_wrong_by_name(given_: list[Given], complete: bool) -> None:  # noqa: FBT001 (drawn)
    wrong = {one.field for one in rules.wrong_papers(ASKED, given_, complete=complete)}
    count = {code: sum(paper.code == code for paper in given_) for code in "abcd"}
    allowed = {material.code: material.media for material in ASKED}
    for code in "abcd":
        bad = code == "d" and count["d"] > 0
        bad |= count[code] > 1
        bad |= any(p.code == code and p.media not in allowed.get(code, ()) for p in given_)
        bad |= complete and code in {"a", "c"} and not count[code]
        assert (f"materials.{code}" in wrong) == bad


def test_a_supplement_may_leave_fields_out() -> None:
    form = Form("object", {"n": Field("integer", {"zh-CN": "数"}, 1, maximum=5)}, required=["n"])
    assert rules.wrong_values(form, {}) != []
    assert rules.wrong_values(form, {}, complete=False) == []
    assert [w.field for w in rules.wrong_values(form, {"n": 6}, complete=False)] == ["n"]


@given(st.integers(0, 1_000))
def test_a_shop_is_asked_again_ever_later_but_always(tries: int) -> None:
    first, second = rules.retry_wait(tries), rules.retry_wait(tries + 1)
    assert timedelta(seconds=rules.FIRST_RETRY_S) <= first <= second
    assert second <= timedelta(seconds=rules.RETRY_MAX_S)


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=900)))
def test_old_cases_are_looked_at_less_often(age: timedelta) -> None:
    wait = rules.sync_wait(age)
    assert timedelta(seconds=rules.SYNC_MIN_S) <= wait <= timedelta(seconds=rules.SYNC_MAX_S)
    assert wait <= rules.sync_wait(age + timedelta(hours=1))
