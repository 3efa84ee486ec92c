"""The personal account of the employed and retired: balance and movements by month."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from msgspec import Struct

from shopkit import BadForm, Call, Column, Enquiry, Figure, Filled, NotFound, Reason, Table
from shopkit.applications import applicant
from shopkit.local import CITY
from shopkit.texts import both, say

from . import words
from .data import q
from .rules import MONTHS, RULES

SHOWN: Final = 6
"""Months where nothing is asked."""
MONTHS_MAX: Final = 24
"""Keeps the table below what a table may have: a few movements a month."""
COLUMNS: Final = [
    Column("day", both("日期", "Day"), "date"),
    Column("kind", both("项目", "What")),
    Column("amount", both("收支（元）", "In or out"), "money"),
    Column("balance", both("余额（元）", "Balance"), "money"),
]


class Movement(Struct, frozen=True):
    """One movement; `opening_minor` is the balance before it."""

    booked_on: date
    kind: str
    amount_minor: int
    opening_minor: int


def month_of(day: date) -> int:
    """Months since year 0."""
    return day.year * MONTHS + day.month - 1


def month(text: str | None, default: int) -> int:
    """The same of `YYYY-MM`."""
    if text is None:
        return default
    year, number = map(int, text.split("-"))
    return year * MONTHS + number - 1


def first_day(number: int) -> date:
    """The first day of a month."""
    return date(number // MONTHS, number % MONTHS + 1, 1)


async def movements(call: Call, asked: Filled) -> Enquiry:
    """What came in and went out. Raises BadForm, NotFound."""
    this = month_of(call.today)
    last = month(asked.values.get("to_month"), this)
    first = month(asked.values.get("from_month"), min(last, this) - SHOWN + 1)
    if last < first:
        raise BadForm(Reason(words.MONTHS_ORDER, "to_month"))
    if last - first >= MONTHS_MAX:
        raise BadForm(Reason(words.MONTHS_MANY, "from_month"))
    person, since = applicant(call), first_day(first)
    until = first_day(last + 1) - timedelta(days=1)
    known = await q["balance"].row(call.db, Balance, person=person, until=until)
    if known is None:
        raise NotFound(say(words.NO_ACCOUNT, call.lang))
    rows = await q["movements"].rows(call.db, Movement, person=person, since=since, until=until)
    closing = known.minor or 0
    opening = rows[0].opening_minor if rows else closing
    came = sum(row.amount_minor for row in rows if row.amount_minor > 0)
    went = -sum(row.amount_minor for row in rows if row.amount_minor < 0)
    return Enquiry(
        Table(COLUMNS, [_cells(call.lang, row) for row in rows]),
        [
            Figure("balance", both("期末余额", "Balance at the end"), "money", closing),
            Figure("opening", both("期初余额", "Balance at the beginning"), "money", opening),
            Figure("in", both("期间划入", "Came in"), "money", came),
            Figure("out", both("期间支出", "Went out"), "money", went),
        ],
        [both(f"计入办法：{(line := RULES.cited(RULES.account.source))}", f"What goes in: {line}")],
        datetime.combine(call.today, time(), CITY),
    )  # fmt: skip


class Balance(Struct, frozen=True):
    """What is on an account; None before its first movement."""

    minor: int | None


def _cells(lang: str, row: Movement) -> list[str | int | None]:
    balance = row.opening_minor + row.amount_minor
    return [row.booked_on.isoformat(), say(words.KINDS[row.kind], lang), row.amount_minor, balance]
