"""公积金查询: the book of an account as a table, with exact sums."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from shopkit import Column, Enquiry, Figure, Table, Text
from shopkit.texts import both, say

from . import words
from .ledger import Entry
from .rates import Rules, in_force
from .records import Holding

ROWS_MAX: Final = 600
"""What the contract has room for: the newest lines of an account older than some 46 years."""

COLUMNS: Final = [
    Column("on", both("日期", "Date"), "date"),
    Column("kind", both("业务", "Entry")),
    Column("employer", both("单位缴存", "Employer"), "money"),
    Column("employee", both("个人缴存", "Employee"), "money"),
    Column("amount", both("发生额", "Amount"), "money"),
    Column("balance", both("余额", "Balance"), "money"),
]


class Asked(Struct, frozen=True):
    """The filled-in form."""

    year: int | None = None
    kind: str = "all"


def tell(rules: Rules, held: Holding, asked: Asked, now: datetime, lang: str) -> Enquiry:
    """Balance and sums; the lines that were asked for."""
    book = held.book
    lines = [
        entry
        for entry in book.entries
        if asked.year in {None, entry.on.year} and asked.kind in {"all", entry.kind}
    ]
    return Enquiry(
        table=Table(COLUMNS, [_row(entry, lang) for entry in lines[-ROWS_MAX:]]),
        figures=[
            _money("balance", both("账户余额", "Balance"), book.balance_minor),
            _money(
                "accrued", both("已计未结利息", "Interest not credited yet"), book.accrued_minor
            ),
            *_monthly(held),
            *_sums(lines),
        ],
        notes=_notes(rules, held),
        as_of=now,
    )


def _row(entry: Entry, lang: str) -> list[str | int | None]:
    deposit = entry.kind == "deposit"
    return [
        entry.on.isoformat(),
        say(words.KINDS[entry.kind], lang),
        entry.employer_minor if deposit else None,
        entry.employee_minor if deposit else None,
        entry.amount_minor,
        entry.balance_minor,
    ]


def _monthly(held: Holding) -> list[Figure]:
    """What comes in each month now."""
    if held.account.sealed_on is not None or held.book.closed or not held.contributions:
        return []
    now = held.contributions[-1]
    paid = now.of(now.employer_percent) + now.of(now.employee_percent)
    return [_money("monthly", both("月缴存额", "Deposited each month"), paid)]


def _sums(lines: Sequence[Entry]) -> list[Figure]:
    """Of the lines shown."""
    of = {
        kind: sum(entry.amount_minor for entry in lines if entry.kind == kind)
        for kind in words.KINDS
    }
    return [
        _money("deposits", both("缴存合计", "Deposits"), of["deposit"]),
        _money("employer", both("其中单位", "Of these, employer"), sum(e.employer_minor for e in lines)),
        _money("employee", both("其中个人", "Of these, employee"), sum(e.employee_minor for e in lines)),
        _money("interest", both("结息合计", "Interest credited"), of["interest"]),
        _money("withdrawn", both("提取合计", "Withdrawn"), -of["withdrawal"]),
    ]  # fmt: skip


def _notes(rules: Rules, held: Holding) -> list[Text]:
    rate = in_force(rules.deposit_rates, held.book.entries[-1].on)
    basis = rules.basis(rate.source)
    found = [
        both(
            f"存款年利率{rate.percent}%，每年6月30日结息（{basis.title['zh-CN']}，{basis.source}）",
            f"Balances earn {rate.percent} % a year, credited on 30 June ({basis.title['en']})",
        ),
        both(
            f"日利率按年利率÷{rules.interest.days_in_year}计（示例口径）",
            f"A day's rate is the yearly one ÷ {rules.interest.days_in_year} (an example)",
        ),
    ]
    if held.account.sealed_on is not None:
        on = held.account.sealed_on
        found.append(both(f"账户自{on}起封存", f"The account has been sealed since {on}"))
    if held.book.closed:
        found.append(both("账户已销户提取", "The account was paid out and closed"))
    return found


def _money(key: str, title: Text, amount_minor: int) -> Figure:
    return Figure(key, title, "money", amount_minor)
