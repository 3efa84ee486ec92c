"""What citizens read, in both languages."""

from __future__ import annotations

from typing import Final

from shopkit import Text
from shopkit.steps import Glossary
from shopkit.texts import both

from .models import Fee, Kind, Rule

TITLES: Final[dict[Kind, Text]] = {
    "first": both("居民身份证首次申领", "First identity card"),
    "under_16": both("居民身份证申领（未满十六周岁）", "Identity card for a child under 16"),
    "renewal": both("居民身份证换领", "Identity card renewal"),
    "replacement": both(
        "居民身份证补领（丢失、损坏）", "Identity card replacement (lost or damaged)"
    ),
    "permit_new": both("居住证申领", "Residence permit"),
    "permit_endorsement": both("居住证签注", "Yearly endorsement of a residence permit"),
    "permit_replacement": both(
        "居住证换领、补领", "Residence permit replacement (lost or damaged)"
    ),
}
ACCEPTED: Final = both("受理", "Accepted")
PRODUCED: Final = both("制证", "Card produced")
ARRIVED: Final = both("到达领证点", "Arrived where you collect it")
COLLECTED: Final = both("领取", "Collected")
PHOTO: Final = both(
    "符合制证标准的近期免冠照片", "A recent bareheaded photo that meets the card standard"
)
NO_ANSWER: Final = both(
    "逾期未补齐材料，可以重新申请", "What was missing didn't come in time; you may apply again"
)

CARD: Final = Glossary(
    steps={
        "accepted": ACCEPTED,
        "fee": both("工本费", "Fee"),
        "checked": both("核验照片和指纹", "Photo and fingerprints checked"),
        "reviewed": both("审核签发", "Reviewed and issued"),
        "sent": both("送制", "Sent to production"),
        "produced": PRODUCED,
        "arrived": ARRIVED,
        "collected": COLLECTED,
    },
    missing={
        "photo": PHOTO,
        "household_book": both("居民户口簿", "The household register booklet"),
        "guardian_card": both("监护人的居民身份证", "The guardian's identity card"),
        "old_card": both("原居民身份证", "The old identity card"),
        "fingerprints": both("到窗口重新采集指纹", "Fingerprints, taken again at the counter"),
    },
    reasons={
        "not_matching": both(
            "照片或指纹与登记信息不一致，请携带户口簿到受理派出所当面核实",
            "Photo or fingerprints don't match the register; bring the household register booklet "
            "to the office that took the application",
        ),
        "no_answer": NO_ANSWER,
        "applied_elsewhere": both(
            "已在另一受理点提交同一申请", "The same application was handed in at another office"
        ),
    },
)
PERMIT: Final = Glossary(
    steps={
        "accepted": ACCEPTED,
        "verified": both("核实居住、就业或就读情况", "Residence, work or study verified"),
        "issued": both("签发", "Issued"),
        "endorsed": both("签注", "Endorsed"),
        "produced": PRODUCED,
        "arrived": ARRIVED,
        "collected": COLLECTED,
    },
    missing={
        "photo": PHOTO,
        "residence_proof": both(
            "居住地住址证明（租赁合同、产权证明、购房合同或住宿证明）",
            "Proof of address (lease, title deed, purchase contract, or a landlord's, employer's or "
            "school's certificate)",
        ),
        "work_proof": both(
            "就业证明（劳动合同、营业执照或单位证明）",
            "Proof of work (labour contract, business licence or employer's certificate)",
        ),
        "study_proof": both(
            "就读证明（学生证或学校证明）",
            "Proof of study (student card or the school's certificate)",
        ),
        "old_permit": both("原居住证", "The old residence permit"),
    },
    reasons={
        "under_half_year": both(
            "在本市居住未满半年（《居住证暂行条例》第二条），满半年后可以重新申请",
            "Less than half a year of residence here (Interim Regulations on Residence Permits, "
            "art. 2); you may apply again after it",
        ),
        "not_living_there": both(
            "核实时不在申报的地址居住", "Not found to live at the address given"
        ),
        "no_answer": NO_ANSWER,
    },
)

AUTHORITY: Final = both("区公安分局", "District Public Security Office")
CENTRE: Final = both("证件制作中心", "Card Production Centre")
BY_GUARDIAN: Final = both("由监护人代为申请", "Applied for by the guardian")
COLLECT: Final = both(
    "请携带领取凭证领取；有原证的须交回",
    "Collect it with the receipt of your application; an old card is handed back",
)
CARD_COLLECTED: Final = both("居民身份证已领取", "The identity card was collected")
CARD_NAME: Final = both("居民身份证", "Identity card")
PERMIT_NAME: Final = both("居住证", "Residence permit")
UNKNOWN: Final = both(
    "没有您提交的这项身份证申请", "You have handed in no such identity card application."
)
UNKNOWN_PERMIT: Final = both(
    "没有您提交的这项居住证申请", "You have handed in no such residence permit application."
)


def on_its_way(to: Text) -> Text:
    """Between production and the office where it is collected."""
    return both(f"运往{to['zh-CN']}途中", f"On its way to {to['en']}")


def fee(fee: Fee, waived: Rule | None = None) -> Text:
    """What it costs, by which rule; `waived` is the rule by which it was let off."""
    basis = fee.title
    if fee.amount_minor == 0:
        return both(f"免费（{basis['zh-CN']}）", f"Free ({basis['en']})")
    if waived:
        return both(f"已免收（{waived.title['zh-CN']}）", f"Waived ({waived.title['en']})")
    yuan = fee.amount_minor // 100
    return both(
        f"工本费{yuan}元（{basis['zh-CN']}），在受理窗口缴纳",
        f"Card fee {yuan} yuan ({basis['en']}), paid at the counter",
    )
