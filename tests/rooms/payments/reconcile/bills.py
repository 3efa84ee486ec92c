"""Statements as channels write them, made from entries: the way back of what the formats read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from civicmall.payments.reconcile.formats import Entry

CITY = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 11, 18)
Render = Callable[[list[Entry]], bytes]


def yuan(minor: int, zeros: str = "") -> str:
    """As channels write amounts: 1234 → 12.34."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}{zeros}"


def _local(at: datetime) -> str:
    return at.astimezone(CITY).strftime("%Y-%m-%d %H:%M:%S")


def _lines(lines: Iterable[str], encoding: str, end: str = "\r\n") -> bytes:
    return "".join(line + end for line in lines).encode(encoding)


def common(entries: list[Entry]) -> bytes:
    """The form in which channels hand them on."""
    rows = [
        f"{e.kind},{e.txn},{e.number},{e.original},{e.amount_minor},{e.fee_minor},"
        + e.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        for e in entries
    ]
    return _lines(
        ["kind,txn,merchant_no,original_no,amount_minor,fee_minor,at", *rows], "utf-8", "\n"
    )


WECHAT = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
WECHAT_TOTALS = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)
WECHAT_STATES = {"done": "SUCCESS", "pending": "PROCESSING", "failed": "FAIL"}


def wechatpay(entries: list[Entry]) -> bytes:
    """A trade bill. A payment's goods have a comma in their name."""

    def row(e: Entry) -> str:
        paid = e.kind == "payment"
        amount = yuan(e.amount_minor)
        back = "0.00" if paid else amount
        cells = [
            _local(e.at), "wx81be3101902f7cb2", "1601959334", "0", "",
            e.txn if paid else "4200000925202101284997714292", e.number if paid else e.original,
            "ofyak5qR", "NATIVE", "SUCCESS" if paid else "REFUND", "OTHERS", "CNY",
            amount if paid else "0.00", "0.00", "0" if paid else e.txn, "0" if paid else e.number,
            back, "0.00", "" if paid else "ORIGINAL", "" if paid else WECHAT_STATES[e.state],
            "水费,11月", "", yuan(e.fee_minor, "000"), "0.60%", amount if paid else "0.00", back, "",
        ]  # fmt: skip
        return ",".join("`" + cell for cell in cells)

    paid = sum(e.amount_minor for e in entries if e.kind == "payment")
    back = sum(e.amount_minor for e in entries if e.kind == "refund")
    fee = sum(e.fee_minor for e in entries)
    totals = [
        str(len(entries)), yuan(paid), yuan(back), "0.00", yuan(fee, "000"), yuan(paid), yuan(back)
    ]  # fmt: skip
    return b"\xef\xbb\xbf" + _lines(
        [WECHAT, *map(row, entries), WECHAT_TOTALS, ",".join("`" + one for one in totals)], "utf-8"
    )


ALIPAY = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"
    "商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)


def alipay(entries: list[Entry]) -> bytes:
    """A business bill. A refund's goods have a comma in their quoted name."""

    def row(e: Entry) -> str:
        paid = e.kind == "payment"
        amount = yuan(e.amount_minor if paid else -e.amount_minor)
        at = _local(e.at)
        cells = [
            e.txn + "\t", (e.number if paid else e.original) + "\t", "交易\t" if paid else "退款\t",
            "水费" if paid else '"水费,11月"', at, at, "\t", "\t", "\t", "\t", "*津水(602***@qq.com)\t",
            amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00\t", "0.00",
            "\t" if paid else e.number + "\t", yuan(-e.fee_minor), "0.00", "缴费",
        ]  # fmt: skip
        return ",".join(cells)

    paid = [e.amount_minor for e in entries if e.kind == "payment"]
    back = [e.amount_minor for e in entries if e.kind == "refund"]
    return _lines(
        [
            "#支付宝业务明细查询",
            "#账号：[20880211096256330156]",
            "#起始日期：[2026年11月18日 00:00:00]   终止日期：[2026年11月19日 00:00:00]",
            "#-----------------------------------------业务明细列表----------------------------------------",
            ALIPAY,
            *map(row, entries),
            "#-----------------------------------------业务明细列表结束------------------------------------",
            f"#交易合计：{len(paid)}笔，商家实收共{yuan(sum(paid))}元，商家优惠共0.00元",
            f"#退款合计：{len(back)}笔，商家实收退款共{yuan(-sum(back))}元，商家优惠退款共0.00元",
            "#导出时间：[2026年11月19日 09:12:33]",
        ],
        "gb18030",
    )
