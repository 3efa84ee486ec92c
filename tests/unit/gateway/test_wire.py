"""Answers that are too large or can't travel, and a shop's words that can't be trusted."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.patience import STALL_S

from civicmall.gateway import NoSuchThing, rules
from civicmall.gateway.rules import REASON_MAX, WAIT_S, ShopKeys
from civicmall.gateway.wire import PARTS_MAX, TEXT_MAX, sendable, weigh
from shopkit import Bill, Progress, Step
from shopkit.answers import WrongAnswer

DAY = date(2026, 10, 1)


def _bill(title: str = "水费", bill_id: str = "b") -> Bill:
    return Bill(bill_id, {"zh-CN": title}, {"zh-CN": "本户"}, "2026-10", 1, "owed", DAY, DAY)


def _fullest() -> list[Progress]:
    text: Any = {"zh-CN": "字", "en": "word"}
    at = datetime(2026, 10, 1, tzinfo=UTC)
    steps = [Step(text, "done", at, DAY, text, text) for _ in range(50)]
    return [
        Progress(f"p{n}", text, "running", DAY, steps, DAY, text, text, [text] * 50)
        for n in range(100)
    ]


def test_what_the_contract_allows_is_not_too_large() -> None:
    weigh(_fullest())
    weigh([_bill(bill_id=f"b{n}") for n in range(100)])
    weigh(None)


def _cycle() -> list[Any]:
    turning: list[Any] = []
    turning.append(turning)
    return turning


@pytest.mark.parametrize(
    "answer",
    [
        [_bill()] * PARTS_MAX,
        list(range(5_000_000)),
        {n: n for n in range(PARTS_MAX + 1)},
        {"x" * (TEXT_MAX + 1): 1},
        "x" * (TEXT_MAX + 1),
        b"x" * (TEXT_MAX + 1),
        [_bill("x" * 100_000)] * 20,
        _cycle(),
    ],
    ids=["bills", "numbers", "members", "name", "text", "bytes", "texts", "cycle"],
)
def test_what_is_too_large_is_found_out_at_once(answer: Any) -> None:
    began = time.perf_counter()
    with pytest.raises(WrongAnswer) as caught:
        weigh(answer)
    assert caught.value.check == "size"
    assert time.perf_counter() - began < STALL_S


@pytest.mark.parametrize("words", ["\ud800", "a\x00b"])
def test_a_text_that_can_not_travel_is_a_wrong_answer(words: str) -> None:
    with pytest.raises(WrongAnswer) as caught:
        sendable([_bill(words)])
    assert caught.value.check == "json"
    sendable([_bill("水费 \\u0000x"[:3])])


@pytest.mark.parametrize("said", ["b", "W00009004-202609", "a" * 80, "A.b_c:d-e"])
def test_an_identifier(said: str) -> None:
    assert rules.identifier(said, "s") == said


@pytest.mark.parametrize("said", ["", "a\x00", "a b", "../x", "-a", "账单", "a" * 81])
def test_what_is_no_identifier_is_nothing_of_the_shops(said: str) -> None:
    with pytest.raises(NoSuchThing):
        rules.identifier(said, "s")


@pytest.mark.parametrize(
    ("said", "shown"),
    [("closed", "closed"), (None, ""), (object(), ""), (7, ""), ("x" * 9_999, "x" * REASON_MAX)],
)
def test_a_reason_that_can_be_shown(said: object, shown: str) -> None:
    assert rules.words(said) == shown
    assert "\ud800" not in rules.words("a\ud800b")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (5, 5),
        (3600, 3600),
        (None, WAIT_S),
        (0, WAIT_S),
        (-1, WAIT_S),
        (10**9, WAIT_S),
        ("soon", WAIT_S),
        (1.5, WAIT_S),
        (timedelta(1), WAIT_S),
    ],
)
def test_a_wait_that_can_be_gone_by(said: object, shown: int) -> None:
    assert rules.wait_s(said) == shown


def test_two_shops_can_not_join_their_citizens() -> None:
    citizen, other = uuid4(), uuid4()
    one, two = ShopKeys(b"s" * 32, b"a" * 32), ShopKeys(b"s" * 32, b"b" * 32)
    assert one.sub(citizen) == one.sub(citizen)
    assert len({one.sub(citizen), two.sub(citizen), one.sub(other), two.sub(other)}) == 4
    assert str(citizen) not in one.sub(citizen)
