"""What the city says about its WeChat Pay account, and what WeChat Pay (API v3) answers.

Source: WeChat Pay merchant documentation, API v3, 基础支付, 退款, 下载账单.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct, field

GATEWAY: Final = "https://api.mch.weixin.qq.com"


class WechatpaySettings(Struct, frozen=True):
    """One direct merchant (直连商户) and one application of it."""

    app_id: Annotated[str, Meta(pattern=r"^wx[0-9a-zA-Z]{8,30}$(?!\n)", description="the application's id, wx…")] = field(
        name="CIVICMALL_WECHATPAY_APP_ID"
    )  # fmt: skip
    mchid: Annotated[str, Meta(pattern=r"^\d{8,32}$(?!\n)", description="the merchant's number, digits")] = field(
        name="CIVICMALL_WECHATPAY_MCHID"
    )  # fmt: skip
    serial: Annotated[
        str, Meta(pattern=r"^[0-9A-Fa-f]{8,64}$(?!\n)", description="the serial number of the merchant's API certificate")
    ] = field(name="CIVICMALL_WECHATPAY_SERIAL")  # fmt: skip
    private_key: Annotated[str, Meta(description="a file with the merchant's private key")] = field(
        name="CIVICMALL_WECHATPAY_PRIVATE_KEY"
    )
    apiv3_key: Annotated[
        str, Meta(pattern=r"^[\x21-\x7e]{32}$(?!\n)", description="the APIv3 key, 32 characters")
    ] = field(name="CIVICMALL_WECHATPAY_APIV3_KEY")
    public_key: Annotated[str, Meta(description="a file with WeChat Pay's public key")] = field(
        name="CIVICMALL_WECHATPAY_PUBLIC_KEY", default=""
    )
    public_key_id: Annotated[
        str, Meta(pattern=r"^PUB_KEY_ID_[0-9A-Za-z]{1,64}$(?!\n)", description="its id, PUB_KEY_ID_…")
    ] = field(name="CIVICMALL_WECHATPAY_PUBLIC_KEY_ID", default="")  # fmt: skip
    gateway: Annotated[str, Meta(description="the API's address")] = field(
        name="CIVICMALL_WECHATPAY_GATEWAY", default=GATEWAY
    )

    def __repr__(self) -> str:
        return "WechatpaySettings(…)"


class Sealed(Struct, frozen=True):
    """What only the APIv3 key opens (AEAD_AES_256_GCM)."""

    algorithm: str
    ciphertext: str
    nonce: str
    associated_data: str = ""


class Callback(Struct, frozen=True):
    """A callback's body; `event_type` is `TRANSACTION.SUCCESS` or one of `REFUND.…`."""

    event_type: str
    resource: Sealed
    resource_type: str = "encrypt-resource"


class Certificate(Struct, frozen=True):
    """One platform certificate, sealed."""

    serial_no: str
    encrypt_certificate: Sealed


class Certificates(Struct, frozen=True):
    """`/v3/certificates`; two while one follows the other."""

    data: list[Certificate]


class Amount(Struct, frozen=True):
    """分; `total` is the order's, also where the payer used a coupon."""

    total: int = 0
    refund: int = 0
    currency: str = "CNY"


class Transaction(Struct, frozen=True):
    """A payment, as queried and as called back."""

    appid: str
    mchid: str
    out_trade_no: str
    trade_state: str
    transaction_id: str = ""
    success_time: Annotated[datetime, Meta(tz=True)] | None = None
    amount: Amount = Amount()


class RefundStatus(Struct, frozen=True):
    """A refund as asked for and queried."""

    out_refund_no: str
    status: str
    refund_id: str = ""


class RefundNotice(Struct, frozen=True):
    """A refund as called back."""

    mchid: str
    out_refund_no: str
    refund_status: str
    refund_id: str = ""


class CodeUrl(Struct, frozen=True):
    """What a QR code of a Native payment says."""

    code_url: Annotated[str, Meta(pattern=r"^weixin://[\x21-\x7e]{1,200}$(?!\n)")]


class H5Url(Struct, frozen=True):
    """Where a phone's browser goes on to WeChat; good for five minutes."""

    h5_url: Annotated[str, Meta(pattern=r"^https://[\x21-\x7e]{1,400}$(?!\n)")]


class Bill(Struct, frozen=True):
    """Where a day's bill lies, and the digest of what is in it once unpacked."""

    hash_type: str
    hash_value: str
    download_url: str


class Refusal(Struct, frozen=True):
    """An answer with an error."""

    code: str = ""
    message: str = ""
