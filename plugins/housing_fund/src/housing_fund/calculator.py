"""贷款计算器: a loan from the fund, alone or with a bank's beside it."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import zip_longest
from typing import Final, Literal

from msgspec import Struct

from shopkit import BadForm, Basis, Calculation, Cell, Column, Figure, Reason, Table
from shopkit.texts import both

from . import words
from .rates import Home, Rules, in_force, parts
from .schedules import Every, Instalment, Method, cost, schedule, steady

RHYTHM: Final[dict[str, Every]] = {"month": 1, "year": 12}
COLUMNS: Final = [
    Column("number", both("期数", "No."), "integer"),
    Column("payment", both("还款额", "Instalment"), "money"),
    Column("principal", both("本金", "Principal"), "money"),
    Column("interest", both("利息", "Interest"), "money"),
    Column("balance", both("剩余本金", "Principal left"), "money"),
]
MIXED: Final = [
    Column("fund", both("其中公积金贷款", "Of it, fund loan"), "money"),
    Column("bank", both("其中商业贷款", "Of it, bank loan"), "money"),
]


class Asked(Struct, frozen=True):
    """The filled-in form; `spread_bp` is what the bank adds to the prime rate, in 0.01 %."""

    principal_minor: int
    years: int
    home: Home
    method: Method
    rhythm: Literal["month", "year"] = "month"
    commercial_minor: int = 0
    spread_bp: int = 0


class Part(Struct, frozen=True):
    """One loan of the two, with the rate in per cent and what it rests on."""

    amount_minor: int
    percent: str
    instalments: list[Instalment]
    basis: list[Basis]


def calculate(rules: Rules, asked: Asked, today: date) -> Calculation:
    """Instalment, interest and the whole schedule. Raises BadForm."""
    if asked.spread_bp and not asked.commercial_minor:
        raise BadForm(Reason(both("没有商业贷款时不填加点", "Only for a bank loan"), "spread_bp"))
    fund = _fund(rules, asked, today)
    bank = _bank(rules, asked, today)
    every = RHYTHM[asked.rhythm]
    notes = [both("贷款额度和利率以审批为准", "Amount and rate are decided with the loan")]
    if asked.home == "second":
        notes.append(
            both("第二套利率为政策下限", "For a second home this is the lowest rate allowed")
        )
    return Calculation(
        figures=_figures(fund, bank, every),
        formula=words.FORMULAS[asked.method],
        basis=[*fund.basis, *(bank.basis if bank else [])],
        table=_table(fund, bank),
        notes=notes,
    )


def _fund(rules: Rules, asked: Asked, today: date) -> Part:
    months = asked.years * 12
    percent, source = rules.granted_at(asked.home, months, today)
    article = both("第二十六条", "art. 26")
    return Part(
        asked.principal_minor,
        percent,
        _plan(asked, asked.principal_minor, parts(percent)),
        [rules.basis(source), rules.basis("regulations", article=article)],
    )


def _bank(rules: Rules, asked: Asked, today: date) -> Part | None:
    if not asked.commercial_minor:
        return None
    prime = in_force(rules.prime_rates, today)
    hundredths = int(Fraction(prime.of(asked.years * 12)) * 100) + asked.spread_bp
    percent = f"{hundredths // 100}.{hundredths % 100:02d}"
    return Part(
        asked.commercial_minor,
        percent,
        _plan(asked, asked.commercial_minor, parts(percent)),
        [rules.basis(prime.source)],
    )


def _plan(asked: Asked, amount_minor: int, rate: Fraction) -> list[Instalment]:
    return schedule(
        amount_minor, steady(asked.years * 12, RHYTHM[asked.rhythm], rate), asked.method
    )


def _figures(fund: Part, bank: Part | None, every: int) -> list[Figure]:
    both_parts = [part for part in (fund, bank) if part]
    interest = sum(cost(part.instalments) for part in both_parts)
    amount = sum(part.amount_minor for part in both_parts)
    first, last = (sum(part.instalments[at].payment_minor for part in both_parts) for at in (0, -1))
    once = both("每月", "each month") if every == 1 else both("每年", "each year")
    found = [
        Figure("first", both(f"首期还款（{once['zh-CN']}）", f"First instalment ({once['en']})"), "money", first),
        Figure("last", both("末期还款", "Last instalment"), "money", last),
        Figure("interest", both("利息合计", "Interest in all"), "money", interest),
        Figure("total", both("本息合计", "Paid in all"), "money", amount + interest),
        Figure("instalments", both("期数", "Instalments"), "integer", len(fund.instalments)),
        Figure("fund_rate", both("公积金贷款年利率", "Fund's yearly rate"), "percent", fund.percent),
    ]  # fmt: skip
    if bank:
        found.append(
            Figure("bank_rate", both("商业贷款年利率（LPR加点）", "Bank's yearly rate (LPR and spread)"), "percent", bank.percent)
        )  # fmt: skip
    return found


def _table(fund: Part, bank: Part | None) -> Table:
    rows: list[list[Cell]] = []
    pairs = zip_longest(fund.instalments, bank.instalments if bank else [])
    for number, (ours, theirs) in enumerate(pairs, 1):
        two = [one for one in (ours, theirs) if one]
        row: list[Cell] = [
            number,
            sum(one.payment_minor for one in two),
            sum(one.principal_minor for one in two),
            sum(one.interest_minor for one in two),
            sum(one.balance_minor for one in two),
        ]
        rows.append([*row, *(one.payment_minor for one in two)] if bank else row)
    return Table([*COLUMNS, *MIXED] if bank else COLUMNS, rows)
