"""WeChat Pay's trade bill of all transactions (交易账单, ALL).

Source: WeChat Pay merchant documentation, 下载账单 › 交易账单详细说明. UTF-8; a header, rows whose values
each begin with a backquote, then the header of the totals and the totals. Amounts in yuan with two
decimals, fees with three zeros more and below zero where they are given back. A refund stands there
once it was begun; its state is the one of the moment in which the bill was made.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from .reading import (
    BadRow,
    Entry,
    NotAStatement,
    Reader,
    State,
    amount,
    columns_of,
    local,
    minor,
    number,
)

COLUMNS: Final = {
    "at": "交易时间",
    "txn": "微信订单号",
    "order": "商户订单号",
    "state": "交易状态",
    "currency": "货币种类",
    "refund_txn": "微信退款单号",
    "refund": "商户退款单号",
    "refund_state": "退款状态",
    "fee": "手续费",
    "paid": "订单金额",
    "back": "申请退款金额",
}
TOTALS: Final = {
    "rows": "总交易单数",
    "fee": "手续费总金额",
    "paid": "订单总金额",
    "back": "申请退款总金额",
}
STATES: Final[dict[str, State]] = {
    "SUCCESS": "done",
    "PROCESSING": "pending",
    "CHANGE": "pending",  # it did not arrive, and the merchant sends it another way
    "FAIL": "failed",
}
_COUNT: Final = re.compile(r"\d{1,12}", re.ASCII)
HEAD, ROWS, TOTALS_HEAD, DONE = 0, 1, 2, 3


class WeChatPay(Reader):
    """A trade bill."""

    encoding = "utf-8"

    def __init__(self, day: date) -> None:
        super().__init__(day)
        self._width = 0
        self._at: dict[str, int] = {}
        self._totals: list[str] = []

    def line(self, text: str) -> Entry | None:
        """One line. Raises BadRow, NotAStatement."""
        text = text.rstrip("\r\n")
        if self.section == HEAD:
            header = text.removeprefix("\ufeff").split(",")
            self._at, self._width = columns_of(header, COLUMNS), len(header)
            self.section = ROWS
        elif self.section == ROWS and text.startswith("`"):
            return self._row(text[1:].split(",`"))
        elif self.section == ROWS and text.startswith(TOTALS["rows"]):
            self._totals = text.split(",")
            columns_of(self._totals, TOTALS)
            self.section = TOTALS_HEAD
        elif self.section == TOTALS_HEAD and text.startswith("`"):
            self._sums(text[1:].split(",`"))
            self.section = DONE
        elif text:
            raise BadRow("columns") if self.section == ROWS else NotAStatement("totals")
        return None

    def end(self) -> None:
        """The totals were there. Raises NotAStatement."""
        if self.section != DONE:
            raise NotAStatement("truncated")

    def _row(self, cells: list[str]) -> Entry:
        if len(cells) != self._width:
            raise BadRow("columns")
        said = {name: cells[at] for name, at in self._at.items()}
        if said["currency"] != "CNY":
            raise BadRow("currency")
        when, fee = self.inside(local(said["at"])), minor(said["fee"])
        if said["state"] == "SUCCESS":
            value = amount(minor(said["paid"]))
            entry = Entry(
                "payment", number(said["order"]), "", number(said["txn"]), value, fee, when
            )
        elif said["state"] == "REFUND":
            value = amount(minor(said["back"]))
            if said["refund_state"] not in STATES:
                raise BadRow("state")
            entry = Entry(
                "refund", number(said["refund"]), number(said["order"]),
                number(said["refund_txn"]), value, fee, when, STATES[said["refund_state"]],
            )  # fmt: skip
        else:
            raise BadRow("state")
        return self.took(entry, value, fee)

    def _sums(self, cells: list[str]) -> None:
        if len(cells) != len(self._totals):
            raise NotAStatement("totals")
        said = {name: cells[at] for name, at in columns_of(self._totals, TOTALS).items()}
        try:
            sums = [minor(said[name]) for name in ("paid", "back", "fee")]
            rows = int(said["rows"]) if _COUNT.fullmatch(said["rows"]) else -1
        except BadRow:
            raise NotAStatement("totals") from None
        self.agree(
            (rows, self.paid + self.refunds),
            *zip(sums, (self.paid_minor, self.refunds_minor, self.fee_minor), strict=True),
        )
