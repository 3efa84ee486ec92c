"""还款方式变更: what another way of repaying one's own loan costs or saves, and asking for it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from shopkit import (
    ApplyForm,
    BadForm,
    Calculation,
    Call,
    Cell,
    Column,
    Figure,
    Prefill,
    Reason,
    Result,
    Submission,
    Table,
)
from shopkit.applications import Application, Applications, Course, Entry, Stage, steadily
from shopkit.forms import Form
from shopkit.months import month_after
from shopkit.texts import both

from . import words
from .calculator import RHYTHM
from .loans import (
    Keep,
    Standing,
    Way,
    as_it_is,
    next_change,
    otherwise,
    paid_early,
    standing,
)
from .rates import Rules
from .records import Debt, debt, find_debt
from .rules import change_refusals
from .schedules import OTHER, Method

APP: Final = "repayment_change"
CLERK_AFTER: Final = timedelta(minutes=2)
"""How long each stage takes in the sandbox."""
COLUMNS: Final = [
    Column("month", both("还款月份", "Month"), "text"),
    *(
        Column(f"{side}_{key}", both(f"{zh}{zh_key}", f"{en}: {en_key}"), "money")
        for side, zh, en in (("old", "原", "Now"), ("new", "新", "Then"))
        for key, zh_key, en_key in (
            ("payment", "还款额", "instalment"),
            ("principal", "本金", "principal"),
            ("interest", "利息", "interest"),
            ("balance", "剩余本金", "principal left"),
        )
    ),
]


class Asked(Struct, frozen=True):
    """A filled-in form; the application has the first two only."""

    method: Method
    rhythm: Literal["month", "year"]
    prepay_minor: int = 0
    keep: Keep = "term"


def compare(rules: Rules, owes: Debt, asked: Asked, today: date) -> Calculation:
    """Both schedules of what is left, and the interest between them. Raises BadForm."""
    at = next_change(owes.ways, today)
    now = standing(owes.loan, owes.ways, at)
    every = RHYTHM[asked.rhythm]
    if asked.prepay_minor > now.balance_minor:
        raise BadForm(Reason(words.PREPAY_TOO_MUCH, "prepay_minor"))
    if every > now.months_left:
        raise BadForm(Reason(words.too_near_end(every, now.months_left), "rhythm"))
    old = as_it_is(owes.ways, now)
    if asked.prepay_minor:
        new = paid_early(rules, owes.loan, now, asked.method, every, asked.prepay_minor, asked.keep)
    elif (asked.method, every) == (old.method, old.every):
        new = old
    else:
        new = otherwise(rules, owes.loan, now, asked.method, every)
    return Calculation(
        figures=_figures(rules, owes, now, old, new),
        formula=words.FORMULAS[asked.method],
        basis=[
            rules.basis(rules.granted_at(owes.loan.home, owes.loan.months, at)[1]),
            rules.basis("regulations", article=both("第二十六条", "art. 26")),
        ],
        table=_table(now, old, new),
        notes=_notes(owes, now),
    )


def _notes(owes: Debt, now: Standing) -> list[Any]:
    found = [
        both(
            f"自{now.at}起按新方式计算，此前各期按原方式还款；提前还款在当日一次还清所填本金",
            f"The new way is reckoned from {now.at}; until then it is repaid as before. An early "
            "repayment is made on that day",
        )
    ]
    if owes.loan.overdue_minor:
        found.append(words.arrears(owes.loan.overdue_minor))
    return found


def _figures(rules: Rules, owes: Debt, now: Standing, old: Way, new: Way) -> list[Figure]:
    percent = rules.charged_in(owes.loan.home, owes.loan.months, owes.loan.granted_on, now.at)
    saved = old.interest_minor - new.interest_minor

    def ends(way: Way) -> str:
        return month_after(now.at, way.months - 1).isoformat()

    def first(way: Way) -> int:
        return way.instalments[0].payment_minor if way.instalments else 0

    return [
        Figure("saved", both("节省利息（负数为多付）", "Interest saved (negative: more to pay)"), "money", saved),
        Figure("old_interest", both("原方式剩余利息", "Interest still to come, now"), "money", old.interest_minor),
        Figure("new_interest", both("新方式剩余利息", "Interest still to come, then"), "money", new.interest_minor),
        Figure("old_first", both("原方式下一期还款", "Next instalment, now"), "money", first(old)),
        Figure("new_first", both("新方式首期还款", "First instalment, then"), "money", first(new)),
        Figure("from", both("变更起始日", "From"), "date", now.at.isoformat()),
        Figure("balance", both("剩余本金", "Principal left"), "money", now.balance_minor),
        Figure("months_left", both("剩余月数", "Months left"), "integer", now.months_left),
        Figure("new_months", both("新方式还款月数", "Months to repay, then"), "integer", new.months),
        Figure("old_ends", both("原方式还清月份", "Paid off, now"), "date", ends(old)),
        Figure("new_ends", both("新方式还清月份", "Paid off, then"), "date", ends(new)),
        Figure("rate", both("年利率", "Yearly rate"), "percent", percent),
    ]  # fmt: skip


def _table(now: Standing, old: Way, new: Way) -> Table:
    """One row for each month in which either way has an instalment."""
    sides = [{one.until: one for one in way.instalments} for way in (old, new)]
    rows: list[list[Cell]] = []
    for until in sorted(sides[0].keys() | sides[1].keys()):
        row: list[Cell] = [f"{month_after(now.at, until - 1):%Y-%m}"]
        for side in sides:
            one = side.get(until)
            row += (
                [one.payment_minor, one.principal_minor, one.interest_minor, one.balance_minor]
                if one
                else [None] * 4
            )
        rows.append(row)
    return Table(COLUMNS, rows)


def course(rules: Rules) -> Course:
    """How an application goes."""
    return Course(
        app=APP,
        prefix="HK",
        title=both("住房公积金贷款还款方式变更", "Change of the repayment of a housing fund loan"),
        stages=(
            Stage("accepted", both("受理", "Accepted")),
            Stage("checked", both("审核", "Checked"), responsible=words.CHECKERS),
            Stage("recorded", both("变更登记", "Recorded"), responsible=words.LOANS),
        ),
        working_days=rules.promise.change_working_days,
        responsible=words.DESK,
        words={},
        withdraw_until="checked",
        result=_result,
    )


def _result(application: Application) -> Result:
    kept = application.kept
    return Result(words.changed(kept["method"], kept["every"]))


def form(rules: Rules, owes: Debt, schema: Form) -> ApplyForm:
    """The same fields as the calculation has, without the early repayment. The example is the
    method that isn't today's: asking for today's is refused, so it isn't filled in either.
    """
    last = owes.ways[-1][0]
    fields = {name: schema.properties[name] for name in ("method", "rhythm")}
    fields["method"] = msgspec.structs.replace(fields["method"], example=OTHER[last.method])
    rhythm = Prefill("month" if last.every == 1 else "year", both("贷款合同", "The loan contract"))
    once, left = rules.change.once_in_months, rules.change.months_left_min
    return ApplyForm(
        title=both("还款方式变更申请", "Application to change the repayment"),
        schema=Form("object", fields, list(fields)),
        prefill={"rhythm": rhythm},
        notes=[
            words.today(last.method, last.every),
            both(f"没有逾期；{once}个月内变更一次；剩余期限不少于{left}个月；自下月起执行", f"Nothing overdue; once in {once} months; at least {left} months left; from the next month on"),
        ],
        basis=[rules.basis("regulations", article=both("第二十六条（变更条件为示例）", "art. 26 (the conditions are examples)"), example=rules.change.example)],
        working_days=rules.promise.change_working_days,
    )  # fmt: skip


def applications(rules: Rules) -> Applications:
    """The app's desk."""

    async def judge(call: Call, submission: Submission) -> Entry | list[Reason]:
        owes = await find_debt(call, rules)
        if owes is None:
            return [Reason(words.NO_LOAN)]
        asked = msgspec.convert(submission.form, Asked)
        every = RHYTHM[asked.rhythm]
        now = standing(owes.loan, owes.ways, next_change(owes.ways, call.today))
        refused = change_refusals(
            rules.change, owes.loan, now, asked.method, every, owes.changed_on, call.today
        )  # fmt: skip
        kept = {"loan": owes.loan.id, "method": asked.method, "every": every}
        return refused or Entry(kept, held=owes.loan.id)

    desk = course(rules)
    return Applications(
        desk, judge, taken=Reason(words.ONE_CHANGE_AT_A_TIME), clerk=steadily(desk, CLERK_AFTER)
    )


async def own(call: Call, rules: Rules, desk: Applications) -> Debt:
    """The citizen's loan, after what is due at the desk was done. Raises NotFound."""
    await desk.catch_up(call)
    return await debt(call, rules)
