"""The verbs of the billing system. Each takes the shop's database first.

A bill of somebody else is as unknown as one that doesn't exist.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Final

from shopkit import (
    Bill,
    BillDetail,
    BillsQuery,
    Charge,
    ChargePaid,
    ChargeRefunded,
    NotFound,
    Reading,
    Receipt,
    RefundNoted,
    Refused,
    ShopDb,
    Text,
    sql,
)
from shopkit.local import local
from shopkit.texts import say

from . import billing, words
from .models import Booking, Context, Refund, Standing
from .prices import Book
from .tariff import Line, late_fee

q: Final = sql.load(Path(__file__).with_name("statements.sql"))


class Desk:
    """One utility's counter: whose bills it keeps, by which prices, and who signs receipts."""

    def __init__(self, book: Book, utility: str, issuer: Text) -> None:
        self.book = book
        self.utility = utility
        self.rules = book.utilities[utility]
        self.issuer = issuer

    async def bills(self, db: ShopDb, holder: bytes, asked: BillsQuery, today: date) -> list[Bill]:
        """What the holder owes, oldest due first; then, if asked, what was paid, newest first."""
        rows = await q["bills"].rows(
            db, Standing, holder=holder, utility=self.utility, paid=asked.paid, limit=asked.limit
        )
        return [billing.bill(self.rules, row, today) for row in rows]

    async def bill(
        self, db: ShopDb, holder: bytes, bill_id: str, today: date, lang: str
    ) -> BillDetail:
        """One bill with all that explains it. Raises NotFound."""
        row = await self._find(db, bill_id, holder, lang)
        lines = await q["lines"].rows(db, Line, bill=row.id)
        readings = await q["readings"].rows(
            db, Reading, meter=row.meter, since=row.period_from, until=row.period_until
        )
        context = await q["context"].row(db, Context, bill=row.id, today=today)
        page = billing.Page(row, lines, readings, context or billing.NOTHING)
        return billing.detail(self.book, page, today, self.issuer)

    async def quote(
        self, db: ShopDb, holder: bytes, bill_id: str, today: date, lang: str
    ) -> Charge:
        """What may be taken for a bill today. Raises NotFound, Refused."""
        row = await self._find(db, bill_id, holder, lang)
        if row.paid_at is not None:
            raise Refused(say(words.PAID, lang))
        return billing.quote(self.rules, row, today)

    async def settle(self, db: ShopDb, paid: ChargePaid, now: datetime, lang: str) -> Receipt:
        """Book a payment, once however often it is told. Raises NotFound, Refused.

        The amount must be what was owed on the city's day of `paid_at`. Whoever paid, paid:
        the bill's holder isn't asked for again.
        """
        row = await self._find(db, paid.charge_id, None, lang)
        key = {"bill": row.id, "payment_id": paid.payment_id}
        booked = await q["booked"].row(db, Booking, **key) or billing.booking(row)
        if booked is None:
            on = local(paid.paid_at)
            booked = await q["book"].row(
                db,
                Booking,
                **key,
                amount_minor=paid.amount_minor,
                late_fee_minor=late_fee(self.rules.late_fee, row.amount_minor, row.due_on, on),
                paid_at=paid.paid_at,
                booked_at=now,
            )
        if booked is None:
            raise Refused(say(words.AMOUNT, lang))
        if booked.payment_id != paid.payment_id:
            raise Refused(say(words.PAID, lang))
        if booked.amount_minor != paid.amount_minor:
            raise Refused(say(words.AMOUNT, lang))
        return billing.receipt(booked, self.issuer)

    async def refund(
        self, db: ShopDb, refunded: ChargeRefunded, now: datetime, lang: str
    ) -> RefundNoted:
        """Note a refund, once however often it is told. Raises NotFound, Refused.

        A bill whose payment went back in full is owed again; after a part it stays paid.
        """
        row = await self._find(db, refunded.charge_id, None, lang)
        key = {"bill": row.id, "payment_id": refunded.payment_id}
        noted = await q["refund"].row(
            db, Refund, **key, refund_id=refunded.refund_id, amount_minor=refunded.amount_minor,
            refunded_at=refunded.refunded_at, noted_at=now,
        ) or await q["refunded"].row(db, Refund, refund_id=refunded.refund_id)  # fmt: skip
        if noted is None:
            known = await q["booked"].row(db, Booking, **key)
            raise Refused(say(words.TOO_MUCH, lang)) if known else NotFound(say(words.UNPAID, lang))
        told = (row.id, refunded.payment_id, refunded.amount_minor)
        if (noted.bill, noted.payment_id, noted.amount_minor) != told:
            raise Refused(say(words.OTHER_REFUND, lang))
        return RefundNoted(noted.refund_id, noted.amount_minor, noted.noted_at)

    async def _find(self, db: ShopDb, bill_id: str, holder: bytes | None, lang: str) -> Standing:
        row = await q["bill"].row(db, Standing, bill=bill_id, utility=self.utility, holder=holder)
        if row is None:
            raise NotFound(say(words.UNKNOWN, lang))
        return row
