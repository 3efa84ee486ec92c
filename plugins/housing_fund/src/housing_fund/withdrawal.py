"""提取申请: money out of the account, for the reasons that the Regulations name."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from shopkit import (
    ApplyForm,
    BadForm,
    Call,
    FormQuery,
    Material,
    NotFound,
    Reason,
    Result,
    Submission,
)
from shopkit.applications import (
    Application,
    Applications,
    Course,
    Entry,
    Stage,
    steadily,
    unhanded,
)
from shopkit.forms import Field, Form
from shopkit.months import month_after
from shopkit.texts import both, say, yuan

from . import words
from .rates import Reason as Why
from .rates import Rules
from .records import Holding, facts, find_debt, find_holding
from .rules import ALL, CLOSES, MAY, NEEDS, Ask, asked, limit, refusals

APP: Final = "withdrawal"
CLERK_AFTER: Final = timedelta(minutes=2)
"""How long each stage takes in the sandbox."""
MONEY_MAX: Final = 1_000_000_000
"""Ten million yuan, in fen: dearer homes aren't bought with the fund."""
MONTHS_MAX: Final = 12
"""Rent of a year at a time."""


def _money(zh: str, en: str, example: int, least: int = 1) -> Field:
    return Field("integer", both(zh, en), example, minimum=least, maximum=MONEY_MAX, kind="money")


def _day(zh: str, en: str, month: date) -> Field:
    return Field("string", both(zh, en), month.isoformat(), format="date")


def _yes(zh: str, en: str) -> Field:
    return Field("boolean", both(zh, en), example=False)


def fields(today: date) -> dict[str, Field]:
    """Every field; the days of the examples lie so long ago that they fit the rules of the day."""

    def ago(months: int) -> date:
        return month_after(today, -months)

    return {
        "reason": Field(
            "string", both("提取原因", "Reason"), "rent", enum=list(ALL), labels=words.REASONS
        ),
        "amount_minor": _money("提取金额", "Amount", 300_000),
        "rent_from": _day("房租起始月份（填1日）", "Rent from (the 1st of a month)", ago(4)),
        "rent_months": Field(
            "integer", both("房租月数", "Months of rent"), 3, minimum=1, maximum=MONTHS_MAX
        ),
        "rent_month_minor": _money("月租金", "Rent a month", 250_000),
        "public_rental": _yes("租住公共租赁住房", "Public rental housing"),
        "owns_home": _yes(
            "本人或配偶在本市有自有住房", "You or your spouse own a home in the city"
        ),
        "signed_on": _day("购房合同签订日期", "Contract of purchase signed on", ago(5)),
        "price_minor": _money("房屋总价", "Price", 180_000_000),
        "loan_minor": _money("贷款金额", "Of it, borrowed", 100_000_000, least=0),
        "invoiced_on": _day("费用发票日期", "Invoice of", ago(5)),
        "cost_minor": _money("翻建、大修费用", "Cost of the work", 8_000_000),
        "retired_on": _day("退休日期", "Retired on", ago(2)),
        "left_on": _day("解除劳动关系日期", "Employment ended on", ago(8)),
    }


MATERIALS: Final[dict[Why, tuple[str, ...]]] = {
    "rent": ("lease", "rent_receipt", "no_home"),
    "purchase": ("purchase_contract", "purchase_invoice"),
    "renovation": ("overhaul_approval", "overhaul_invoice"),
    "retirement": ("retirement_certificate",),
    "departure": ("end_of_contract",),
}


def materials(reason: Why) -> list[Material]:
    """What a reason is proved with."""
    return [Material(code, words.MATERIALS[code]) for code in MATERIALS[reason]]


def form(rules: Rules, call: Call, query: FormQuery, held: Holding) -> ApplyForm:
    """The form of one reason; without a variant that of all. Raises NotFound."""
    variant: Any = query.variant
    every = fields(call.today)
    if variant is None:
        names, required = list(every), ["reason"]
        papers = [
            Material(code, words.MATERIALS[code], required=False, note=words.REASONS[reason])
            for reason in ALL
            for code in MATERIALS[reason]
        ]
    elif variant in NEEDS:
        names = [*NEEDS[variant], *MAY.get(variant, ())]
        required, papers = list(NEEDS[variant]), materials(variant)
    else:
        raise NotFound(say(words.NO_VARIANT, call.lang))
    shown: tuple[Why, ...] = ALL if variant is None else (variant,)
    return ApplyForm(
        title=both("住房公积金提取申请", "Withdrawal from the housing fund"),
        schema=Form("object", {name: every[name] for name in names}, required),
        materials=papers,
        notes=[*_notes(rules, held, shown)],
        basis=[
            rules.basis("regulations", article=both("第二十四条、第二十五条", "art. 24 and 25")),
            *(
                rules.basis(ground.source, example=ground.example)
                for reason in shown
                if (ground := rules.reasons[reason]).source != "regulations"
            ),
        ],
        working_days=rules.promise.withdrawal_working_days,
    )


def _notes(rules: Rules, held: Holding, shown: tuple[Why, ...]) -> list[Any]:
    limits = rules.withdrawal
    cap = yuan(limits.rent_month_max_minor)
    balance = yuan(held.book.balance_minor)
    of: dict[Why, Any] = {
        "rent": both(f"租房：每月不超过实际租金和{cap}元，公共租赁住房按实际租金；须连续缴存{limits.rent_deposit_months}个月、本市无自有住房、无公积金贷款", f"Rent: each month at most {cap} yuan and the rent paid (public rental housing: the rent); {limits.rent_deposit_months} months of deposits, no home, no fund loan"),
        "purchase": both(f"购房：不超过总价减贷款，签订合同后{limits.purchase_within_months}个月内申请（期限为示例）", f"Purchase: at most the price less the loan, within {limits.purchase_within_months} months (an example)"),
        "renovation": both(f"翻建、大修：不超过费用，{limits.renovation_within_months}个月内申请（期限为示例）", f"Overhaul: at most its cost, within {limits.renovation_within_months} months (an example)"),
        "retirement": both("退休：全部本息，账户同时注销", "Retirement: everything; the account is closed"),
        "departure": both(f"解除劳动关系：账户封存满{limits.sealed_months}个月（示例），全部本息，账户同时注销", f"Leaving: sealed for {limits.sealed_months} months (an example), everything; the account is closed"),
    }  # fmt: skip
    return [
        both(f"账户余额{balance}元", f"The balance is {balance} yuan"),
        *(of[reason] for reason in shown),
    ]


def course(rules: Rules) -> Course:
    """How an application goes."""
    return Course(
        app=APP,
        prefix="TQ",
        title=_title,
        stages=(
            Stage("accepted", both("受理", "Accepted")),
            Stage("checked", both("审核", "Checked"), responsible=words.CHECKERS),
            Stage("paid_out", both("划款", "Paid out"), responsible=words.TREASURY),
        ),
        working_days=rules.promise.withdrawal_working_days,
        responsible=words.DESK,
        words=words.MATERIALS,
        withdraw_until="checked",
        result=_result,
    )


def _title(application: Application) -> Any:
    reason = words.REASONS[application.kept["reason"]]
    return both(f"住房公积金提取（{reason['zh-CN']}）", f"Housing fund withdrawal ({reason['en'].lower()})")  # fmt: skip


def _result(application: Application) -> Result:
    kept = application.kept
    return Result(words.paid_out(kept["amount_minor"], closed=kept["closes"]))


def applications(rules: Rules) -> Applications:
    """The app's desk."""

    async def judge(call: Call, submission: Submission) -> Entry | list[Reason]:
        held = await find_holding(call, rules)
        if held is None or held.book.closed:
            return [Reason(words.NO_ACCOUNT)]
        ask = asked(submission.form, submission.variant)
        if isinstance(ask, list):
            raise BadForm(*ask)  # a gap in the form is no decision: it goes back to be filled in
        known = facts(held, await find_debt(call, rules), call.today)
        if refused := refusals(rules.withdrawal, ask, known):
            return refused
        closes = ask.reason in CLOSES
        amount = limit(rules.withdrawal, ask, known) if closes else ask.amount_minor
        kept = {
            "account": held.account.number, "reason": ask.reason, "amount_minor": amount,
            "closes": closes, "rent_until": _rent_until(ask),
        }  # fmt: skip
        return Entry(
            kept, held=held.account.number, asked=unhanded(materials(ask.reason), submission)
        )

    desk = course(rules)
    return Applications(
        desk, judge, taken=Reason(words.ONE_AT_A_TIME), clerk=steadily(desk, CLERK_AFTER)
    )


def _rent_until(ask: Ask) -> str | None:
    """The first month that the rent doesn't cover."""
    if ask.rent_from is None:
        return None
    return month_after(ask.rent_from, ask.rent_months).isoformat()
