"""Water, power, gas and heating: a small billing system as one shop of the city.

Readings and published tiered prices become bills, unpaid bills grow a late fee, payments become
receipts. What is owed is decided here and nowhere else.
"""

from __future__ import annotations

from datetime import date

from shopkit import (
    Bill,
    BillDetail,
    BillsQuery,
    Call,
    Charge,
    ChargePaid,
    ChargeRefunded,
    Receipt,
    RefundNoted,
    Shop,
    ShopDb,
)
from shopkit.applications import applicant

from . import prices, seed
from .service import Desk

shop = Shop(__package__)
book = prices.read(shop.file.parent / "data" / "tariffs.json")


def _serve(app: str) -> None:
    """The operations of a bills app, the same for each utility."""
    desk = Desk(book, app, shop.manifest.department)

    @shop.bills(app)
    async def bills(call: Call, query: BillsQuery) -> list[Bill]:
        return await desk.bills(call.db, applicant(call), query, call.today)

    @shop.bill(app)
    async def bill(call: Call, bill_id: str) -> BillDetail:
        return await desk.bill(call.db, applicant(call), bill_id, call.today, call.lang)

    @shop.quote(app)
    async def quote(call: Call, bill_id: str) -> Charge:
        return await desk.quote(call.db, applicant(call), bill_id, call.today, call.lang)

    @shop.charge_paid(app)
    async def charge_paid(call: Call, paid: ChargePaid) -> Receipt:
        return await desk.settle(call.db, paid, call.now, call.lang)

    @shop.charge_refunded(app)
    async def charge_refunded(call: Call, refunded: ChargeRefunded) -> RefundNoted:
        return await desk.refund(call.db, refunded, call.now, call.lang)


for _app in book.utilities:
    _serve(_app)


@shop.seed
async def fill(db: ShopDb, secret: bytes, today: date) -> None:
    """The sandbox's households, as they stand today in the city."""
    await seed.fill(db, secret, book, today)
