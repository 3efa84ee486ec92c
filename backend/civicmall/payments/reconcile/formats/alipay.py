"""Alipay's business bill (业务账单, bill_type=trade): the file 业务明细, unzipped.

Source: Alipay open platform, alipay.data.dataservice.bill.downloadurl.query and what its bills look
like. GBK; lines that begin with # are remarks: where the list begins and ends, and sums of it.
Amounts in yuan. A refund is a row of its own (业务类型 退款) with amounts below zero, the payment's
number and the merchant's refund number. The merchant's fee is written with either sign: of a payment
it is taken, of a refund it is given back.
"""

from __future__ import annotations

import csv
import re
from datetime import date
from typing import Final

from .reading import (
    BadRow,
    Entry,
    NotAStatement,
    Reader,
    amount,
    columns_of,
    local,
    minor,
    number,
)

COLUMNS: Final = {
    "txn": "支付宝交易号",
    "order": "商户订单号",
    "kind": "业务类型",
    "at": "完成时间",
    "paid": "订单金额（元）",
    "got": "商家实收（元）",
    "refund": "退款批次号/请求号",
    "fee": "服务费（元）",
}
END: Final = re.compile(r"#-+业务明细列表结束-+")
PAID: Final = re.compile(
    r"#交易合计：(\d{1,12})笔，商家实收共(-?\d{1,12}(?:\.\d{1,2})?)元.*", re.ASCII
)
BACK: Final = re.compile(
    r"#退款合计：(\d{1,12})笔，商家实收退款共(-?\d{1,12}(?:\.\d{1,2})?)元.*", re.ASCII
)
HEAD, ROWS, ENDED, PAID_SEEN, DONE = 0, 1, 2, 3, 4


class Alipay(Reader):
    """A business bill."""

    encoding = "gb18030"

    def __init__(self, day: date) -> None:
        super().__init__(day)
        self._width = 0
        self._at: dict[str, int] = {}

    def line(self, text: str) -> Entry | None:
        """One line. Raises BadRow, NotAStatement."""
        text = text.rstrip("\r\n")
        if text.startswith("#"):
            self._remark(text)
        elif self.section == HEAD:
            header = [cell.strip() for cell in text.split(",")]
            self._at, self._width = columns_of(header, COLUMNS), len(header)
            self.section = ROWS
        elif self.section == ROWS and text:
            return self._row(_cells(text))
        elif text:
            raise NotAStatement("totals")
        return None

    def end(self) -> None:
        """The list's end and both sums were there. Raises NotAStatement."""
        if self.section != DONE:
            raise NotAStatement("truncated")

    def _remark(self, text: str) -> None:
        if self.section == ROWS and END.fullmatch(text):
            self.section = ENDED
        elif self.section == ENDED and (found := PAID.fullmatch(text)):
            self.agree((int(found[1]), self.paid), (minor(found[2]), self.paid_minor))
            self.section = PAID_SEEN
        elif self.section == PAID_SEEN and (found := BACK.fullmatch(text)):
            self.agree((int(found[1]), self.refunds), (abs(minor(found[2])), self.refunds_minor))
            self.section = DONE
        elif self.section == ROWS:
            raise NotAStatement("totals")

    def _row(self, cells: list[str]) -> Entry:
        if len(cells) != self._width:
            raise BadRow("columns")
        said = {name: cells[at].strip() for name, at in self._at.items()}
        when, value = self.inside(local(said["at"])), minor(said["paid"])
        got, fee = minor(said["got"]), abs(minor(said["fee"]))
        if said["kind"] == "交易":
            entry = Entry(
                "payment", number(said["order"]), "", number(said["txn"]), amount(value), fee, when
            )
            return self.took(entry, got, fee)
        if said["kind"] == "退款":
            entry = Entry(
                "refund", number(said["refund"]), number(said["order"]), number(said["txn"]),
                amount(abs(value)), -fee, when,
            )  # fmt: skip
            return self.took(entry, abs(got), -fee)
        raise BadRow("kind")


def _cells(text: str) -> list[str]:
    """Goods' names may be quoted; most lines have no quote. Raises BadRow."""
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration):
        raise BadRow("columns") from None
