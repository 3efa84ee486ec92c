"""The operations of tickets and of reconciled days."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
from tests.city import City

from civicmall.payments import Channels, Paid, Sandbox, reconcile

if TYPE_CHECKING:
    from tests.api.tour import Tour

DAY = date(2026, 11, 18)
STATEMENT = (
    "kind,txn,merchant_no,original_no,amount_minor,fee_minor,at\n"
    "payment,SBX01a20fa4038975e7a5146944de78c0d3,01a20fa4038975e7a5146944de78c0d3,,4860,29,"
    "2026-11-18T03:12:45Z\n"
)


async def tickets(tour: Tour, city: City) -> None:
    """Two payments that fit nothing, and a day with a payment that nobody here knows."""
    operator = await city.operator()
    said = [Paid(uuid4(), f"SBX{uuid4().hex}", 4860, city.house.clock.now()) for _ in range(2)]
    for paid in said:
        body = msgspec.json.encode(paid)
        answer = await operator.post(
            "/v1/channels/sandbox/callbacks",
            content=body,
            headers={"content-type": "application/json", **Sandbox(city.house).sign(body)},
        )
        assert answer.is_success, answer.text
    await city.settled()
    found: list[Any] = (
        await tour.go(operator, "GET", "/v1/desk/tickets", query={"state": "open", "limit": 2})
    )["items"]
    one = "/v1/desk/tickets/{ticket_id}"
    await tour.go(operator, "GET", one, ticket_id=found[0]["id"])
    note = {"note": "渠道确认为测试交易"}
    await tour.go(operator, "POST", one + "/resolve", note, ticket_id=found[0]["id"])
    back = {"order_id": str(said[0].order_id), "channel": "sandbox", "txn": said[0].txn}
    await tour.go(operator, "POST", "/v1/desk/mismatches/return", back)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bill.csv")
        await asyncio.to_thread(path.write_text, STATEMENT)
        read = await reconcile.read(city.house, "sandbox", DAY, path)
    await reconcile.conclude(city.house, Channels(), read)
    await tour.go(operator, "GET", "/v1/desk/statements", query={"limit": 2})
    day = "/v1/desk/statements/{channel}/{day}"
    await tour.go(operator, "GET", day, channel="sandbox", day=str(DAY))
    await city.settled()
