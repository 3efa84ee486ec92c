"""What papers call things. English here, Chinese in locale/zh.po."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, Protocol

from civicmall.kernel import i18n

STATES: Final[dict[str, str]] = {
    "valid": "Valid: nothing was refunded",
    "part_refunded": "Partly refunded",
    "refunded": "Refunded in full",
}
KINDS: Final[dict[str, str]] = {
    "opening": "Brought forward",
    "payment": "Payment",
    "refund": "Refund",
    "fee": "Channel fees",
    "payout": "Paid out",
    "other": "Other",
    "closing": "Carried forward",
}
CHANNELS: Final[dict[str, str]] = {
    "sandbox": "Sandbox bank",
    "alipay": "Alipay",
    "wechatpay": "WeChat Pay",
    "medical_insurance": "Medical insurance",
}


class Say(Protocol):
    """A message in a paper's language."""

    def __call__(self, msgid: str, **values: Any) -> str: ...


def speaker(lang: str) -> Say:
    """`t` of one language."""
    return partial(i18n.translate, lang)


def channel(lang: str, name: str) -> str:
    """A channel or purse by its name; as the ledger has it where nobody gave it a better one."""
    t = speaker(lang)
    return t(CHANNELS[name]) if name in CHANNELS else name
