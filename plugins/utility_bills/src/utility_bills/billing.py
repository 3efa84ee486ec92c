"""From rows to what the contract asks for: what a bill comes to today and all that explains it.

Pure: the date and the language come in as arguments. The principal was fixed when the bill was
issued; only the late fee grows, by the day, so nothing said here holds beyond the city's day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from shopkit import Bill, BillDetail, BillLine, Charge, Reading, Receipt, Text
from shopkit.local import end_of_day, local
from shopkit.months import same_day

from . import words
from .models import Booking, Context, Standing
from .prices import Book, Component, Tariff, Utility
from .tariff import ONE_DAY, Line, begins, in_force, late_fee, limits, price_of, share

NOTHING: Final = Context(None, 0, 0)


class Value(Struct, frozen=True):
    """A meter's count at the beginning of a day, in thousandths."""

    on: date
    milli: int


def due_on(issued_on: date, months: int) -> date:
    """The last day to pay: so many months after the day of issue, less a day."""
    return same_day(issued_on, months) - ONE_DAY


def used_before(values: Sequence[Value], tariff: Tariff, since: date) -> int:
    """What was used from the day the tiers began until `since`, by the readings known.

    A period that lies across that day counts with its share by days, as its own bill did.
    """
    start = begins(tariff.basis, since)
    if start >= since:
        return 0
    known = [value for value in values if value.on <= since]
    if not known:
        return 0
    later = [value for value in known if value.on >= start]
    earlier = [value for value in known if value.on < start]
    total = known[-1].milli - later[0].milli
    if earlier and later[0].on > start:
        last = earlier[-1]
        used, days = later[0].milli - last.milli, (later[0].on - last.on).days
        total += used - share(used, (start - last.on).days, days)
    return total


def fee(utility: Utility, bill: Standing, on: date) -> int:
    """The late fee: as booked when the bill is paid, else what it has grown to on `on`."""
    if bill.paid_minor is not None:
        return bill.paid_minor - bill.amount_minor
    return late_fee(utility.late_fee, bill.amount_minor, bill.due_on, on)


def bill(utility: Utility, row: Standing, today: date) -> Bill:
    """A bill as it stands today."""
    late = fee(utility, row, today)
    unpaid = "overdue" if today > row.due_on else "owed"
    return Bill(
        id=row.id,
        title=words.title(row),
        beneficiary=words.beneficiary(row),
        period=words.period(row),
        amount_minor=row.amount_minor + late,
        state=unpaid if row.paid_at is None else "paid",
        due_on=row.due_on,
        issued_on=row.issued_on,
        late_fee_minor=late,
    )


def quote(utility: Utility, row: Standing, today: date) -> Charge:
    """What may be taken for an unpaid bill until the day ends."""
    return Charge(
        id=row.id,
        title=words.title(row),
        fee_code=utility.fee,
        beneficiary=words.beneficiary(row),
        period=words.period(row),
        amount_minor=row.amount_minor + fee(utility, row, today),
        valid_until=end_of_day(today),
    )


def receipt(booking: Booking, issuer: Text) -> Receipt:
    """The acknowledgement of a booked payment."""
    return Receipt(
        number=booking.receipt,
        payment_id=booking.payment_id,
        amount_minor=booking.amount_minor,
        issued_at=booking.booked_at,
        issuer=issuer,
    )


def booking(row: Standing) -> Booking | None:
    """How a bill was paid, if it was."""
    if row.payment_id is None or row.receipt is None or row.booked_at is None:
        return None
    return Booking(row.payment_id, row.receipt, row.paid_minor or 0, row.booked_at)


class Page(Struct, frozen=True):
    """All that is known of one bill."""

    row: Standing
    lines: list[Line]
    readings: list[Reading]
    context: Context = NOTHING


def detail(book: Book, page: Page, today: date, issuer: Text) -> BillDetail:
    """A bill with everything that explains it."""
    row, utility = page.row, book.utilities[page.row.utility]
    paid = booking(row)
    metered = row.usage_milli is not None
    return BillDetail(
        bill=bill(utility, row, today),
        lines=[_line(book, utility, row, line) for line in page.lines]
        + _late_line(book, utility, row, today),
        readings=page.readings,
        usage_milli=row.usage_milli,
        usage_unit=utility.unit if metered else None,
        last_year_usage_milli=page.context.last_year_usage_milli,
        notes=_notes(book, utility, page),
        receipt=receipt(paid, issuer) if paid else None,
    )


def _line(book: Book, utility: Utility, row: Standing, line: Line) -> BillLine:
    part = _component(utility, line)
    # Where days were shared out of a season's price, the line is no product of two numbers.
    product = price_of(line.quantity_milli, line.price_milli_minor) == line.amount_minor
    return BillLine(
        title=words.line_title(part, line.tier),
        amount_minor=line.amount_minor,
        quantity_milli=line.quantity_milli if product else None,
        unit=utility.unit if product else None,
        price_milli_minor=line.price_milli_minor if product else None,
        note=words.line_note(line, row),
        source=words.cited(book.sources[part.source]) if part.source else None,
        example=part.example,
    )


def _component(utility: Utility, line: Line) -> Component:
    return next(
        part
        for tariff in utility.tariffs
        if tariff.id == line.tariff
        for part in tariff.components
        if part.id == line.component
    )


def _late_line(book: Book, utility: Utility, row: Standing, today: date) -> list[BillLine]:
    """The late fee as a line of its own, where there is one."""
    late, rule = fee(utility, row, today), utility.late_fee
    if not late:
        return []
    until = today if row.paid_at is None else local(row.paid_at)
    return [
        BillLine(
            title=words.LATE_FEE,
            amount_minor=late,
            note=words.late_note(rule, (until - row.due_on).days),
            source=words.cited(book.sources[rule.source]) if rule.source else None,
            example=rule.example,
        )
    ]


def _notes(book: Book, utility: Utility, page: Page) -> list[Text]:
    """Tiers, arrears, and which of the rules are examples."""
    notes: list[Text] = []
    row, day = page.row, page.row.period_until - ONE_DAY
    if row.usage_milli is not None:
        tariff = in_force(utility.tariffs, day)
        start, uppers = begins(tariff.basis, day), limits(tariff, row.persons)
        used = _used_since(page.lines, start)
        if start <= row.period_from:
            used += row.used_before_milli
        notes.append(words.used_so_far(tariff.basis, day, used, uppers, utility.unit))
    if page.context.arrears_count:
        notes.append(words.arrears(page.context.arrears_count, page.context.arrears_minor))
    if page.context.refunded_minor:
        notes.append(words.refunded(page.context.refunded_minor))
    if utility.terms and utility.terms.example:
        notes.append(words.EXAMPLE_TERMS)
    if utility.season:
        notes.append(words.cited(book.sources[utility.season.source]))
        notes.append(words.cited(book.sources[utility.season.pay_source]))
    if utility.late_fee.example:
        notes.append(words.EXAMPLE_LATE_FEE)
    return notes


def _used_since(lines: Sequence[Line], start: date) -> int:
    """The quantity on the lines of the first component, from `start` on."""
    return sum(
        line.quantity_milli
        for line in lines
        if line.component == lines[0].component and line.since >= start
    )
