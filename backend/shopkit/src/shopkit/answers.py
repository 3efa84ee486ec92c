"""What must hold in a shop's answer beyond its Struct: named checks, each says what was wrong.

The gateway runs them on every answer, the conformance kit on every shop.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .answer_checks import CHECKS
from .contract import (
    ApplyForm,
    Bill,
    BillDetail,
    BillsQuery,
    BookAsk,
    Booking,
    BookingsQuery,
    Calculation,
    Charge,
    ChargePaid,
    ChargeRefunded,
    Enquiry,
    Event,
    Filled,
    FormQuery,
    Id,
    Outcome,
    Progress,
    ProgressQuery,
    RawAnswer,
    RawAsk,
    Receipt,
    RefundNoted,
    Slots,
    SlotsQuery,
    Submission,
    Supplement,
    Withdrawal,
)  # fmt: skip

TYPES: Final[dict[str, Any]] = {
    "progress.list": list[Progress],
    "progress.get": Progress,
    "bills.list": list[Bill],
    "bills.get": BillDetail,
    "bills.receipt": Receipt,
    "charge.quote": Charge,
    "charge.paid": Receipt,
    "charge.refunded": RefundNoted,
    "apply.form": ApplyForm,
    "apply.submit": Outcome,
    "apply.supplement": Outcome,
    "apply.withdraw": Outcome,
    "appointments.slots": Slots,
    "appointments.book": Booking,
    "appointments.cancel": Booking,
    "appointments.list": list[Booking],
    "calculate.run": Calculation,
    "enquire.run": Enquiry,
    "raw": RawAnswer,
    "event": None,
}
"""The type that each operation answers with."""

ASKS: Final[dict[str, Any]] = {
    "progress.list": ProgressQuery,
    "progress.get": Id,
    "bills.list": BillsQuery,
    "bills.get": Id,
    "bills.receipt": Id,
    "charge.quote": Id,
    "charge.paid": ChargePaid,
    "charge.refunded": ChargeRefunded,
    "apply.form": FormQuery,
    "apply.submit": Submission,
    "apply.supplement": Supplement,
    "apply.withdraw": Withdrawal,
    "appointments.slots": SlotsQuery,
    "appointments.book": BookAsk,
    "appointments.cancel": Id,
    "appointments.list": BookingsQuery,
    "calculate.run": Filled,
    "enquire.run": Filled,
    "raw": RawAsk,
    "event": Event,
}
"""The type that each operation is asked with."""
OUTCOMES: Final = {200: "accepted", 202: "pending", 422: "refused"}
"""An application's three answers by their statuses on the wire."""


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
        copy = msgspec.convert(
            msgspec.to_builtins(answer, builtin_types=(bytes,)), TYPES[operation]
        )
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise WrongAnswer("type", str(error)[:300]) from error
    return fits(operation, asked, copy)


def decoded(operation: str, asked: Any, body: bytes) -> Any:
    """The answer in a remote shop's JSON, that fits the contract. Raises WrongAnswer."""
    try:
        answer = msgspec.json.decode(body, type=TYPES[operation])
    except msgspec.ValidationError as error:
        raise WrongAnswer("type", str(error)[:300]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WrongAnswer("json", str(error)[:300]) from error
    return fits(operation, asked, answer)


def fits(operation: str, asked: Any, answer: Any) -> Any:
    """The answer itself, when every named check of the operation holds. Raises WrongAnswer."""
    for name, check in CHECKS.get(operation, {}).items():
        if seen := check(asked, answer):
            raise WrongAnswer(name, seen)
    return answer
