"""A settlement statement as CSV (RFC 4180, UTF-8 with the mark that spreadsheets look for).

The amounts of all rows but the last add up to the last one's: brought forward, what happened, carried
forward. The file is complete before its first byte leaves, so that none breaks off in the middle.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import IO, Any, Final

from civicmall.kernel import i18n
from civicmall.kernel.clock import CITY
from civicmall.kernel.house import House

from . import rules, statements, words
from .models import EntryRow, Settlement
from .statements import Wanted

MARK: Final = "\ufeff"
IN_MEMORY: Final = 2 * 1024 * 1024
"""Bytes of a file beyond which it lies on disk while it is sent."""
PIECE: Final = 64 * 1024


def head(lang: str) -> list[str]:
    """The names of the columns."""
    t = words.speaker(lang)
    return [
        t("Time (UTC+8)"), t("Kind of entry"), t("Shop"), t("Order"), t("Line"), t("Fee"), t("What for"),
        t("Billing period"), t("Receipt or transfer number"), t("Amount (yuan)"), t("Amount (fen)"),
    ]  # fmt: skip


async def file(house: House, asked: Wanted, lang: str) -> tuple[Settlement, IO[bytes]]:
    """The sums and the whole file, at its beginning; whoever gets it closes it.

    Raises NotSettledYet, SettlementDiffers, StatementTooLong.
    """
    kept: Any = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (closed by whoever sends it)
    try:
        async with statements.snapshot(house) as db:
            found = await statements.sums(house, db, asked)
            statements.not_longer(found, rules.ROWS_MAX_CSV)
            kept.write(MARK.encode() + written([head(lang)]))
            kept.write(written([_sum("opening", found.opening_minor)]))
            async with aclosing(statements.rows(db, asked)) as stream:
                async for some in stream:
                    kept.write(written(_cells(row, lang) for row in some))
        kept.write(written(_rest(found)))
        kept.seek(0)
    except BaseException:
        kept.close()
        raise
    return found, kept


async def pieces(kept: IO[bytes]) -> AsyncGenerator[bytes]:
    """The file bit by bit; closed with the last one, or with whoever stops asking."""
    with kept:
        while piece := kept.read(PIECE):
            yield piece


def written(records: Iterable[list[str]]) -> bytes:
    """Lines of CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(records)
    return text.getvalue().encode()


def _cells(row: EntryRow, lang: str) -> list[str]:
    return [
        row.posted_at.astimezone(CITY).isoformat(timespec="seconds"),
        row.kind,
        row.shop,
        str(row.order_id or ""),
        str(row.no) if row.order_id else "",
        rules.cell(row.fee_code),
        rules.cell(i18n.pick(row.title, lang)),
        rules.cell(row.period),
        rules.cell(row.receipt_number or ""),
        rules.decimal(row.owed_minor),
        str(row.owed_minor),
    ]


def _sum(kind: str, minor: int) -> list[str]:
    return ["", kind, *[""] * 7, rules.decimal(minor), str(minor)]


def _rest(found: Settlement) -> list[list[str]]:
    said = [_sum("fee", -found.fees_minor)] if found.fees_minor else []
    said += [_sum("other", found.other_minor)] if found.other_minor else []
    return [*said, _sum("closing", found.closing_minor)]
