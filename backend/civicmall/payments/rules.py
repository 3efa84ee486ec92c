"""Decisions of the payment centre: which order may become what, and how long things last."""

from __future__ import annotations

from typing import Final, Literal, get_args

OrderState = Literal[
    "created", "paying", "paid", "fulfilled", "closed", "refunding", "refunded", "part_refunded"
]
LineState = Literal["waiting", "fulfilled", "refused", "refunded"]
Event = Literal[
    "pay", "paid", "fulfilled", "expire", "cancel", "refuse", "refunded", "part_refunded"
]

MOVES: Final[dict[tuple[OrderState, Event], OrderState]] = {
    ("created", "pay"): "paying",
    ("paying", "pay"): "paying",
    ("created", "paid"): "paid",
    ("paying", "paid"): "paid",
    ("created", "expire"): "closed",
    ("paying", "expire"): "closed",
    ("created", "cancel"): "closed",
    ("paying", "cancel"): "closed",
    ("paid", "fulfilled"): "fulfilled",
    ("paid", "refuse"): "refunding",
    ("refunding", "refuse"): "refunding",
    ("refunding", "refunded"): "refunded",
    ("refunding", "part_refunded"): "part_refunded",
}
"""(state, event) → next state; what isn't here can't happen. The SQL has the same guards, and a
test walks every pair through both."""

STATES: Final[tuple[OrderState, ...]] = get_args(OrderState)
PAYABLE: Final[tuple[OrderState, ...]] = ("created", "paying")

ORDER_LIVES_S: Final = 1800.0
"""Half an hour, or less where a shop's quote ends before: an open order keeps a bill from others."""
CALLBACK_SKEW_S: Final = 300.0
"""A signed callback older than this is a replay (and a repeated one changes nothing anyway)."""
ASK_AFTER_S: Final = 20.0
"""When a channel is asked for a payment whose callback has not come; doubles each time."""


def after(state: OrderState, event: Event) -> OrderState | None:
    """The next state, or None where this can't happen."""
    return MOVES.get((state, event))


def payment_id(order_id: object, line: int) -> str:
    """What a shop knows one payment by; the same at every attempt to tell it."""
    return f"{order_id}.{line}"
