"""Contributions: what is owed, for whom, and by which rule; payments are booked by shopkit.charges."""

from __future__ import annotations

from datetime import date
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
    NotFound,
    Receipt,
    Refused,
    Text,
)
from shopkit.applications import applicant
from shopkit.charges import Charges
from shopkit.local import end_of_day
from shopkit.texts import both, say

from . import words
from .data import q
from .enrolment import enrolments
from .rules import RULES

ISSUER: Final = both("市医疗保障局", "Municipal Healthcare Security Administration")
CHARGES: Final = Charges(ISSUER, series="YB")


class Owed(Struct, frozen=True):
    """A contribution, and whether it is paid."""

    id: str
    whose: str
    category: str
    period: str
    amount_minor: int
    issued_on: date
    due_on: date
    paid: bool


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
    return BillDetail(
        _bill(row, call.today), [line], notes=notes, receipt=await CHARGES.receipt(call, row.id)
    )


async def quote(call: Call, bill_id: str) -> Charge:
    """What may be taken today. Raises NotFound, Refused."""
    row = await _find(call, bill_id, await _issued(call))
    if row.paid:
        raise Refused(say(words.PAID, call.lang))
    return Charge(
        row.id, words.bill_title(row.category, row.period),
        "flexible_contribution" if row.category == "flexible" else "resident_contribution",
        words.beneficiary(row.whose, row.category), row.period, row.amount_minor,
        end_of_day(call.today),
    )  # fmt: skip


async def paid(call: Call, news: ChargePaid) -> Receipt:
    """Book a payment once. Raises NotFound, Refused."""
    owed_minor = await q["owed"].row(call.db, int, bill=news.charge_id)
    return await CHARGES.book(call, news, owed_minor)


async def _issued(call: Call) -> bytes:
    """Who pays; the contributions of their finished enrolments are there from now on."""
    payer = applicant(call)
    await enrolments.catch_up(call)
    await q["issue"].run(call.db, payer=payer)
    return payer


async def _find(call: Call, bill_id: str, payer: bytes) -> Owed:
    row = await q["bill"].row(call.db, Owed, bill=bill_id, payer=payer)
    if row is None:
        raise NotFound(say(words.UNKNOWN_BILL, call.lang))
    return row


def _bill(row: Owed, today: date) -> Bill:
    unpaid = "overdue" if today > row.due_on else "owed"
    return Bill(
        row.id, words.bill_title(row.category, row.period), words.beneficiary(row.whose, row.category),
        row.period, row.amount_minor, "paid" if row.paid else unpaid, row.due_on,
        row.issued_on,
    )  # fmt: skip


def _text(line: str) -> Text:
    return both(line, line)
