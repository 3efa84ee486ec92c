"""WeChat Pay's bill of trades of a day: CSV in UTF-8, each cell behind a backtick, packed by gzip.

Source: 下载账单 → 交易账单字段说明. After the list come two lines with totals.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final

from civicmall.payments.channels import amounts
from civicmall.payments.channels.outward import UNPACKED_MAX
from civicmall.payments.channels.statements import Row, local

LINE_MAX: Final = 8 * 1024
PIECE: Final = 64 * 1024
TOTALS: Final = "总交易单数"
MAGIC: Final = b"\x1f\x8b"
PAID_STATES: Final = {"SUCCESS"}
BACK_STATES: Final = {"REFUND"}
FAILED: Final = {"FAIL", "CLOSED", "CHANGE"}
"""Refunds that did not leave the merchant's account."""


def unpacked(file: IO[bytes]) -> Any:
    """The bill itself: WeChat Pay may send it plain though packed was asked for."""
    is_packed = file.read(2) == MAGIC
    file.seek(0)
    return gzip.open(file) if is_packed else file


def digest(file: IO[bytes]) -> str:
    """SHA-1 of the bill, unpacked, in hex. Raises ValueError."""
    found, size = hashlib.sha1(usedforsecurity=False), 0
    try:
        content = unpacked(file)
        while piece := content.read(PIECE):
            size += len(piece)
            if size > UNPACKED_MAX:
                raise ValueError("too long")
            found.update(piece)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError("not a statement") from error
    file.seek(0)
    return found.hexdigest()


def rows(file: IO[bytes]) -> Iterator[Row]:
    """The payments and refunds. Raises ValueError for a bill that isn't whole or readable."""
    text = io.TextIOWrapper(unpacked(file), encoding="utf-8-sig", newline="")
    table = csv.reader(iter(lambda: text.readline(LINE_MAX), ""))
    head = list(next(table, ()))
    for count, cells in enumerate(table):
        if cells and cells[0] == TOTALS:
            if next(table, ("",))[0] != f"`{count}":
                raise ValueError("not all rows")
            return
        if len(cells) != len(head):
            raise ValueError("a row of another length")
        row = _row({name: cell.lstrip("`").strip() for name, cell in zip(head, cells, strict=True)})
        if row is not None:
            yield row
    raise ValueError("cut off")


def _row(cell: dict[str, str]) -> Row | None:
    """Raises ValueError; None for a refund that failed."""
    state = cell["交易状态"]
    back = state in BACK_STATES
    if (not back and state not in PAID_STATES) or cell["货币种类"] != "CNY":
        raise ValueError("neither payment nor refund")
    if back and cell["退款状态"] in FAILED:
        return None
    return Row(
        kind="refund" if back else "payment",
        txn=cell["微信退款单号"] if back else cell["微信订单号"],
        merchant_no=cell["商户退款单号"] if back else cell["商户订单号"],
        original_no=cell["商户订单号"] if back else "",
        amount_minor=abs(amounts.minor(cell["申请退款金额"] if back else cell["订单金额"])),
        fee_minor=amounts.fee_minor(cell["手续费"] or "0"),
        at=local(cell["交易时间"]),
    )
