"""The table of moves says the same as the words of the room's design."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from civicmall import payments
from civicmall.payments import rules
from civicmall.payments.rules import MOVES, PAYABLE, STATES, Event, OrderState, after

EVENTS: tuple[Event, ...] = get_args(Event)
SAID: dict[OrderState, dict[str, OrderState]] = {
    "created": {"pay": "paying", "paid": "paid", "expire": "closed", "cancel": "closed"},
    "paying": {"pay": "paying", "paid": "paid", "expire": "closed", "cancel": "closed"},
    "paid": {"fulfilled": "fulfilled", "refuse": "refunding", "refund": "refunding"},
    "fulfilled": {"refund": "refunding"},
    "closed": {},
    "refunding": {
        "refuse": "refunding", "refund": "refunding", "refunded": "refunded",
        "part_refunded": "part_refunded", "restored": "fulfilled",
    },
    "refunded": {},
    "part_refunded": {"refund": "refunding"},
}  # fmt: skip
"""By state: what can happen, and what the order is then. Everything else can't happen."""


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_every_pair_of_state_and_event(state: OrderState, event: Event) -> None:
    assert after(state, event) == SAID[state].get(event)


def test_the_table_names_only_what_there_is() -> None:
    assert {state for state, _ in MOVES} | set(MOVES.values()) <= set(STATES)
    assert {event for _, event in MOVES} == set(EVENTS)
    assert set(SAID) == set(STATES)


def test_every_state_can_be_reached_from_the_first() -> None:
    seen: set[str] = {"created"}
    while more := {end for (start, _), end in MOVES.items() if start in seen} - seen:
        seen |= more
    assert seen == set(STATES)


def test_money_never_goes_back_to_not_paid() -> None:
    unpaid = {"created", "paying", "closed"}
    for (start, _), end in MOVES.items():
        assert start in unpaid or end not in unpaid


def test_payable_is_what_can_be_paid() -> None:
    assert {state for state in STATES if after(state, "paid")} == set(PAYABLE)
    assert {state for state in STATES if after(state, "pay")} == set(PAYABLE)


def test_the_database_knows_the_same_states() -> None:
    folder = Path(payments.__file__).parent / "migrations"
    text = "".join(path.read_text() for path in sorted(folder.glob("*.sql")))
    checked = text.partition("state          text        not null check (state in")[2]
    named = checked.partition("))")[0]
    assert {word.strip(" ('\n") for word in named.split(",")} == set(STATES)


def _migration(name: str) -> str:
    return (Path(payments.__file__).parent / "migrations" / name).read_text()


def test_the_database_knows_the_same_pairs() -> None:
    said = _migration("0002_refunds.sql").partition("constraint orders_step check")[2]
    pairs = set(re.findall(r"'(\w*>\w+)'", said.partition("))")[0]))
    assert pairs == {">created", *(f"{start}>{end}" for (start, _), end in MOVES.items())}


def test_the_database_knows_the_same_states_of_refunds() -> None:
    said = _migration("0002_refunds.sql").partition("create table payments.refund (")[2]
    named = set(re.findall(r"'(\w+)'", said.partition("state in")[2].partition("))")[0]))
    assert named == set(get_args(rules.RefundState))
    starts = {state for state, _ in rules.REFUNDS}
    assert starts | set(rules.REFUNDS.values()) == named
    assert named - starts == {"done"}


def test_a_shop_knows_a_payment_by_the_same_id_at_every_try() -> None:
    assert rules.payment_id("order", 3) == rules.payment_id("order", 3) == "order.3"
