"""How Alipay's open platform signs and names things.

Source: open platform documentation, 开放平台 → 签名 (自行实现签名, 自行实现验签) and 异步通知说明.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from civicmall.payments.errors import ForgedCallback

DONE: Final = "10000"
REFUSED: Final = "40004"
"""The business itself was refused; `sub_code` says why. Every other code leaves open what happened."""
NO_TRADE: Final = "ACQ.TRADE_NOT_EXIST"
"""Also where nobody has opened the link yet: a trade is made when its payer signs in."""
PAID: Final = {"TRADE_SUCCESS", "TRADE_FINISHED"}
NO_REFUND: Final = {
    "ACQ.TRADE_NOT_EXIST", "ACQ.TRADE_STATUS_ERROR", "ACQ.TRADE_HAS_FINISHED", "ACQ.TRADE_HAS_CLOSE",
    "ACQ.TRADE_NOT_ALLOW_REFUND", "ACQ.SELLER_BALANCE_NOT_ENOUGH", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
    "ACQ.REASON_TRADE_BEEN_FREEZEN", "ACQ.REASON_TRADE_REFUND_FEE_ERR", "ACQ.REFUND_FEE_ERROR",
    "ACQ.REASON_TRADE_STATUS_INVALID", "ACQ.DISCORDANT_REPEAT_REQUEST", "ACQ.INVALID_PARAMETER",
    "ACQ.BUYER_ERROR", "ACQ.BUYER_NOT_EXIST", "ACQ.USER_NOT_MATCH_ERR", "ACQ.CUSTOMER_VALIDATE_ERROR",
    "ACQ.REFUND_CHARGE_ERROR", "ACQ.ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND",
}  # fmt: skip
"""`alipay.trade.refund`: no money moved, and none will by asking the same again."""
NO_BILL: Final = "isp.bill_not_exist"
FIELDS_MAX: Final = 100
NOT_SIGNED: Final = {"sign", "sign_type"}


def canonical(params: Mapping[str, str]) -> str:
    """What is signed: sorted by name, as they are before any encoding, joined by `&`."""
    return "&".join(f"{name}={value}" for name, value in sorted(params.items()))


def sliced(body: bytes, method: str) -> tuple[bytes, str]:
    """The bytes of an answer that are signed, and the signature; raises ValueError.

    The signature is over the answer's own JSON as it stands in the body, blanks and escapes
    included, and a JSON parser that keeps the raw text finds it more surely than counting braces.
    """
    found = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    raw = found.get(method.replace(".", "_") + "_response")
    if raw is None or "sign" not in found:
        raise ValueError("no signed answer")
    return bytes(raw), msgspec.json.decode(found["sign"], type=str)


def form(body: bytes) -> dict[str, str]:
    """A notice's fields (urlencoded UTF-8), each at most once. Raises ForgedCallback."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict",
            max_num_fields=FIELDS_MAX,
        )  # fmt: skip
    except ValueError as error:
        raise ForgedCallback(reason="malformed") from error
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ForgedCallback(reason="malformed")
    return found


def signed_part(said: Mapping[str, str]) -> bytes:
    """What a notice's signature is over."""
    return canonical({k: v for k, v in said.items() if k not in NOT_SIGNED}).encode()


def business(content: Mapping[str, Any]) -> str:
    """`biz_content`: compact JSON in UTF-8."""
    return msgspec.json.encode(content).decode()
