"""Alipay's bill of a day: a zip with two files in GBK, of which one lists the trades.

Source: 下载对账单 → 业务账单字段说明. Lines that begin with `#` frame the list; cells may carry a tab
that keeps spreadsheets from making numbers of them.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Final

from civicmall.payments.channels import amounts
from civicmall.payments.channels.outward import UNPACKED_MAX
from civicmall.payments.channels.statements import Row, local

LINE_MAX: Final = 8 * 1024
SUMMARY: Final = "汇总"
FILES_MAX: Final = 10
ODD: Final = (RuntimeError, EOFError, KeyError)
"""What zipfile raises for a kind of packing that it doesn't know, and a table without the columns."""
TRADE_NO, OUT_TRADE_NO, KIND, ENDED_AT = "支付宝交易号", "商户订单号", "业务类型", "完成时间"
AMOUNT, REQUEST_NO, FEE = "订单金额（元）", "退款批次号/请求号", "服务费（元）"
KINDS: Final = {"交易", "退款"}


def rows(file: IO[bytes]) -> Iterator[Row]:
    """The trades and refunds in the zip. Raises ValueError for one that isn't whole or readable."""
    try:
        with zipfile.ZipFile(file) as archive:
            listed = archive.infolist()
            if len(listed) > FILES_MAX or sum(one.file_size for one in listed) > UNPACKED_MAX:
                raise ValueError("too much in it")
            (details,) = [one for one in listed if SUMMARY not in _name(one)]
            with archive.open(details) as unpacked:
                yield from _rows(io.TextIOWrapper(unpacked, encoding="gb18030", newline=""))
    except (zipfile.BadZipFile, zlib.error, *ODD) as error:
        raise ValueError("not a statement") from error


def _name(one: zipfile.ZipInfo) -> str:
    """Names are GBK without the flag that would say so; zipfile then takes them for CP 437."""
    if one.flag_bits & 0x800:
        return one.filename
    return one.filename.encode("cp437").decode("gb18030", errors="replace")


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """The header and the list; raises ValueError where its end is missing."""
    inside = False
    size = 0
    while line := text.readline(LINE_MAX):
        size += len(line)
        if size > UNPACKED_MAX or not line.endswith("\n"):
            raise ValueError("too long")
        if line.startswith("#"):
            if "列表结束" in line:
                return
            inside = inside or "业务明细列表" in line
        elif inside:
            yield line
    raise ValueError("cut off")


def _rows(text: io.TextIOWrapper) -> Iterator[Row]:
    table = csv.reader(_lines(text))
    head = list(_stripped(next(table, ())))
    for cells in table:
        if len(cells) != len(head):
            raise ValueError("a row of another length")
        yield _row(dict(zip(head, _stripped(cells), strict=True)))


def _stripped(cells: Iterable[str]) -> Iterator[str]:
    return (cell.strip() for cell in cells)


def _row(cell: dict[str, str]) -> Row:
    if cell[KIND] not in KINDS:
        raise ValueError("neither payment nor refund")
    back = cell[KIND] == "退款"
    return Row(
        kind="refund" if back else "payment",
        txn=cell[TRADE_NO],
        merchant_no=cell[REQUEST_NO] if back else cell[OUT_TRADE_NO],
        original_no=cell[OUT_TRADE_NO] if back else "",
        amount_minor=abs(amounts.minor(cell[AMOUNT])),
        fee_minor=-amounts.fee_minor(cell[FEE] or "0"),
        at=local(cell[ENDED_AT]),
    )
