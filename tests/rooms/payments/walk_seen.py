"""Whether what the tables have is what the model has."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final
from uuid import UUID

from tests.rooms.payments.walk_model import PAYABLE, Model

PASSES: Final = {"ShopUnavailable", "ChannelAway"}
"""What may go wrong with an event here: the kiosk or a bank is away. Anything else is a fault."""


def rows(seen: dict[str, Any], name: str) -> list[Any]:
    """Of one table; there may be none."""
    found: list[Any] | None = seen[name]
    return found or []


def same(tables: Any, model: Any) -> None:
    """Both are the same; says what they are where not."""
    if isinstance(tables, dict) and tables != model:
        ours: dict[Any, Any] = {**tables}
        theirs: dict[Any, Any] = {**model}
        both = [(key, ours.get(key), theirs.get(key)) for key in {*ours, *theirs}]
        raise AssertionError(f"(tables, model): {[row for row in both if row[1] != row[2]]}")
    assert tables == model, f"the tables have {tables}, the model {model}"


def agrees(model: Model, seen: dict[str, Any]) -> None:
    """Orders, lines, refunds and held charges are the model's."""
    orders = {UUID(row["id"]): row for row in rows(seen, "orders")}
    same(set(orders), {order.id for order in model.orders})
    for order in model.orders:
        row = orders[order.id]
        same(
            (row["state"], row["refunding_minor"], row["refunded_minor"]),
            (order.state, order.refunding, order.refunded),
        )
        assert row["refunding_minor"] + row["refunded_minor"] <= row["amount_minor"]
        assert row["amount_minor"] == order.amount
        same(row["back_minor"] or [], order.back)
        whole = [tender.amount_minor for tender in order.tenders]
        same(row["tender_minor"] or [], whole)
        assert all(0 <= b <= w for b, w in zip(order.back, whole, strict=True))
    same(
        sorted(tuple(row) for row in rows(seen, "lines")),
        sorted(
            (str(order.id), no, line.charge, line.state, line.refunding, line.refunded)
            for order in model.orders
            for no, line in enumerate(order.lines, 1)
        ),
    )
    _charges(model, seen)
    _refunds(model, seen)


def _charges(model: Model, seen: dict[str, Any]) -> None:
    held = {charge: UUID(order) for charge, order in rows(seen, "charges")}
    same(held, {charge: order.id for charge, order in model.held.items()})
    closed = {row["id"] for row in rows(seen, "orders") if row["state"] == "closed"}
    live = Counter(
        charge
        for order, _, charge, state, *_ in rows(seen, "lines")
        if order not in closed and state != "refunded"
    )
    assert all(count == 1 for count in live.values()), "a charge stands in two open orders"


def _refunds(model: Model, seen: dict[str, Any]) -> None:
    found = rows(seen, "refunds")
    unknown = {(r["order"], r["no"], r["txn"], r["reason"]): UUID(r["id"]) for r in found}
    for refund in model.refunds:
        if refund.id is None:  # the centre made it by itself, so there is one of the kind
            no = None if refund.line is None else refund.order.lines.index(refund.line) + 1
            txn = None if refund.money is None else refund.money.txn
            refund.id = unknown[(str(refund.order.id), no, txn, refund.reason)]
    same(
        {
            UUID(r["id"]): (r["state"], r["amount"], r["parts"], r["channel"], r["reason"])
            for r in found
        },
        {r.id: (r.state, r.amount, r.parts, r.channel, r.reason) for r in model.refunds},
    )


def books_balance(model: Model, seen: dict[str, Any]) -> None:
    """Each posting sums to zero, each order has what it says, each purse gave what it gave back."""
    assert not seen["dead"]
    trouble = {error.split(" ")[0] for error in rows(seen, "trouble")}
    same(trouble - PASSES, set())
    total, by_order = Counter[str](), dict[str, Counter[str]]()
    for order_id, kind, accounts, amounts in rows(seen, "postings"):
        assert sum(amounts) == 0
        moved = Counter[str]()
        for account, amount in zip(accounts, amounts, strict=True):
            moved[account] += amount
        total.update(moved)
        if kind in {"payment", "refund"}:
            by_order.setdefault(order_id, Counter()).update(moved)
    same(
        {name: n for name, n in total.items() if n},
        {name: n for name, n in model.balance.items() if n},
    )
    for row in rows(seen, "orders"):
        kept = row["amount_minor"] - row["refunded_minor"] if row["paid_at"] else 0
        mine = by_order.get(row["id"], Counter[str]())
        assert mine[PAYABLE] == -kept
        assert all(amount >= 0 for name, amount in mine.items() if name != PAYABLE)
