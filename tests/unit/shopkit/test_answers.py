"""What must hold in a shop's answer beyond its Struct; each check refuses by its name."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from shopkit import (
    Bill,
    BillDetail,
    BillLine,
    BillsQuery,
    Charge,
    ChargePaid,
    Outcome,
    Progress,
    ProgressQuery,
    Receipt,
    Step,
)
from shopkit.answers import ASKS, CHECKS, TYPES, WrongAnswer, checked
from shopkit.shop import NEEDS

NOW = datetime(2025, 6, 1, 4, tzinfo=UTC)
WATER = Bill(
    id="w-1",
    title={"zh-CN": "水费"},
    beneficiary={"zh-CN": "清河路1号"},
    period="2025-05",
    amount_minor=1_000,
    state="owed",
    due_on=date(2025, 6, 30),
    issued_on=date(2025, 6, 1),
)
DETAIL = BillDetail(WATER, [BillLine({"zh-CN": "水"}, 1_200), BillLine({"zh-CN": "减"}, -200)])
CHARGE = Charge("w-1", {"zh-CN": "水费"}, "water", {"zh-CN": "清河路"}, "2025-05", 1_000, NOW)
PAID = ChargePaid("p-1", "w-1", 1_000, NOW)
RECEIPT = Receipt("R1", "p-1", 1_000, NOW, {"zh-CN": "水务"})


def steps(*states: Any) -> list[Step]:
    return [Step({"zh-CN": "步"}, state) for state in states]


CARD = Progress("c-1", {"zh-CN": "证"}, "running", date(2025, 5, 1), steps("done", "current"))


@pytest.mark.parametrize(
    ("operation", "asked", "answer"),
    [
        ("progress.list", ProgressQuery(), []),
        ("progress.list", ProgressQuery(limit=1), [CARD]),
        ("progress.list", ProgressQuery(), [replace(CARD, steps=steps("done", "failed"))]),
        ("progress.list", ProgressQuery(), [replace(CARD, steps=steps("current", "waiting"))]),
        ("bills.list", BillsQuery(limit=2), [WATER, replace(WATER, id="w-2")]),
        ("bills.get", "w-1", DETAIL),
        ("charge.quote", "w-1", CHARGE),
        ("charge.paid", PAID, RECEIPT),
    ],
)
def test_good_answers_pass_as_fresh_copies(operation: str, asked: Any, answer: Any) -> None:
    copy = checked(operation, asked, answer)
    assert copy == answer
    assert copy is not answer


@pytest.mark.parametrize(
    ("operation", "asked", "answer", "check"),
    [
        ("progress.list", ProgressQuery(), None, "type"),
        ("progress.list", ProgressQuery(), CARD, "type"),
        ("progress.list", ProgressQuery(), [replace(CARD, steps=[])], "type"),
        ("progress.list", ProgressQuery(), [CARD, CARD], "ids-differ"),
        ("progress.list", ProgressQuery(limit=1), [CARD, replace(CARD, id="c-2")], "within-limit"),
        ("progress.list", ProgressQuery(), [replace(CARD, steps=steps("current", "current"))],
         "one-current-step"),
        ("progress.list", ProgressQuery(), [replace(CARD, steps=steps("current", "done"))],
         "one-current-step"),
        ("bills.list", BillsQuery(), [replace(WATER, amount_minor=-1)], "type"),
        ("bills.list", BillsQuery(), [replace(WATER, id="a b")], "type"),
        ("bills.list", BillsQuery(), [WATER, WATER], "ids-differ"),
        ("bills.list", BillsQuery(limit=1), [WATER, replace(WATER, id="w-2")], "within-limit"),
        ("bills.get", "w-2", DETAIL, "bill-asked"),
        ("bills.get", "w-1", replace(DETAIL, lines=DETAIL.lines[:1]), "bills-sum"),
        ("charge.quote", "w-2", CHARGE, "charge-asked"),
        ("charge.quote", "w-1", replace(CHARGE, amount_minor=0), "type"),
        ("charge.quote", "w-1", replace(CHARGE, beneficiary={"en": "x"}), "charge-beneficiary"),
        ("charge.paid", replace(PAID, payment_id="p-2"), RECEIPT, "receipt-fits"),
        ("charge.paid", replace(PAID, amount_minor=999), RECEIPT, "receipt-fits"),
        ("charge.paid", PAID, object(), "type"),
    ],
)  # fmt: skip
def test_a_wrong_answer_fails_the_check_of_that_name(
    operation: str, asked: Any, answer: Any, check: str
) -> None:
    with pytest.raises(WrongAnswer, match=f"^{check}: ") as refused:
        checked(operation, asked, answer)
    assert refused.value.check == check
    assert len(refused.value.seen) <= 300


def test_an_answer_without_end_is_refused() -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(WrongAnswer, match=r"^type: "):
        checked("bills.list", BillsQuery(), ring)


def test_the_copy_is_beyond_the_shops_reach() -> None:
    given = [WATER]
    copy = checked("bills.list", BillsQuery(), given)
    given.clear()
    WATER.title["en"] = "Water"
    try:
        assert copy[0].title == {"zh-CN": "水费"}
    finally:
        del WATER.title["en"]


def test_every_operation_has_a_type_and_checks() -> None:
    operations = {operation for needed in NEEDS.values() for operation in needed}
    assert {*operations, "event"} == TYPES.keys() == ASKS.keys()
    unchecked = {"bills.receipt", "event"}  # the Struct says it all; nothing is answered
    assert TYPES.keys() - CHECKS.keys() == unchecked


@pytest.mark.parametrize("year", [1, 1899, 2200, 9999])
def test_a_promise_in_no_year_that_anybody_counts_with_is_none(year: int) -> None:
    by = datetime(year, 1, 1, tzinfo=UTC)
    with pytest.raises(WrongAnswer, match="one-of-three"):
        checked("apply.submit", None, Outcome("pending", callback_by=by))
    kept = Outcome("pending", callback_by=datetime(2026, 1, 1, tzinfo=UTC))
    assert checked("apply.submit", None, kept) == kept
