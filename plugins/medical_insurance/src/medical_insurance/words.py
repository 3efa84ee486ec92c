"""What citizens read, in both languages."""

from __future__ import annotations

from datetime import date
from typing import Final

from shopkit import Text
from shopkit.texts import both, yuan

from .rules import EXAMPLE, RULES, Category, Claim, Reckoned

CATEGORIES: Final[dict[str, Text]] = {
    "adult": both("成年居民（劳动年龄内）", "Adult of working age"),
    "student": both("学生儿童", "Pupil, student or child"),
    "newborn": both("新生儿", "Newborn"),
    "elderly": both("老年人", "Elderly resident"),
}
WHOSE: Final[dict[str, Text]] = {
    "self": both("本人", "Yourself"),
    "child": both("子女", "Your child"),
    "parent": both("父母", "Your parent"),
    "relative": both("亲属", "Your relative"),
}
KINDS: Final[dict[str, Text]] = {
    "credit": both("每月划入", "Monthly credit"),
    "interest": both("结息", "Interest"),
    "outpatient": both("门诊个人支付", "Outpatient, own share"),
    "pharmacy": both("定点药店购药", "Pharmacy"),
    "family": both("家庭共济支付", "Paid for family"),
}
DESK: Final = both("医保参保服务窗口", "Enrolment desk")
AUDIT: Final = both("医保费用审核科", "Claims audit office")
FUND: Final = both("医保基金财务科", "Fund finance office")

ENROLMENT_STEPS: Final = {
    "accepted": both("受理", "Accepted"),
    "checked": both("核验身份和参保状态", "Identity and insurance status checked"),
    "registered": both("登记参保", "Registered"),
}
CLAIM_STEPS: Final = {
    "accepted": both("收件登记", "Handed in and registered"),
    "checked": both("票据初审", "Receipts checked"),
    "reviewed": both("费用复核、按规则计算", "Costs reviewed, refund reckoned"),
    "approved": both("审批", "Approved"),
    "paid": both("拨付到账", "Paid out"),
}
CODES: Final = {
    "birth_certificate": both("出生医学证明", "Medical certificate of birth"),
    "household_book": both(
        "居民户口簿（参保人页）", "Household register booklet (the insured's page)"
    ),
    "residence_permit": both("居住证", "Residence permit"),
    "insured": both("经核查本年度已参加基本医疗保险", "Found to be insured for the year already"),
    "not_matching": both("证件信息核验不一致", "The papers don't match the register"),
    "invoice": both("医疗费用发票原件", "The original invoice"),
    "cost_list": both("费用明细清单", "The itemised list of costs"),
    "discharge": both("出院记录", "The discharge record"),
    "settled": both("该笔费用已在医院直接结算", "These costs were settled at the hospital already"),
}
LABELS: Final = {
    "year": both("参保年度", "Year of insurance"),
    "category": both("参保类别", "Category"),
    "id_number": both("参保人身份证号", "ID number of the insured"),
    "birth_certificate": both("出生医学证明编号", "Number of the birth certificate"),
    "birth_date": both("参保人出生日期", "Birth date of the insured"),
    "registered": both("户籍", "Registered residence"),
}
REGISTERED: Final = {"local": both("本市户籍", "Of this city"), "residence": both("外地户籍、持居住证", "Elsewhere, with a residence permit")}  # fmt: skip
CERTIFICATE_HELP: Final = both(
    "仅新生儿尚无身份证号时填写", "Only for a newborn without an ID number"
)
FORM: Final = both("城乡居民基本医疗保险参保登记", "Enrolment in residents' medical insurance")
FROM_CLAIM: Final = both("您的实名信息", "your verified identity")
BY_CATEGORY: Final = both("新生儿参保须提供", "For a newborn")
BY_REGISTERED: Final = both("外地户籍须提供", "For those registered elsewhere")
NO_DOUBLE: Final = both(
    "不能同时参加职工医保和居民医保", "Employees' and residents' insurance exclude each other."
)

ONE_ID: Final = both(
    "身份证号和出生医学证明编号填写一项", "Give either the ID number or the certificate's number"
)
ONLY_NEWBORN: Final = both(
    "只有新生儿可用出生医学证明参保", "Only a newborn enrols with a birth certificate"
)
CHECK_DIGIT: Final = both("身份证号校验位不正确", "The ID number's check digit is wrong")
ID_DATE: Final = both("与身份证号中的出生日期不一致", "Not the birth date in the ID number")
FUTURE: Final = both("出生日期不能晚于今天", "The birth date lies in the future")
NOT_OPEN: Final = both("该年度尚未开始或已经结束参保登记", "Enrolment for that year isn't open")
INSURED: Final = both(
    "该年度已参保或已有在办登记", "Insured for that year already, or an enrolment is under way"
)
EMPLOYED: Final = both(
    "已参加职工基本医疗保险，不能重复参保", "Already in employees' medical insurance"
)
AT_COUNTER: Final = both("报销材料请到窗口提交", "Claims are handed in at the counter")

UNKNOWN_BILL: Final = both("您名下没有这笔医保费", "There is no such contribution in your name.")
PAID: Final = both("这笔医保费已经缴清", "This contribution has been paid already.")

NO_ACCOUNT: Final = both("您名下没有医保个人账户（居民医保不设个人账户）", "You have no personal account (residents' insurance has none).")  # fmt: skip
MONTHS_ORDER: Final = both("截止月份早于起始月份", "The last month lies before the first")
MONTHS_MANY: Final = both("一次最多查询24个月", "At most 24 months at a time")


def wrong_age(category: Category) -> Text:
    """Why a birth date doesn't fit a category."""
    rule = RULES.enrolment
    ages = rule.ages
    texts = {
        "newborn": both(f"新生儿参保须在出生{rule.newborn.days}天内", f"A newborn is enrolled within {rule.newborn.days} days of birth"),
        "student": both(f"学生儿童须未满{ages.adult_from}周岁", f"Under {ages.adult_from} only"),
        "adult": both(f"成年居民须满{ages.adult_from}周岁且未到老年人年龄", f"From {ages.adult_from} to the age of elderly residents"),
        "elderly": both(f"老年人参保须男满{ages.elderly_male}周岁、女满{ages.elderly_female}周岁", f"From {ages.elderly_male} (men) or {ages.elderly_female} (women) on"),
    }  # fmt: skip
    return texts[category]


def enrolled(year: int, category: Category, begins_on: date) -> Text:
    """What came of an enrolment."""
    name = CATEGORIES[category]
    return both(
        f"已登记{year}年度居民医保（{name['zh-CN']}），缴费后自{begins_on}起享受待遇，请到“医保缴费”缴费",
        f"Enrolled for {year} ({name['en']}); benefits from {begins_on} once the contribution is paid",
    )


def bill_title(category: str, period: str) -> Text:
    """What a contribution is for."""
    if category == "flexible":
        return both(
            f"灵活就业人员医保费 {period}", f"Medical insurance, flexible employment, {period}"
        )
    return both(f"{period}年度居民医保费", f"Residents' medical insurance {period}")


def beneficiary(whose: str, category: str) -> Text:
    """Whom a contribution insures."""
    who = WHOSE[whose]
    if category == "flexible":
        return both(f"{who['zh-CN']}（灵活就业人员）", f"{who['en']} (flexibly employed)")
    name = CATEGORIES[category]
    return both(f"{who['zh-CN']}（{name['zh-CN']}）", f"{who['en']} ({name['en'].lower()})")


def claim_title(claim: Claim) -> Text:
    """What a claim is about, and for whom."""
    total, who = yuan(claim.total_minor), CATEGORIES[claim.category]
    if claim.kind == "outpatient":
        return both(
            f"门诊费用报销（{who['zh-CN']}）{total}元",
            f"Outpatient costs ({who['en'].lower()}), {total} yuan",
        )
    return both(
        f"住院费用报销（{who['zh-CN']}）{total}元",
        f"Hospital stay ({who['en'].lower()}), {total} yuan",
    )


def refunded(claim: Claim, found: Reckoned) -> Text:
    """The refund with its rule."""
    eligible, less, amount = (yuan(x) for x in (claim.eligible_minor, found.deductible_minor, found.amount_minor))  # fmt: skip
    percent = f"{float(found.share * 100):g}%"
    source = RULES.sources[RULES.reimbursement.source]
    cap = both("，已达年度封顶线", ", up to the year's cap") if found.capped else both("", "")
    return both(
        f"（医保内费用{eligible}元－起付线{less}元）×{percent}＝报销{amount}元{cap['zh-CN']}。"
        f"依据：{source.title['zh-CN']}（{source.number}）",
        f"({eligible} covered - {less} deductible) x {percent} = {amount} yuan refunded{cap['en']}. "
        f"Rule: {source.title['en']}",
    )


def line_note(category: str, *, example: bool) -> Text:
    """How the amount of a contribution comes about."""
    mark = EXAMPLE if example else both("", "")
    if category == "flexible":
        rule = RULES.flexible
        percent = f"{rule.share.split('/')[0]}%"
        base = yuan(rule.base_minor)
        return both(
            f"缴费基数{base}元×{percent}{mark['zh-CN']}",
            f"Base {base} yuan x {percent}{mark['en']}",
        )
    least = RULES.minimum
    return both(
        f"个人缴费部分，其余由财政补助；国家最低标准{yuan(least.amount_minor)}元（{least.year}年）{mark['zh-CN']}",
        f"Your own share, the state adds to it; national minimum {yuan(least.amount_minor)} ({least.year}){mark['en']}",
    )


def late_note(category: str) -> Text:
    """What paying late means."""
    if category == "flexible":
        rule = RULES.flexible
        return both(
            f"欠费{rule.arrears_months}个月内足额补缴视为连续缴费；超过的，缴费满{rule.again_months}个月后再享受待遇",
            f"Made up in full within {rule.arrears_months} months it counts as continuous; later, benefits begin again after {rule.again_months} months",
        )
    months = RULES.enrolment.waiting.months
    return both(
        f"未在集中参保期内参保的，缴费后有{months}个月待遇等待期；居民医保费不加收滞纳金",
        f"Outside the collection period benefits begin after {months} months; there is no late fee",
    )
