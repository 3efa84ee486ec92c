"""How a shop on contract 1 is asked what contract 2 would ask: it keeps working unchanged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

import shopkit
from shopkit import BillDetail, ProgressQuery

KNOWN: Final = frozenset(
    {"progress.list", "progress.get", "bills.list", "bills.get", "bills.receipt", "charge.quote",
     "charge.paid"}
)  # fmt: skip
"""What can be asked of it, some of it in its own words. It hears of no refunds and no events."""


class Sent(Struct, frozen=True):
    """What it is asked instead, and how its answer is read."""

    operation: str
    asked: Any
    answer: Callable[[Any], Any]


def asked(operation: str, asked: Any) -> Sent:
    """The question in contract 1's words."""
    if operation == "progress.get":
        return Sent("progress.list", ProgressQuery(id=asked, limit=1), _only)
    if operation == "bills.receipt":
        return Sent("bills.get", asked, _receipt)
    return Sent(operation, asked, lambda answer: answer)


def _only(matters: list[Any]) -> Any:
    if not matters:
        raise shopkit.NotFound
    return matters[0]


def _receipt(detail: BillDetail) -> Any:
    if detail.receipt is None:
        raise shopkit.NotFound
    return detail.receipt
