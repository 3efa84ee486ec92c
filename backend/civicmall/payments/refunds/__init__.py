"""Refunds: full, partial, by line; over a limit two people; sent, asked after, posted, told."""

from __future__ import annotations

from .models import DeskDecision, DeskRefund, Reason, Refund, RefundOrder, RefundWish
from .service import (
    approve,
    ask_return,
    decline,
    desk_refunds,
    of_order,
    order_refund,
    return_money,
    wish,
)

__all__ = [
    "DeskDecision", "DeskRefund", "Reason", "Refund", "RefundOrder", "RefundWish", "approve",
    "ask_return", "decline", "desk_refunds", "of_order", "order_refund", "return_money", "wish",
]  # fmt: skip
