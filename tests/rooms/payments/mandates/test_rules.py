"""The decisions of mandates, and that the tables hold the same ones."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall import payments
from civicmall.payments.events import DebitMoved
from civicmall.payments.mandates import messages, rules
from civicmall.payments.mandates.models import DebitRow, MandateRow
from civicmall.payments.mandates.rules import DEBITS, MOVES, DebitEvent, MandateEvent
from civicmall.shops import Registry
from shopkit import Bill

DAYS = st.dates(date(2026, 1, 1), date(2030, 12, 31))
TABLES = (Path(payments.__file__).parent / "migrations" / "0006_mandates.sql").read_text()


def pairs(constraint: str) -> set[str]:
    """The pairs of states that a CHECK allows, without the beginnings."""
    said = TABLES[TABLES.index(f"constraint {constraint} check") :]
    return {p for p in re.findall(r"'(\w*>\w+)'", said[: said.index("))")]) if p[0] != ">"}


def test_the_tables_allow_the_same_steps() -> None:
    assert pairs("mandate_step") == {f"{a}>{b}" for (a, _), b in MOVES.items()}
    assert pairs("mandate_debit_step") == {f"{a}>{b}" for (a, _), b in DEBITS.items()}
    assert {event for _, event in MOVES} == set(get_args(MandateEvent))
    assert {event for _, event in DEBITS} == set(get_args(DebitEvent))


def test_each_event_leads_a_mandate_to_one_state() -> None:
    for event in get_args(MandateEvent):
        assert len({MOVES[state, event] for state in rules.before(event)}) == 1
        assert all(rules.after(state, event) for state in rules.before(event))
    assert rules.after("revoked", "resume") is None


@given(DAYS, st.integers(-60, 120))
def test_a_debit_is_three_days_off_and_leaves_its_retries_before_the_due_day(
    today: date, due_in: int
) -> None:
    due_on = today + timedelta(days=due_in)
    day = rules.debit_day(today, due_on)
    assert (day - today).days >= 3
    if due_in >= 5:
        assert day + timedelta(days=2) == due_on
    else:
        assert (day - today).days == 3


@given(DAYS, DAYS, st.integers(1, 3))
def test_a_declined_debit_is_tried_on_the_two_days_after(
    today: date, debit_on: date, tries: int
) -> None:
    following = rules.retry_on(today, debit_on, tries)
    if following is not None:
        assert following == today + timedelta(days=1)
        assert (following - debit_on).days <= 2
        assert tries < 3
    if today == debit_on:
        assert (following is None) == (tries == 3)


@given(DAYS, st.integers(0, 255))
def test_a_bucket_s_turn_comes_by_day(day: date, bucket: int) -> None:
    at = rules.morning(day, bucket)
    assert rules.daytime(at)
    assert at.date() == day
    assert rules.daytime(at.astimezone(UTC) + timedelta(hours=5, minutes=59))


@pytest.mark.parametrize(
    ("hour", "minute", "day"), [(7, 59, False), (8, 0, True), (19, 59, True), (20, 0, False)]
)
def test_by_day_in_the_city(hour: int, minute: int, day: bool) -> None:  # noqa: FBT001
    at = datetime(2027, 3, 2, hour, minute, tzinfo=UTC) - timedelta(hours=8)
    assert rules.daytime(at) is day


def bill(amount_minor: int, due_on: date, whom: str = "甲", state: str = "owed") -> Bill:
    return Bill(
        "B1", {"zh-CN": "水费"}, {"zh-CN": whom, "en": f"{whom}-en"}, "2027-02", amount_minor,
        state, due_on, due_on,  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


def test_which_bills_are_wanted() -> None:
    today = date(2027, 3, 2)
    soon, late = today + timedelta(days=9), today + timedelta(days=10)
    due = bill(1, soon)
    assert rules.wanted([due], "", today, None) == [due]
    assert rules.wanted([due], "甲-en", today, None) == [due]
    assert rules.wanted([bill(1, today - timedelta(days=9))], "甲", today, None)
    for other in (bill(1, late), bill(1, soon, "乙"), bill(1, soon, state="paid"), bill(0, soon)):
        assert not rules.wanted([other], "甲", today, None)
    day = rules.debit_day(today, soon)
    assert rules.wanted([due], "", today, day)
    assert not rules.wanted([due], "", today, day - timedelta(days=1))


def test_caps() -> None:
    assert rules.over(100, 100, 300) == ""
    assert rules.over(101, 100, 300) == "over_cap"
    assert rules.over(301, 400, 300) == "over_month"
    today = date(2027, 3, 2)
    assert rules.fault(100, 100, None, today) == {}
    assert rules.fault(100, 99, None, today)["field"] == "month_cap_minor"
    assert rules.fault(1, 1, today + timedelta(days=2), today)["field"] == "ends_on"
    assert rules.month_of(date(2027, 2, 28)) == date(2027, 2, 1)


ROW = MandateRow(
    UUID(int=1), UUID(int=2), "gone", "water", "甲", "sandbox", 100_00, 300_00, None, 0, None, "active",
    "", "A1", datetime(2027, 3, 2, tzinfo=UTC), datetime(2027, 3, 2, tzinfo=UTC), None,
)  # fmt: skip
DEBIT = DebitRow(
    UUID(int=3), ROW.id, ROW.citizen_id, "gone", "water", "B1", {"zh-CN": "水费 {三月}"}, {"zh-CN": "甲"},
    "2027-02", 45_00, date(2027, 3, 9), date(2027, 3, 7), date(2027, 3, 8), 1, "announced", "no_funds",
    date(2027, 3, 2), None, 0, None,
)  # fmt: skip


def test_every_message_is_whole_in_both_languages() -> None:
    """Whatever the reason, known here or a channel's own, and whatever is in a bill's title."""
    said = [messages.reminder(DEBIT)]
    for why in (*messages.WHY, "", "a_word_of_the_channel"):
        said += [messages.mandate(Registry([]), ROW, state, why) for state in messages.MANDATE]
        said += [
            messages.debit(DEBIT, DebitMoved(ROW.id, DEBIT.id, state, why, date(2027, 3, 8)))
            for state in messages.RESULTS
        ]
    for one in said:
        for lang in ("zh-CN", "en"):
            text = one["body"][lang].replace("{三月}", "")
            assert text
            assert not {"{", "}"} & {*text}
    declined = messages.debit(
        DEBIT, DebitMoved(ROW.id, DEBIT.id, "announced", "no_funds", DEBIT.try_on)
    )
    assert "2027-03-08" in declined["body"]["en"]
    assert "45.00" in declined["body"]["zh-CN"]


def test_every_state_of_a_debit_that_ends_is_told() -> None:
    ends = {state for state in rules.DEBIT_STATES if not any(a == state for a, _ in DEBITS)}
    assert ends - {"stopped"} == set(messages.RESULTS) - {"announced"}
    assert set(messages.MANDATE) == set(rules.STATES) - {"waiting"}
