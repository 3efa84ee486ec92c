"""What citizens read, in both languages."""

from __future__ import annotations

from datetime import date
from typing import Final

from shopkit import Text
from shopkit.texts import both, listed, yuan

DESK: Final = both("住房公积金管理中心受理窗口", "Reception, Housing Fund Centre")
CHECKERS: Final = both("住房公积金管理中心审核科", "Review office, Housing Fund Centre")
TREASURY: Final = both("住房公积金管理中心结算科", "Settlement office, Housing Fund Centre")
LOANS: Final = both("住房公积金管理中心贷款科", "Loan office, Housing Fund Centre")

REASONS: Final[dict[str, Text]] = {
    "rent": both("租房", "Rent"),
    "purchase": both("购买自住住房", "Buying a home to live in"),
    "renovation": both("翻建、大修自住住房", "Rebuilding or overhauling one's home"),
    "retirement": both("离休、退休", "Retirement"),
    "departure": both("与单位解除劳动关系", "Leaving one's employer"),
}
METHODS: Final[dict[str, Text]] = {
    "equal_instalments": both("等额本息", "Equal instalments"),
    "equal_principal": both("等额本金", "Equal principal"),
}
RHYTHMS: Final[dict[int, Text]] = {
    1: both("按月还款", "By the month"),
    12: both("按年还款", "By the year"),
}
KINDS: Final[dict[str, Text]] = {
    "opening": both("开户转入", "Brought in"),
    "deposit": both("缴存", "Deposit"),
    "interest": both("结息", "Interest"),
    "withdrawal": both("提取", "Withdrawal"),
}
MATERIALS: Final[dict[str, Text]] = {
    "lease": both("房屋租赁合同", "The lease"),
    "rent_receipt": both("房租支付凭证", "Receipts for the rent"),
    "no_home": both("本市无自有住房证明", "Proof of owning no home in the city"),
    "purchase_contract": both("购房合同", "The contract of purchase"),
    "purchase_invoice": both("购房发票或首付款凭证", "The invoice, or proof of the down payment"),
    "overhaul_approval": both("规划或房屋管理部门的批准文件", "The permit of the planning or housing office"),
    "overhaul_invoice": both("翻建、大修费用发票", "Invoices for the work"),
    "retirement_certificate": both("退休证或退休审批表", "The retirement certificate or decision"),
    "end_of_contract": both("解除劳动关系证明", "Proof that the employment ended"),
}  # fmt: skip

NO_ACCOUNT: Final = both("您在本中心没有住房公积金账户", "You have no housing fund account here.")
NO_LOAN: Final = both("您没有尚未结清的住房公积金贷款", "You have no housing fund loan that is still out.")  # fmt: skip
NO_VARIANT: Final = both("没有这种提取原因", "There is no such reason for a withdrawal.")
NEEDED: Final = both("这种提取原因必须填写此项", "This is needed for this reason")
NOT_OF_THIS: Final = both("这种提取原因不填写此项", "This doesn't belong to this reason")
OWNS_HOME: Final = both("在本市有自有住房的，不能提取公积金付房租", "The fund pays no rent for those who own a home in the city")  # fmt: skip
HAS_LOAN: Final = both("有未结清的公积金贷款，不能提取付房租", "The fund pays no rent while its own loan is out")  # fmt: skip
LOAN_OPEN: Final = both("公积金贷款结清后才能销户提取", "The account can be closed once your fund loan is paid off")  # fmt: skip
FIRST_OF_MONTH: Final = both("请填写房租起始月份的1日", "Give the first day of the month")
RENT_TO_COME: Final = both("只能提取到本月为止的房租", "Rent is paid up to this month, not for months to come")  # fmt: skip
IN_FUTURE: Final = both("日期不能晚于今天", "This day is still to come")
LOAN_COVERS: Final = both("贷款金额必须小于房屋总价", "The loan must be less than the price")
NOT_SEALED: Final = both("单位还没有办理账户封存，请先联系单位", "Your employer hasn't sealed the account yet; please ask them first")  # fmt: skip
EMPTY: Final = both("账户没有余额", "The account is empty")
ONE_AT_A_TIME: Final = both("该账户有一笔提取申请正在办理", "Another withdrawal from this account is under way")  # fmt: skip
ONE_CHANGE_AT_A_TIME: Final = both("该贷款有一笔变更申请正在办理", "Another change of this loan is under way")  # fmt: skip
SAME_WAY: Final = both("与现在的还款方式相同", "This is how you repay already")
PREPAY_TOO_MUCH: Final = both("提前还款不能超过剩余本金", "No more than what is left of the principal")  # fmt: skip


def deposits(needed: int, seen: int) -> Text:
    """Too few months in a row."""
    return both(f"须连续足额缴存满{needed}个月，现为{seen}个月", f"{needed} months of deposits in a row are needed; there are {seen}")  # fmt: skip


def covered(until: date) -> Text:
    """Rent that was paid out already."""
    return both(f"{until:%Y年%m月}以前的房租已提取过", f"Rent before {until:%Y-%m} was paid out already")  # fmt: skip


def too_old(months: int) -> Text:
    """Later than the rule allows."""
    return both(f"须在{months}个月内申请", f"This must be applied for within {months} months")


def sealed(months: int, since: date) -> Text:
    """Not sealed long enough."""
    return both(f"账户封存满{months}个月后可提取（{since}封存）", f"The account must have been sealed for {months} months (since {since})")  # fmt: skip


def above_limit(most: int) -> Text:
    """More than the reason allows."""
    return both(f"按此原因最多可提取{yuan(most)}元", f"At most {yuan(most)} yuan may be withdrawn for this reason")  # fmt: skip


def above_balance(balance: int) -> Text:
    """More than there is."""
    return both(f"超过账户余额{yuan(balance)}元", f"More than the balance of {yuan(balance)} yuan")


def arrears(overdue: int) -> Text:
    """Something is owed."""
    return both(f"有逾期未还{yuan(overdue)}元，还清后再申请", f"{yuan(overdue)} yuan are overdue; please pay them first")  # fmt: skip


def too_near_end(needed: int, left: int) -> Text:
    """Too few months left."""
    return both(f"剩余期限须不少于{needed}个月，现为{left}个月", f"{needed} months must be left; there are {left}")  # fmt: skip


def too_new(needed: int, paid: int) -> Text:
    """Too few months paid."""
    return both(f"须已还款满{needed}个月，现为{paid}个月", f"{needed} months must have been repaid; it is {paid}")  # fmt: skip


def changed_lately(on: date, again: date) -> Text:
    """Changed not long ago."""
    return both(f"12个月内只能变更一次：上次{on}，{again}起可再申请", f"One change in 12 months: the last was on {on}, the next from {again}")  # fmt: skip


def paid_out(amount: int, *, closed: bool) -> Text:
    """What came of a withdrawal."""
    if closed:
        return both(f"本息合计{yuan(amount)}元已划入您的银行账户，公积金账户已注销", f"{yuan(amount)} yuan, interest included, were paid to your bank account; the fund account is closed")  # fmt: skip
    return both(f"{yuan(amount)}元已划入您的银行账户", f"{yuan(amount)} yuan were paid to your bank account")  # fmt: skip


def way(method: str, every: int) -> Text:
    """A way of repaying."""
    return listed((METHODS[method], RHYTHMS[every]), en=", ")


def today(method: str, every: int) -> Text:
    """How it is repaid now."""
    now = way(method, every)
    return both(f"现在的还款方式：{now['zh-CN']}", f"Today: {now['en'].lower()}")


def changed(method: str, every: int) -> Text:
    """What came of a change."""
    now = way(method, every)
    return both(f"还款方式已变更为{now['zh-CN']}，自下月起执行", f"You repay by {now['en'].lower()} from the next month on")  # fmt: skip


FORMULAS: Final[dict[str, Text]] = {
    "equal_instalments": both(
        "每期还款额＝本金×∏(1＋期利率)÷Σ∏(1＋其后各期利率)，期利率＝年利率×每期月数÷12；每期金额和利息四舍五入到分，最后一期还清余额",
        "Instalment = principal × Π(1 + i) ÷ Σ Π(1 + later i), i = yearly rate × months ÷ 12; "
        "instalment and interest are rounded half up to the fen, the last one takes the rest",
    ),
    "equal_principal": both(
        "每期本金＝贷款本金×每期月数÷总月数，利息＝剩余本金×年利率×每期月数÷12；四舍五入到分，最后一期还清余额",
        "Principal of an instalment = loan × its months ÷ all months, interest = what is left × "
        "yearly rate × months ÷ 12; rounded half up to the fen, the last one takes the rest",
    ),
}
