"""What citizens read, in both languages."""

from __future__ import annotations

from typing import Final

from shopkit import Text

from .models import Kind


def both(zh: str, en: str) -> Text:
    """A text in Chinese and English."""
    return {"zh-CN": zh, "en": en}


TITLES: Final[dict[Kind, Text]] = {
    "first": both("居民身份证首次申领", "First identity card"),
    "under_16": both("居民身份证申领（未满十六周岁）", "Identity card for a child under 16"),
    "renewal": both("居民身份证换领", "Identity card renewal"),
    "replacement": both(
        "居民身份证补领（丢失、损坏）", "Identity card replacement (lost or damaged)"
    ),
}
STEPS: Final[dict[str, Text]] = {
    "accepted": both("受理", "Accepted"),
    "fee": both("工本费", "Fee"),
    "checked": both("核验照片和指纹", "Photo and fingerprints checked"),
    "reviewed": both("审核签发", "Reviewed and issued"),
    "sent": both("送制", "Sent to production"),
    "produced": both("制证", "Card produced"),
    "arrived": both("到达领证点", "Arrived where you collect it"),
    "collected": both("领取", "Collected"),
}
MISSING: Final[dict[str, Text]] = {
    "photo": both(
        "符合制证标准的近期免冠照片", "A recent bareheaded photo that meets the card standard"
    ),
    "household_book": both("居民户口簿", "The household register booklet"),
    "guardian_card": both("监护人的居民身份证", "The guardian's identity card"),
    "old_card": both("原居民身份证", "The old identity card"),
    "fingerprints": both("到窗口重新采集指纹", "Fingerprints, taken again at the counter"),
}
REASONS: Final[dict[str, Text]] = {
    "not_matching": both(
        "照片或指纹与登记信息不一致，请携带户口簿到受理派出所当面核实",
        "Photo or fingerprints don't match the register; bring the household register booklet to "
        "the office that took the application",
    ),
    "no_answer": both(
        "逾期未补齐材料，可以重新申请", "What was missing didn't come in time; you may apply again"
    ),
    "applied_elsewhere": both(
        "已在另一受理点提交同一申请", "The same application was handed in at another office"
    ),
}
AUTHORITY: Final = both("区公安分局", "District Public Security Office")
CENTRE: Final = both("证件制作中心", "Card Production Centre")
APPLICANT: Final = both("申请人", "The applicant")
BY_GUARDIAN: Final = both("由监护人代为申请", "Applied for by the guardian")
COLLECT: Final = both(
    "请携带领取凭证领取；有原证的须交回",
    "Collect it with the receipt of your application; an old card is handed back",
)
UNKNOWN: Final = both(
    "没有您提交的这项身份证申请", "You have handed in no such identity card application."
)


def listed(texts: list[Text]) -> Text:
    """Several texts as one."""
    return both("、".join(t["zh-CN"] for t in texts), "; ".join(t["en"] for t in texts))
