"""What must hold in a shop's answer beyond its Struct: named checks, each says what was wrong.

The gateway runs them on every answer, the conformance kit on every shop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from .contract import Bill, BillDetail, Charge, ChargePaid, Progress, Receipt

TYPES: Final[dict[str, Any]] = {
    "progress.list": list[Progress],
    "bills.list": list[Bill],
    "bills.get": BillDetail,
    "charge.quote": Charge,
    "charge.paid": Receipt,
}
"""The type that each operation answers with."""


class WrongAnswer(Exception):
    """An answer against the contract: the check's name and what was seen."""

    def __init__(self, check: str, seen: str) -> None:
        super().__init__(f"{check}: {seen}")
        self.check = check
        self.seen = seen


def checked(operation: str, asked: Any, answer: Any) -> Any:
    """A fresh copy of `answer` that fits the contract. Raises WrongAnswer.

    msgspec checks no constraint when a Struct is made by hand, so the answer goes out to plain
    data and comes back in; the copy also can't be changed by the shop afterwards.
    """
    try:
        copy = msgspec.convert(msgspec.to_builtins(answer), TYPES[operation])
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise WrongAnswer("type", str(error)[:300]) from error
    for name, check in CHECKS.get(operation, {}).items():
        if seen := check(asked, copy):
            raise WrongAnswer(name, seen)
    return copy


def _no_id_twice(_: Any, items: list[Bill] | list[Progress]) -> str:
    ids = [item.id for item in items]
    return "an id stands twice" if len(ids) != len(set(ids)) else ""


def _within_limit(asked: Any, items: list[Any]) -> str:
    return f"{len(items)} items, {asked.limit} asked" if len(items) > asked.limit else ""


def _one_current(_: Any, items: list[Progress]) -> str:
    for item in items:
        states = [step.state for step in item.steps]
        if states.count("current") > 1:
            return f"{item.id}: more than one current step"
        if "current" in states and "done" in states[states.index("current") :]:
            return f"{item.id}: a done step after the current one"
    return ""


def _lines_sum(_: Any, detail: BillDetail) -> str:
    total = sum(line.amount_minor for line in detail.lines)
    owed = detail.bill.amount_minor
    return f"lines sum to {total}, the bill is {owed}" if total != owed else ""


def _asked_bill(asked: str, detail: BillDetail) -> str:
    return "" if detail.bill.id == asked else "another bill than asked"


def _asked_charge(asked: str, charge: Charge) -> str:
    return "" if charge.id == asked else "another charge than asked"


def _names_whom(_: Any, charge: Charge) -> str:
    return "" if "zh-CN" in charge.beneficiary else "the beneficiary has no zh-CN text"


def _asked_payment(asked: ChargePaid, receipt: Receipt) -> str:
    if receipt.payment_id != asked.payment_id:
        return "a receipt for another payment"
    if receipt.amount_minor != asked.amount_minor:
        return "a receipt over another amount"
    return ""


Check = Callable[[Any, Any], str]
CHECKS: Final[dict[str, dict[str, Check]]] = {
    "progress.list": {
        "ids-differ": _no_id_twice, "within-limit": _within_limit, "one-current-step": _one_current,
    },
    "bills.list": {"ids-differ": _no_id_twice, "within-limit": _within_limit},
    "bills.get": {"bill-asked": _asked_bill, "bills-sum": _lines_sum},
    "charge.quote": {"charge-asked": _asked_charge, "charge-beneficiary": _names_whom},
    "charge.paid": {"receipt-fits": _asked_payment},
}  # fmt: skip
"""By operation: name → what is wrong with an answer, empty if nothing."""
