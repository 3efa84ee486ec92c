"""The kiosk's code: a charge's id says what it costs and how its payment ends.

`ok-7-500` costs 500 fen and is acknowledged; instead of `ok`: `refuse` and `gone` never take the
payment, `away` takes it once `doors` are open, `hang` never answers, `brief` is a quote of some
milliseconds.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from datetime import timedelta

from shopkit import (
    Bill,
    BillDetail,
    BillsQuery,
    Call,
    Charge,
    ChargePaid,
    ChargeRefunded,
    NotFound,
    Receipt,
    RefundNoted,
    Refused,
    Shop,
    Text,
    Unavailable,
)

shop = Shop(__package__)
told: Counter[str] = Counter()
booked: dict[str, ChargeRefunded] = {}
doors = threading.Event()
BRIEF = timedelta(milliseconds=400)


@shop.bills("stall")
async def bills(call: Call, query: BillsQuery) -> list[Bill]:
    """Nobody owes the kiosk anything."""
    return []


@shop.bill("stall")
async def bill(call: Call, bill_id: str) -> BillDetail:
    """The kiosk keeps no bills."""
    raise NotFound


@shop.quote("stall")
async def quote(call: Call, charge_id: str) -> Charge:
    """What the id says."""
    if charge_id.count("-") != 2:
        raise NotFound
    kind, _, amount = charge_id.split("-")
    until = call.now + (BRIEF if kind == "brief" else timedelta(hours=1))
    title: Text = {"zh-CN": "票", "en": "Ticket"}
    whom: Text = {"zh-CN": "本人"}
    return Charge(charge_id, title, "stall.fee", whom, "2026-10", int(amount), until)


@shop.charge_paid("stall")
async def charge_paid(call: Call, paid: ChargePaid) -> Receipt:
    """Take the payment, or not, as the id says."""
    match paid.charge_id.partition("-")[0]:
        case "refuse":
            raise Refused("the kiosk is closed for good")
        case "gone":
            raise NotFound
        case "hang":
            await asyncio.sleep(60)
        case "away" if not doors.is_set():
            raise Unavailable("back soon")
        case _:
            told[paid.payment_id] += 1
    number = f"K{paid.payment_id}"
    return Receipt(number, paid.payment_id, paid.amount_minor, call.now, {"zh-CN": "售票处"})


@shop.charge_refunded("stall")
async def charge_refunded(call: Call, refunded: ChargeRefunded) -> RefundNoted:
    """Book a refund once, however often it is told."""
    booked.setdefault(refunded.refund_id, refunded)
    return RefundNoted(refunded.refund_id, refunded.amount_minor, call.now)
