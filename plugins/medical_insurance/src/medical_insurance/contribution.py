"""Contributions: what is owed, what was paid, what went back. Each decided in one statement."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final

from msgspec import Struct

from shopkit import (
    Bill,
    BillDetail,
    BillLine,
    BillsQuery,
    Call,
    Charge,
    ChargePaid,
    ChargeRefunded,
    NotFound,
    Receipt,
    RefundNoted,
    Refused,
    Text,
)
from shopkit.applications import applicant
from shopkit.course import CITY
from shopkit.texts import both, say

from . import words
from .data import q
from .enrolment import enrolments
from .rules import RULES

ISSUER: Final = both("市医疗保障局", "Municipal Healthcare Security Administration")


class Owed(Struct, frozen=True):
    """A contribution, and how it was paid if it was."""

    id: str
    whose: str
    category: str
    period: str
    amount_minor: int
    issued_on: date
    due_on: date
    payment_id: str | None
    receipt: str | None
    booked_at: datetime | None
    refunded_minor: int | None


class Payment(Struct, frozen=True):
    """A payment as booked."""

    payment_id: str
    contribution: str
    receipt: str
    amount_minor: int
    booked_at: datetime


class Refund(Struct, frozen=True):
    """A refund as noted."""

    refund_id: str
    payment_id: str
    amount_minor: int
    noted_at: datetime


async def bills(call: Call, asked: BillsQuery) -> list[Bill]:
    """What the citizen has to pay, and has paid."""
    payer = await _issued(call)
    rows = await q["bills"].rows(call.db, Owed, payer=payer, paid=asked.paid, limit=asked.limit)
    return [_bill(row, call.today) for row in rows]


async def bill(call: Call, bill_id: str) -> BillDetail:
    """One contribution and by which rule. Raises NotFound."""
    row = await _find(call, bill_id, await _issued(call))
    flexible = row.category == "flexible"
    year = None if flexible else RULES.contribution(int(row.period))
    example = RULES.flexible.example if year is None else year.example
    line = BillLine(
        words.bill_title(row.category, row.period), row.amount_minor,
        note=words.line_note(row.category, example=example),
        source=None if year is None else _text(RULES.cited(year.source)), example=example,
    )  # fmt: skip
    late = RULES.flexible.arrears_source if flexible else RULES.enrolment.waiting.source
    notes = [words.late_note(row.category), _text(RULES.cited(late))]
    return BillDetail(_bill(row, call.today), [line], notes=notes, receipt=_receipt(row))


async def quote(call: Call, bill_id: str) -> Charge:
    """What may be taken today. Raises NotFound, Refused."""
    row = await _find(call, bill_id, await _issued(call))
    if row.payment_id is not None:
        raise Refused(say(words.PAID, call.lang))
    return Charge(
        row.id, words.bill_title(row.category, row.period),
        "flexible_contribution" if row.category == "flexible" else "resident_contribution",
        words.beneficiary(row.whose, row.category), row.period, row.amount_minor,
        datetime.combine(call.today, time(23, 59, 59), CITY).astimezone(UTC),
    )  # fmt: skip


async def paid(call: Call, news: ChargePaid) -> Receipt:
    """Book a payment once. Raises NotFound, Refused."""
    await q["book"].run(
        call.db, bill=news.charge_id, payment_id=news.payment_id, amount_minor=news.amount_minor,
        paid_at=news.paid_at, booked_at=call.now,
    )  # fmt: skip
    booked = await q["payment"].row(call.db, Payment, payment_id=news.payment_id)
    if booked is None:
        row = await _find(call, news.charge_id, None)
        raise Refused(say(words.PAID if row.payment_id else words.AMOUNT, call.lang))
    if (booked.contribution, booked.amount_minor) != (news.charge_id, news.amount_minor):
        raise Refused(say(words.AMOUNT, call.lang))
    return Receipt(booked.receipt, booked.payment_id, booked.amount_minor, booked.booked_at, ISSUER)


async def refunded(call: Call, news: ChargeRefunded) -> RefundNoted:
    """Note a refund once; of a payment that went back in full nothing stands. Raises NotFound, Refused."""
    await q["refund"].run(
        call.db, refund_id=news.refund_id, payment_id=news.payment_id, bill=news.charge_id,
        amount_minor=news.amount_minor, noted_at=call.now,
    )  # fmt: skip
    noted = await q["refunded"].row(call.db, Refund, refund_id=news.refund_id)
    if noted is None:
        if await q["payment"].row(call.db, Payment, payment_id=news.payment_id) is None:
            raise NotFound(say(words.UNKNOWN_PAYMENT, call.lang))
        raise Refused(say(words.NO_REFUND, call.lang))
    if (noted.payment_id, noted.amount_minor) != (news.payment_id, news.amount_minor):
        raise Refused(say(words.NO_REFUND, call.lang))
    return RefundNoted(noted.refund_id, noted.amount_minor, noted.noted_at)


async def _issued(call: Call) -> bytes:
    """Who pays; the contributions of their finished enrolments are there from now on."""
    payer = applicant(call)
    await enrolments.catch_up(call)
    await q["issue"].run(call.db, payer=payer)
    return payer


async def _find(call: Call, bill_id: str, payer: bytes | None) -> Owed:
    row = await q["bill"].row(call.db, Owed, bill=bill_id, payer=payer)
    if row is None:
        raise NotFound(say(words.UNKNOWN_BILL, call.lang))
    return row


def _bill(row: Owed, today: date) -> Bill:
    unpaid = "overdue" if today > row.due_on else "owed"
    return Bill(
        row.id, words.bill_title(row.category, row.period), words.beneficiary(row.whose, row.category),
        row.period, row.amount_minor, unpaid if row.payment_id is None else "paid", row.due_on,
        row.issued_on,
    )  # fmt: skip


def _receipt(row: Owed) -> Receipt | None:
    if row.payment_id is None or row.receipt is None or row.booked_at is None:
        return None
    return Receipt(row.receipt, row.payment_id, row.amount_minor, row.booked_at, ISSUER)


def _text(line: str) -> Text:
    return both(line, line)
