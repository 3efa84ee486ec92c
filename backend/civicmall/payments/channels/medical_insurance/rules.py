"""Decisions of a split payment: pure, tested without a database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

SplitState = Literal[
    "quoted", "dropped", "deducting", "refused", "deducted", "paid", "reversing", "reversed"
]
SplitEvent = Literal[
    "confirm", "deducted", "deducted_all", "declined", "self_paid", "give_up", "undone"
]
PartState = Literal["open", "pending", "done", "failed"]
Fault = Literal[
    "declined", "away", "lost", "later", "reverse_away", "refund_later", "refund_failed"
]

MOVES: Final[dict[tuple[SplitState, SplitEvent], SplitState]] = {
    ("quoted", "confirm"): "deducting",
    ("quoted", "give_up"): "dropped",
    ("deducting", "deducted"): "deducted",
    ("deducting", "deducted_all"): "paid",
    ("deducting", "declined"): "refused",
    ("deducting", "give_up"): "reversing",
    ("deducted", "self_paid"): "paid",
    ("deducted", "give_up"): "reversing",
    ("reversing", "undone"): "reversed",
}
"""(state, event) → next state; what isn't here can't happen. The statements have the same guards.
`deducted_all`: the insurer pays everything. From `paid` on it is one payment as any other."""

PURSES: Final = ("pool", "account")
"""The insurer's purses, in the order of the ledger; what citizens paid themselves comes after
them, and refunds are taken from the last first."""
POOL_PERCENT: Final = 60
"""What the sandbox's pooled fund pays of a treatment. Real ones differ by place, hospital and year."""
CONTRIBUTION: Final = "contribution"
"""Fees that end so pay for an insurance: the account may be used, the pooled fund never."""


def share(items: Iterable[tuple[str, int]], balance_minor: int) -> tuple[int, int]:
    """What pooled fund and account pay of (fee, amount) at the sandbox's insurer.

    The fund pays its part of what is no contribution, rounded down; the account of the rest what it
    has. An account may pay the family's contributions and treatment (General Office of the State
    Council [2021] No. 14, on mutual aid for outpatients).
    """
    whole = list(items)
    pool = sum(
        amount * POOL_PERCENT // 100 for fee, amount in whole if not fee.endswith(CONTRIBUTION)
    )
    rest = sum(amount for _, amount in whole) - pool
    return pool, min(rest, balance_minor)


def together(states: Iterable[PartState | None]) -> Literal["pending", "done", "failed"]:
    """How a refund stands as a whole: it ends when each part has, and well when each has well."""
    known = {state for state in states if state is not None}
    if known & {"open", "pending"}:
        return "pending"
    return "failed" if "failed" in known else "done"


def allowed(fees: str) -> frozenset[str]:
    """The setting's `shop/fee_code, …` as a set."""
    return frozenset(one.strip() for one in fees.split(",") if one.strip())


def foreign(lines: Iterable[tuple[int, str, str]], fees: frozenset[str]) -> list[int]:
    """The numbers of those lines (number, shop, fee code) that the insurance does not pay for."""
    return [no for no, shop, code in lines if f"{shop}/{code}" not in fees]
