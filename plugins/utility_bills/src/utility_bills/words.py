"""What citizens read, in Chinese and English. Pure."""

from __future__ import annotations

from datetime import date
from typing import Final

from shopkit import Text
from shopkit.texts import both, yuan

from .models import Standing
from .prices import Component, LateFee, Source
from .tariff import MILLI, ONE_DAY, Line

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
NAMES: Final[dict[str, Text]] = {
    "water": {"zh-CN": "水费", "en": "Water"},
    "power": {"zh-CN": "电费", "en": "Electricity"},
    "gas": {"zh-CN": "燃气费", "en": "Gas"},
    "heating": {"zh-CN": "供热费", "en": "Heating"},
}
METERS: Final[dict[str, Text]] = {
    "water": {"zh-CN": "水表", "en": "water meter"},
    "power": {"zh-CN": "电表", "en": "electricity meter"},
    "gas": {"zh-CN": "燃气表", "en": "gas meter"},
}
TIERS: Final = "一二三四五六七八九"
LATE_FEE: Final[Text] = {"zh-CN": "违约金", "en": "Late fee"}

PAID: Final = both("这张账单已经缴清。", "This bill has been paid already.")
AMOUNT: Final = both(
    "金额与付款当日应缴金额不符。", "The amount is not what was owed on the day of payment."
)
UNKNOWN: Final = both("您名下没有这张账单。", "There is no such bill in your name.")
UNPAID: Final = both("这张账单没有这笔付款。", "This bill has no such payment.")
TOO_MUCH: Final = both("退款超过已付金额。", "More is refunded than was paid.")
OTHER_REFUND: Final = both(
    "同一退款编号已用于另一笔退款。", "This refund's number was used for another refund."
)


def amount(quantity_milli: int) -> str:
    """Thousandths as a decimal number without idle zeros: 12500 is 12.5."""
    whole, rest = divmod(quantity_milli, MILLI)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")


def period(bill: Standing) -> str:
    """For machines and sorting: 2026-10, 2026-09/2026-10, 2026/2027."""
    first, last = bill.period_from, bill.period_until - ONE_DAY
    if bill.utility == "heating":
        return f"{first.year}/{last.year}"
    return f"{first:%Y-%m}" if _month(first) == _month(last) else f"{first:%Y-%m}/{last:%Y-%m}"


def title(bill: Standing) -> Text:
    """What the bill is for."""
    name = NAMES[bill.utility]
    first, last = bill.period_from, bill.period_until - ONE_DAY
    if bill.utility == "heating":
        when = {
            "zh-CN": f"{first.year}—{last.year}采暖季",
            "en": f"season {first.year}/{last.year}",
        }
    elif _month(first) == _month(last):
        when = {"zh-CN": _zh(first), "en": _en(first)}
    elif first.year == last.year:
        when = {
            "zh-CN": f"{_zh(first)}至{last.month}月",
            "en": f"{MONTHS[first.month - 1]} to {_en(last)}",
        }
    else:
        when = {"zh-CN": f"{_zh(first)}至{_zh(last)}", "en": f"{_en(first)} to {_en(last)}"}
    return {"zh-CN": f"{when['zh-CN']}{name['zh-CN']}", "en": f"{name['en']}, {when['en']}"}


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month


def _zh(day: date) -> str:
    return f"{day.year}年{day.month}月"


def _en(day: date) -> str:
    return f"{MONTHS[day.month - 1]} {day.year}"


def beneficiary(bill: Standing) -> Text:
    """Which account and which meter, or which floor area. No name and no address is kept here."""
    if bill.meter is None:
        area = amount(bill.floor_area_milli or 0)
        return {
            "zh-CN": f"户号 {bill.account}，建筑面积 {area} 平方米",
            "en": f"Account {bill.account}, floor area {area} m²",
        }
    kind = METERS[bill.utility]
    return {
        "zh-CN": f"户号 {bill.account}，{kind['zh-CN']} {bill.meter}",
        "en": f"Account {bill.account}, {kind['en']} {bill.meter}",
    }


def line_title(part: Component, tier: int) -> Text:
    """A line's name, with its tier where it has one."""
    if not tier:
        return part.name
    return {
        "zh-CN": f"{part.name['zh-CN']}（第{TIERS[tier - 1]}阶梯）",
        "en": f"{part.name['en']} (tier {tier})",
    }


def line_note(line: Line, bill: Standing) -> Text | None:
    """Which days a line is for, where those aren't the whole period's."""
    if (line.since, line.until) == (bill.period_from, bill.period_until):
        return None
    last = line.until - ONE_DAY
    return {
        "zh-CN": f"{line.since}至{last}，用量按天数分摊",
        "en": f"{line.since} to {last}, shared out by days",
    }


def cited(source: Source) -> Text:
    """A source in one line: who, what, number."""
    number = f"（{source.number}）" if source.number else ""
    number_en = f" ({source.number})" if source.number else ""
    return {
        "zh-CN": f"{source.authority['zh-CN']}：{source.title['zh-CN']}{number}",
        "en": f"{source.authority['en']}: {source.title['en']}{number_en}",
    }


def late_note(rule: LateFee, days: int) -> Text:
    """How a late fee came about."""
    rate = amount(rule.rate_ppm_per_day)
    least = rule.at_least_minor
    return {
        "zh-CN": f"逾期{days}天，每日按欠费的{rate}‰计，不超过欠费本金"
        + (f"，不足{yuan(least)}元按{yuan(least)}元计" if least else ""),
        "en": f"{days} days overdue, {rate}‰ of the bill a day, never more than the bill itself"
        + (f", at least {yuan(least)} yuan" if least else ""),
    }


def used_so_far(basis: str, day: date, used_milli: int, uppers: list[int], unit: Text) -> Text:
    """Where the household stands among the tiers on `day`, this bill included."""
    zh, en = (f"{day.year}年", str(day.year)) if basis == "year" else (_zh(day), _en(day))
    tops_zh = "、".join(amount(upper) for upper in uppers)
    tops_en = " and ".join(amount(upper) for upper in uppers)
    return {
        "zh-CN": f"{zh}累计用量{amount(used_milli)}{unit['zh-CN']}（含本期）；"
        f"各阶梯上限为{tops_zh}{unit['zh-CN']}",
        "en": f"{amount(used_milli)} {unit['en']} used in {en}, this bill included; "
        f"the tiers end at {tops_en} {unit['en']}",
    }


def arrears(count: int, principal_minor: int) -> Text:
    """That older bills of the account are overdue."""
    return {
        "zh-CN": f"该户号另有{count}张逾期未缴账单，本金合计{yuan(principal_minor)}元",
        "en": f"Other overdue bills on this account: {count}, {yuan(principal_minor)} yuan before late fees",
    }


def refunded(amount_minor: int) -> Text:
    """That money of this bill's payments went back."""
    return both(f"已退款{yuan(amount_minor)}元", f"{yuan(amount_minor)} yuan were refunded")


EXAMPLE_TERMS: Final[Text] = {
    "zh-CN": "缴费期限为示例，未见公布的规定",
    "en": "The time allowed for payment is an example, not a published rule",
}
EXAMPLE_LATE_FEE: Final[Text] = {
    "zh-CN": "逾期违约金的比例为示例，未见公布的规定",
    "en": "The rate of the late fee is an example, not a published rule",
}
