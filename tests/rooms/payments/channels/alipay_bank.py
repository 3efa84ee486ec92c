"""Alipay's open platform on loopback: it keeps trades; all of its signing and checking is done by the
package `python-alipay-sdk`.

The package is made for merchants. Here it is given the keys the other way round: it signs with the
platform's key what a merchant would check, and checks with the application's what a merchant signed.
"""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from alipay import AliPay
from msgspec import Struct

from civicmall.kernel.clock import CITY

from .banking import Answer, Pair, Request, application, pair

APP_ID: Final = "2021000000000001"
SELLER_ID: Final = "2088000000000001"
COLUMNS: Final = [
    "支付宝交易号",
    "商户订单号",
    "业务类型",
    "商品名称",
    "创建时间",
    "完成时间",
    "门店编号",
    "门店名称",
    "操作员",
    "终端号",
    "对方账户",
    "订单金额（元）",
    "商家实收（元）",
    "支付宝红包（元）",
    "集分宝（元）",
    "支付宝优惠（元）",
    "商家优惠（元）",
    "券核销金额（元）",
    "券名称",
    "商家红包消费金额（元）",
    "卡消费金额（元）",
    "退款批次号/请求号",
    "服务费（元）",
    "分润（元）",
    "备注",
]


class Trade(Struct):
    """A trade as Alipay has it; yuan as text, 分 as numbers."""

    number: str
    txn: str
    amount: str
    notify_url: str
    status: str = "WAIT_BUYER_PAY"
    at: datetime | None = None
    refunds: dict[str, tuple[str, bool]] = {}
    """Amount, and whether it is done, by `out_request_no`."""


class AlipayBank:
    """One application's counterpart."""

    def __init__(self) -> None:
        self.merchant: Pair = pair()
        self.platform: Pair = pair()
        self.sdk: Any = AliPay(
            appid=APP_ID,
            app_private_key_string=self.platform.private,
            alipay_public_key_string=self.merchant.public,
        )
        self.url = ""
        self.trades: dict[str, Trade] = {}
        self.seen: list[dict[str, str]] = []
        self.mood = "ok"
        """`ok`, or how it misbehaves: see `_sent` and `_refund`."""
        self.application = application(self._answer)

    def env(self) -> dict[str, str]:
        """The settings of a city that uses it."""
        return {
            "CIVICMALL_ALIPAY_APP_ID": APP_ID,
            "CIVICMALL_ALIPAY_SELLER_ID": SELLER_ID,
            "CIVICMALL_ALIPAY_PRIVATE_KEY": self.merchant.private,
            "CIVICMALL_ALIPAY_PUBLIC_KEY": self.platform.public,
            "CIVICMALL_ALIPAY_GATEWAY": f"{self.url}/gateway.do",
        }

    async def _answer(self, request: Request) -> Answer:
        if request.path == "/bill.zip":
            return self._bill()
        said = request.fields
        self.seen.append(dict(said))
        signature = said.pop("sign", "")
        text = "&".join(f"{k}={v}" for k, v in sorted(said.items()))
        method = said["method"]
        if not self.sdk._verify(text, signature):
            return (
                200,
                {},
                self._sent(method, {"code": "40002", "sub_code": "isv.invalid-signature"}),
            )
        content = json.loads(said["biz_content"])
        if method in {"alipay.trade.page.pay", "alipay.trade.wap.pay"}:
            return self._opened(said, content)
        does = {
            "alipay.trade.query": self._query,
            "alipay.trade.close": self._close,
            "alipay.trade.refund": self._refund,
            "alipay.trade.fastpay.refund.query": self._refund_query,
            "alipay.data.dataservice.bill.downloadurl.query": self._bill_url,
        }[method]
        if self.mood == "error":
            return 502, {}, b"<html>Bad Gateway</html>"
        return 200, {"content-type": "application/json"}, self._sent(method, does(content))

    def _sent(self, method: str, said: dict[str, str]) -> bytes:
        """The answer in the platform's odd JSON: escapes and blanks, which are signed as they stand."""
        raw = json.dumps({"msg": '成功 {"}"/', **said}).replace("/", "\\/")
        signed = raw.replace("10000", "10001") if self.mood == "tampered" else raw
        signature = self.sdk._sign(signed)
        name = method.replace(".", "_") + "_response"
        whole = f'{{"{name}": {raw}, "alipay_cert_sn":"x","sign":"{signature}"}}'
        if self.mood == "unsigned":
            whole = f'{{"{name}":{raw}}}'
        if self.mood == "garbage":
            whole = '{"x":' * 20000
        if self.mood == "huge":
            whole += " " * (1024 * 1024)
        if self.mood == "unknown_code":
            whole = json.dumps({name: {"code": "20000", "sub_code": "isp.unknow-error"}})
        return whole.encode()

    def _opened(self, said: dict[str, str], content: dict[str, str]) -> Answer:
        """A payer has opened the link and signed in."""
        number = content["out_trade_no"]
        txn = f"2026{uuid4().int % 10**24:024d}"
        made = Trade(number, txn, content["total_amount"], said["notify_url"])
        self.trades.setdefault(number, made)
        return 200, {"content-type": "text/html"}, said["method"].encode()

    def _query(self, content: dict[str, str]) -> dict[str, str]:
        trade = self.trades.get(content["out_trade_no"])
        if trade is None:
            return no("ACQ.TRADE_NOT_EXIST")
        paid = {"send_pay_date": stamp(trade.at)} if trade.at is not None else {}
        return {
            "code": "10000", "out_trade_no": trade.number, "trade_no": trade.txn,
            "trade_status": trade.status, "total_amount": trade.amount, **paid,
        }  # fmt: skip

    def _close(self, content: dict[str, str]) -> dict[str, str]:
        trade = self.trades.get(content["out_trade_no"])
        if trade is None:
            return no("ACQ.TRADE_NOT_EXIST")
        if trade.status != "WAIT_BUYER_PAY":
            return no("ACQ.REASON_TRADE_STATUS_INVALID")
        trade.status = "TRADE_CLOSED"
        return {"code": "10000", "out_trade_no": trade.number, "trade_no": trade.txn}

    def _by_txn(self, txn: str) -> Trade | None:
        return next((one for one in self.trades.values() if one.txn == txn), None)

    def _refund(self, content: dict[str, str]) -> dict[str, str]:
        trade = self._by_txn(content["trade_no"])
        if trade is None or self.mood == "no_balance":
            return no("ACQ.TRADE_NOT_EXIST" if trade is None else "ACQ.SELLER_BALANCE_NOT_ENOUGH")
        if self.mood == "system_error":
            return no("ACQ.SYSTEM_ERROR")
        number, amount = content["out_request_no"], content["refund_amount"]
        again = number in trade.refunds
        if not again:
            back = sum(cents(one) for one, _ in trade.refunds.values()) + cents(amount)
            if back > cents(trade.amount):
                return no("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
            trade.refunds = {**trade.refunds, number: (amount, self.mood != "slow")}
            if back == cents(trade.amount):
                trade.status = "TRADE_CLOSED"
        moved = "Y" if not again and self.mood != "slow" else "N"
        return {"code": "10000", "trade_no": trade.txn, "fund_change": moved, "refund_fee": amount}

    def _refund_query(self, content: dict[str, str]) -> dict[str, str]:
        trade = self._by_txn(content["trade_no"])
        if trade is None:
            return no("ACQ.TRADE_NOT_EXIST")
        amount, done = trade.refunds.get(content["out_request_no"], ("", False))
        if not done:
            return {"code": "10000"}
        return {
            "code": "10000", "trade_no": trade.txn, "out_request_no": content["out_request_no"],
            "refund_amount": amount, "refund_status": "REFUND_SUCCESS",
        }  # fmt: skip

    def _bill_url(self, _: dict[str, str]) -> dict[str, str]:
        if self.mood == "no_bill":
            return no("isp.bill_not_exist")
        return {"code": "10000", "bill_download_url": f"{self.url}/bill.zip"}

    def _bill(self) -> Answer:
        """All trades, whatever the day: a zip of GBK with its names in GBK too."""
        rows = [",".join(COLUMNS)]
        for trade in (one for one in self.trades.values() if one.at is not None):
            rows.append(bill_row(trade, "交易", trade.amount, "", "-0.01"))
            rows += [
                bill_row(trade, "退款", f"-{amount}", number, "0.00")
                for number, (amount, _) in trade.refunds.items()
            ]
        head = [
            "#支付宝业务明细查询",
            f"#账号：[{SELLER_ID}0156]",
            f"#{'-' * 20}业务明细列表{'-' * 20}",
        ]
        foot = [f"#{'-' * 20}业务明细列表结束{'-' * 20}", "#交易合计：1笔"]
        text = "\r\n".join([*head, *rows, *(foot if self.mood != "cut" else [])]) + "\r\n"
        content = text.encode("gb18030")
        if self.mood == "not_gbk":
            content += b"\xff\xff\xff"
            content = b"\xff\xfe" + content
        out = io.BytesIO()
        names = [f"{SELLER_ID}_业务明细{one}.csv".encode("gb18030") for one in ("", "(汇总)")]
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr("n" * len(name), content)
        raw = out.getvalue()
        for name in reversed(names):  # zipfile itself would write them in UTF-8
            raw = raw.replace(b"n" * len(name), name)
        return 200, {"content-type": "application/zip"}, raw[:-40] if self.mood == "broken" else raw

    def pay(self, number: str, amount: str = "", days: int = 0) -> Trade:
        """The payer pays, today or some days ago."""
        trade = self.trades[number]
        trade.status, trade.amount = "TRADE_SUCCESS", amount or trade.amount
        trade.at = datetime.now(CITY).replace(microsecond=0) - timedelta(days=days)
        return trade

    def notice(self, number: str, **other: str) -> dict[str, str]:
        """What the platform would tell of a trade, signed; `other` replaces what it would say."""
        trade = self.trades[number]
        said = {
            "app_id": APP_ID, "seller_id": SELLER_ID, "notify_type": "trade_status_sync",
            "notify_id": uuid4().hex, "charset": "utf-8", "version": "1.0", "sign_type": "RSA2",
            "notify_time": stamp(datetime.now(CITY)), "trade_no": trade.txn,
            "out_trade_no": trade.number, "trade_status": trade.status, "subject": "便民缴费 + &=%",
            "total_amount": trade.amount, "gmt_payment": stamp(trade.at), "buyer_id": "2088…",
            "fund_bill_list": '[{"amount":"1","fundChannel":"ALIPAYACCOUNT"}]', "body": "", **other,
        }  # fmt: skip
        content = {k: v for k, v in said.items() if k != "sign_type"}
        text = "&".join(f"{k}={v}" for k, v in self.sdk._ordered_data(content))
        return {**said, "sign": self.sdk._sign(text)}


def form(said: dict[str, str]) -> bytes:
    """As a notice is sent."""
    return urlencode(said).encode()


def no(sub_code: str) -> dict[str, str]:
    """A refusal."""
    return {"code": "40004", "msg": "Business Failed", "sub_code": sub_code}


def stamp(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def cents(amount: str) -> int:
    return round(float(amount) * 100)


def bill_row(trade: Trade, kind: str, amount: str, request: str, fee: str) -> str:
    cell = {
        "支付宝交易号": f"{trade.txn}\t", "商户订单号": f"{trade.number}\t", "业务类型": kind,
        "商品名称": "便民缴费", "创建时间": stamp(trade.at), "完成时间": stamp(trade.at),
        "订单金额（元）": amount, "退款批次号/请求号": f"{request}\t", "服务费（元）": fee,
    }  # fmt: skip
    return ",".join(cell.get(name, "") for name in COLUMNS)
