"""How WeChat Pay's API v3 signs, seals and names things.

Source: WeChat Pay merchant documentation, API v3, 签名认证 (如何生成请求签名, 如何验证签名,
如何解密回调报文).
"""

from __future__ import annotations

import base64
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .models import Sealed

SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
SEALING: Final = "AEAD_AES_256_GCM"
NONCE: Final = 12
PAID: Final = {"SUCCESS", "REFUND"}
"""Paid, and paid with something given back."""
OVER: Final = {"CLOSED", "REVOKED", "PAYERROR"}
NO_ORDER: Final = {"ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS"}
NO_REFUND: Final = {
    "NOT_ENOUGH", "USER_ACCOUNT_ABNORMAL", "INVALID_REQUEST", "PARAM_ERROR", "RESOURCE_NOT_EXISTS",
    "ORDER_NOT_EXIST", "MCH_NOT_EXISTS", "NO_AUTH", "REFUND_FEE_MISMATCH",
}  # fmt: skip
"""Of a refund that was asked for: no money moved, and none will by asking the same again."""
REFUNDS: Final[dict[str, Literal["pending", "done", "failed"]]] = {
    "PROCESSING": "pending",
    "SUCCESS": "done",
    "CLOSED": "failed",
    "ABNORMAL": "failed",
}
"""ABNORMAL: the payer's card doesn't take it. Put right at the merchant platform, it is told as done."""
OTHER_KIND: Final = {"OUT_TRADE_NO_USED", "INVALID_REQUEST", "NO_AUTH"}
"""The number was opened for another kind of payment (Native, H5), or this kind isn't ours to use."""
NO_BILL: Final = "NO_STATEMENT_EXIST"


def request_text(method: str, path: str, stamp: str, nonce: str, body: str) -> str:
    """What we sign; `path` with its query."""
    return f"{method}\n{path}\n{stamp}\n{nonce}\n{body}\n"


def answer_text(stamp: str, nonce: str, body: bytes) -> bytes:
    """What they sign, in answers and callbacks; `body` as it came."""
    return f"{stamp}\n{nonce}\n".encode() + body + b"\n"


def authorization(mchid: str, serial: str, stamp: str, nonce: str, signature: str) -> str:
    """The header that goes with every request."""
    return (
        f'{SCHEME} mchid="{mchid}",nonce_str="{nonce}",signature="{signature}",'
        f'timestamp="{stamp}",serial_no="{serial}"'
    )


def unseal(sealed: Sealed, key: str) -> bytes:
    """What was sealed for us. Raises ValueError for whatever isn't whole."""
    nonce = sealed.nonce.encode()
    if sealed.algorithm != SEALING or len(nonce) != NONCE:
        raise ValueError("sealed in another way")
    try:
        return AESGCM(key.encode()).decrypt(
            nonce,
            base64.b64decode(sealed.ciphertext, validate=True),
            sealed.associated_data.encode(),
        )
    except InvalidTag as error:
        raise ValueError("not sealed for us") from error
