"""The meters' code: bills are whatever a test puts into `owed`, by the shop's word for a citizen."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from shopkit import (
    Bill,
    BillDetail,
    BillsQuery,
    Call,
    Charge,
    ChargePaid,
    NotFound,
    Receipt,
    Shop,
    Text,
    Unavailable,
)

shop = Shop(__package__)
owed: dict[str, list[dict[str, Any]]] = {}
told: Counter[str] = Counter()
"""Payment ids that were told and taken, by bill."""
away: set[str] = set()
"""Operations that find nobody there."""
asked: Counter[str] = Counter()


def _bill(kept: dict[str, Any]) -> Bill:
    due_on: date = kept["due_on"]
    whom = kept.get("whom", "一号表")
    title: Text = {"zh-CN": f"水费 {kept['id']}", "en": f"Water {kept['id']}"}
    return Bill(
        kept["id"], title, {"zh-CN": whom}, "2027-02", kept["amount_minor"],
        "paid" if kept.get("paid") else "owed", due_on, due_on - timedelta(days=30),
    )  # fmt: skip


def _find(call: Call, bill_id: str) -> dict[str, Any]:
    for kept in owed.get(call.citizen.sub, []):
        if kept["id"] == bill_id and not kept.get("paid"):
            return kept
    raise NotFound


def _ask(operation: str) -> None:
    asked[operation] += 1
    if operation in away:
        raise Unavailable("back soon")


@shop.bills("water")
async def bills(call: Call, query: BillsQuery) -> list[Bill]:
    """What a test says."""
    _ask("bills")
    kept = [one for one in owed.get(call.citizen.sub, []) if query.paid or not one.get("paid")]
    return [
        _bill(one) for one in sorted(kept, key=lambda one: (one.get("paid", False), one["due_on"]))
    ]


@shop.bill("water")
async def bill(call: Call, bill_id: str) -> BillDetail:
    """No page of a test asks for it."""
    raise NotFound


@shop.quote("water")
async def quote(call: Call, charge_id: str) -> Charge:
    """What it costs now."""
    _ask("quote")
    found = _bill(_find(call, charge_id))
    until = call.now + timedelta(hours=1)
    return Charge(
        found.id,
        found.title,
        "water.fee",
        found.beneficiary,
        found.period,
        found.amount_minor,
        until,
    )


@shop.charge_paid("water")
async def charge_paid(call: Call, paid: ChargePaid) -> Receipt:
    """The bill is paid; told again, the same receipt."""
    for kept in owed.get(call.citizen.sub, []):
        if kept["id"] == paid.charge_id:
            kept["paid"] = True
    told[paid.payment_id] += 1
    number = f"W{paid.payment_id}"
    return Receipt(number, paid.payment_id, paid.amount_minor, call.now, {"zh-CN": "水司"})
