"""What the city says about its Alipay account, and what Alipay answers."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

GATEWAY: Final = "https://openapi.alipay.com/gateway.do"


class AlipaySettings(Struct, frozen=True):
    """One application of the open platform, in the mode with public keys (not certificates)."""

    app_id: Annotated[str, Meta(pattern=r"^\d{10,32}$(?!\n)", description="the application's id, digits")] = field(
        name="CIVICMALL_ALIPAY_APP_ID"
    )  # fmt: skip
    seller_id: Annotated[
        str, Meta(pattern=r"^2088\d{12}$(?!\n)", description="the merchant's account (PID), 2088 and 12 digits")
    ] = field(name="CIVICMALL_ALIPAY_SELLER_ID")  # fmt: skip
    private_key: Annotated[str, Meta(description="a file with the application's private key")] = (
        field(name="CIVICMALL_ALIPAY_PRIVATE_KEY")
    )
    public_key: Annotated[str, Meta(description="a file with Alipay's public key")] = field(
        name="CIVICMALL_ALIPAY_PUBLIC_KEY"
    )
    gateway: Annotated[str, Meta(description="the open platform's address")] = field(
        name="CIVICMALL_ALIPAY_GATEWAY", default=GATEWAY
    )

    def __repr__(self) -> str:
        return "AlipaySettings(…)"


class Said(Struct, frozen=True):
    """What every answer has beside its own; `sub_code` says why where `code` isn't 10000."""

    code: str
    sub_code: str = ""


class Trade(Said, frozen=True):
    """`alipay.trade.query`; amounts in yuan, times of the city."""

    out_trade_no: str = ""
    trade_no: str = ""
    trade_status: str = ""
    total_amount: str = ""
    send_pay_date: str = ""
    trans_currency: str = "CNY"


class Refunded(Said, frozen=True):
    """`alipay.trade.refund`; `fund_change` is Y where money moved by this very call."""

    fund_change: str = "N"


class RefundStatus(Said, frozen=True):
    """`alipay.trade.fastpay.refund.query`; all empty where there is no such refund."""

    refund_status: str = ""
    out_request_no: str = ""


class BillAddress(Said, frozen=True):
    """`alipay.data.dataservice.bill.downloadurl.query`; good for 30 seconds."""

    bill_download_url: str = ""


class Notice(Struct, frozen=True):
    """An asynchronous notice, as far as it concerns us."""

    app_id: str = ""
    seller_id: str = ""
    trade_no: str = ""
    out_trade_no: str = ""
    trade_status: str = ""
    total_amount: str = ""
    gmt_payment: str = ""
    gmt_refund: str = ""
    out_biz_no: str = ""
    refund_fee: str = ""
    trans_currency: str = "CNY"
