"""Which step a ticket may take, whose turn it is, and when an answer is due."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.kernel.calendar import is_working_day
from civicmall.ratings import rules, words
from civicmall.ratings.rules import MOVES, TURN, WHO, Move, State
from shopkit import workdays

MIGRATION = Path(rules.__file__).parent / "migrations" / "0001_ratings.sql"
STATES: tuple[State, ...] = get_args(State)


def test_every_state_is_reached_and_every_open_one_is_left() -> None:
    reached = {"open"} | set(MOVES.values())
    assert reached == set(STATES) == set(TURN)
    for state in STATES:
        leaves = any(before == state for before, _ in MOVES)
        assert leaves == (TURN[state] != "nobody")


def test_each_move_has_one_target() -> None:
    moves: set[Move] = {move for _, move in MOVES}
    for move in moves:
        assert {after for (_, by), after in MOVES.items() if by == move} == {rules.target(move)}


def test_only_whose_turn_it_is_moves_a_ticket() -> None:
    for before, move in MOVES:
        assert WHO[move] == TURN[before]


def test_the_database_knows_the_same_states() -> None:
    checks = re.findall(r"check \((state|turn) in \((.*?)\)\)", MIGRATION.read_text(), re.DOTALL)
    by_column = {column: set(re.findall(r"'(\w+)'", values)) for column, values in checks}
    assert by_column == {"state": set(STATES), "turn": set(TURN.values())}
    assert f"reopened between 0 and {rules.REOPEN_MAX}" in MIGRATION.read_text()
    assert f"appeals between 0 and {rules.APPEALS_MAX}" in MIGRATION.read_text()


def test_every_step_and_state_has_words() -> None:
    assert set(words.STEPS) == set(get_args(Move))
    assert set(words.STATES) == set(STATES)
    assert set(words.MESSAGES) == set(get_args(Move)) - {"confirm"}


def test_a_message_is_whole_in_both_languages() -> None:
    values = {
        "shop": {"zh-CN": "水务", "en": "Water"},
        "due": "2026-12-16",
        "who": {"zh-CN": "主管", "en": "Head"},
        "phone": "96000",
        "said": "{due} stays as it was said",
    }
    for move in words.MESSAGES:
        found = words.message(move, values)
        assert found is not None
        for text in found:
            assert text["zh-CN"] != text["en"]
            assert re.search(r"[一-鿿]", text["zh-CN"])
            assert not re.search(r"[一-鿿]", text["en"])
    assert words.message("confirm", values) is None
    fixed = words.message("fix", values)
    assert fixed is not None
    assert "Water says: {due} stays as it was said" in fixed[1]["en"]


def test_what_each_may_do() -> None:
    def may(state: State, actor: rules.Actor, reopened: int = 0, appeals: int = 0) -> list[Move]:
        return rules.may(state, actor, reopened=reopened, appeals=appeals)

    assert may("open", "department") == ["register", "fix", "explain", "appeal"]
    assert may("open", "department", appeals=1) == ["register", "fix", "explain"]
    assert may("registered", "department") == ["fix", "explain", "appeal"]
    assert may("fixed", "citizen") == ["confirm", "reopen"]
    assert may("fixed", "citizen", reopened=3) == ["confirm"]
    assert may("fixed", "department") == []
    assert may("open", "citizen") == []
    assert may("open", "operator") == ["remind"]
    assert may("appealed", "operator") == ["uphold", "reject"]
    assert may("confirmed", "citizen") == []
    assert may("excluded", "operator") == []


def test_fifteen_working_days_over_the_national_holiday() -> None:
    """Filed on Monday 28 September 2026: 1 to 7 October are off, Saturday the 10th is worked."""
    assert rules.due(date(2026, 9, 28)) == rules.DueDate(date(2026, 10, 23), provisional=False)


def test_fifteen_working_days_over_the_spring_festival() -> None:
    """Filed on 10 February 2026: 15 to 23 February are off, the 14th and 28th are worked."""
    assert rules.due(date(2026, 2, 10)) == rules.DueDate(date(2026, 3, 9), provisional=False)


def test_beyond_the_published_holidays_a_date_says_so() -> None:
    assert rules.due(date(2099, 12, 1)).provisional


@given(
    st.dates(date(2024, 1, 1), date(2026, 9, 30)),
    st.integers(0, 20),
)
def test_due_is_as_many_working_days_away_as_it_says(start: date, paused: int) -> None:
    due = rules.due(start, paused)
    assert is_working_day(due.on)[0]
    assert workdays.between(start, due.on) == rules.DUE_DAYS + paused
    assert workdays.between(start, due.on - timedelta(days=1)) < rules.DUE_DAYS + paused


def test_no_working_days_lie_between_a_day_and_itself() -> None:
    day = date(2026, 11, 25)
    assert workdays.between(day, day) == 0
    assert workdays.between(day, day - timedelta(days=3)) == 0


ALLOWED = {"quick": [5, 4], "too_slow": [2, 1]}


@pytest.mark.parametrize(
    ("stars", "tags", "wrong"),
    [
        (5, [], []),
        (5, ["quick"], []),
        (1, ["quick"], [(0, "this tag doesn't belong to 1 stars")]),
        (1, ["too_slow", "nonsense"], [(1, "there is no such tag")]),
        (1, ["too_slow", "too_slow"], [(1, "this tag stands twice")]),
    ],
)
def test_tags_belong_to_levels(stars: int, tags: list[str], wrong: list[tuple[int, str]]) -> None:
    assert rules.wrong_tags(ALLOWED, stars, tags) == wrong
