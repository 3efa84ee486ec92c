"""The form in which channels hand a day's statement on (payments/channels/statements.py).

CSV, each line ended by a newline; no totals, for whoever wrote it has checked those:

    kind,txn,merchant_no,original_no,amount_minor,fee_minor,at

`kind` is payment or refund; `merchant_no` the order's or the refund's id in hex, `original_no` a
refund's order; amounts in 分; `at` is ISO 8601 in UTC.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal, cast

from .reading import AMOUNT_MAX, BadRow, Entry, NotAStatement, Reader

HEADER: Final = "kind,txn,merchant_no,original_no,amount_minor,fee_minor,at"
_ROW: Final = re.compile(
    r"(payment|refund),([!-+\--\[\]-~]{1,80}),([!-+\--\[\]-~]{1,80}),([!-+\--\[\]-~]{0,80}),"
    r"([1-9]\d{0,11}),(-?\d{1,11}),(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|\+00:00))",
    re.ASCII,
)
HEAD, ROWS = 0, 1


class Common(Reader):
    """A statement in the common form."""

    def line(self, text: str) -> Entry | None:
        """One line. Raises BadRow, NotAStatement."""
        if not text.endswith("\n"):
            raise NotAStatement("truncated")
        text = text.rstrip("\r\n")
        if self.section == HEAD:
            if text != HEADER:
                raise NotAStatement("header")
            self.section = ROWS
            return None
        found = _ROW.fullmatch(text)
        if found is None:
            raise BadRow(_why(text))
        kind, txn, merchant, original, amount, fee, at = found.groups()
        value = int(amount)
        if value > AMOUNT_MAX:
            raise BadRow("amount")
        if (kind == "refund") is not bool(original):
            raise BadRow("number")
        try:
            when = datetime.fromisoformat(at)
        except ValueError:
            raise BadRow("time") from None
        entry = Entry(
            cast("Literal['payment', 'refund']", kind), merchant, original, txn, value, int(fee),
            self.inside(when),
        )  # fmt: skip
        return self.took(entry, value, entry.fee_minor)

    def end(self) -> None:
        """Each line is whole by its newline; there are no totals. Raises NotAStatement."""
        if self.section == HEAD:
            raise NotAStatement("truncated")


def _why(text: str) -> str:
    """The first column that is wrong."""
    cells = text.split(",")
    names = ("kind", "number", "number", "number", "amount", "fee", "time")
    if len(cells) != len(names):
        return "columns"
    good = ("payment", "1", "1", "", "1", "0", "2000-01-01T00:00:00Z")
    for at, name in enumerate(names):
        if _ROW.fullmatch(",".join([*good[:at], cells[at], *good[at + 1 :]])) is None:
            return name
    return "columns"
