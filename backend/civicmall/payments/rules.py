"""Decisions of the payment centre: which order may become what, and how long things last."""

from __future__ import annotations

from typing import Final, Literal, get_args

OrderState = Literal[
    "created", "paying", "paid", "fulfilled", "closed", "refunding", "refunded", "part_refunded"
]
LineState = Literal["waiting", "fulfilled", "refused", "refunded"]
Event = Literal[
    "pay", "paid", "fulfilled", "expire", "cancel",
    "refuse", "refund", "refunded", "part_refunded", "restored",
]  # fmt: skip
RefundState = Literal["wanted", "asked", "approved", "sent", "done", "failed", "declined"]
RefundEvent = Literal["ask", "approve", "send", "done", "fail", "decline"]

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
    ("paid", "refund"): "refunding",
    ("fulfilled", "refund"): "refunding",
    ("part_refunded", "refund"): "refunding",
    ("refunding", "refund"): "refunding",
    ("refunding", "refunded"): "refunded",
    ("refunding", "part_refunded"): "part_refunded",
    ("refunding", "restored"): "fulfilled",
}
"""(state, event) → next state; what isn't here can't happen. The SQL has the same guards, a CHECK
holds the pairs of states, and a test walks every state and event through all three."""

REFUNDS: Final[dict[tuple[RefundState, RefundEvent], RefundState]] = {
    ("wanted", "ask"): "asked",
    ("wanted", "decline"): "declined",
    ("asked", "approve"): "approved",
    ("asked", "decline"): "declined",
    ("approved", "send"): "sent",
    ("approved", "done"): "done",
    ("sent", "done"): "done",
    ("approved", "fail"): "failed",
    ("sent", "fail"): "failed",
    ("failed", "approve"): "approved",
    ("failed", "decline"): "declined",
    ("failed", "done"): "done",
    ("declined", "done"): "done",
}
"""A refund's own table: wanted by the citizen, asked for by staff, approved, sent, and its end."""

STATES: Final[tuple[OrderState, ...]] = get_args(OrderState)
PAYABLE: Final[tuple[OrderState, ...]] = ("created", "paying")

ORDER_LIVES_S: Final = 1800.0
"""Half an hour, or less where a shop's quote ends before: an open order keeps a bill from others."""
CALLBACK_SKEW_S: Final = 300.0
"""A signed callback older than this is a replay (and a repeated one changes nothing anyway)."""
REFUND_ALONE_MINOR: Final = 1_000_00
"""What may go back of one order by one of the staff alone, in one refund or many; more takes an
operator who is somebody else."""
WISHES_MAX: Final = 5
"""How often a citizen may ask for money of one line."""
ASK_AFTER_S: Final = 20.0
"""When a channel is asked for a payment whose callback has not come; doubles each time."""


def after(state: OrderState, event: Event) -> OrderState | None:
    """The next state, or None where this can't happen."""
    return MOVES.get((state, event))


def payment_id(order_id: object, line: int) -> str:
    """What a shop knows one payment by; the same at every attempt to tell it."""
    return f"{order_id}.{line}"
