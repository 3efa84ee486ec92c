"""A settlement statement as PDF: the sums on the first page, then every row."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import Final

from reportlab.lib.pagesizes import A4

from civicmall.kernel import i18n, money, web
from civicmall.kernel.house import House
from civicmall.shops import Registry

from . import rules, statements, words
from .capitals import capitals
from .models import EntryRow, Settlement
from .paper import FOOT, MARGIN, Fonts, Pen, Sheet, yuan
from .statements import Wanted

pen: Final = Pen("statement")
SIZE: Final = 8.0
LEAD: Final = 13.0
COLUMNS: Final[tuple[tuple[str, float], ...]] = (
    ("Time (UTC+8)", 84), ("Kind of entry", 52), ("Order and line", 186), ("Fee", 104), ("What for", 108),
    ("Receipt or transfer number", 148), ("Amount", 76),
)  # fmt: skip
"""Name and width in points; the last one ends at the right margin."""
GAP: Final = 6.0
ROWS_ON_A_PAGE: Final = int((A4[0] - 2 * MARGIN - FOOT) // LEAD) - 2
"""Two lines are the columns' names."""


async def file(
    house: House, registry: Registry, asked: Wanted, lang: str
) -> tuple[Settlement, bytes]:
    """The sums and the PDF.

    Raises NotSettledYet, SettlementDiffers, StatementTooLong, Unavailable.
    """
    async with statements.snapshot(house) as db:
        found = await statements.sums(house, db, asked)
        statements.not_longer(found, rules.ROWS_MAX_PDF)
        rows: list[EntryRow] = []
        async with aclosing(statements.rows(db, asked)) as stream:
            async for some in stream:
                rows += some
    name = i18n.pick(statements.department(registry, asked.shop), lang)
    work = partial(drawn, found, rows, name, lang)
    return found, await pen.draw(work, asked.staff.staff_id)


def drawn(
    found: Settlement, rows: list[EntryRow], department: str, lang: str, fonts: Fonts
) -> bytes:
    """The same in this thread."""
    t = words.speaker(lang)
    pages = 1 + -(-len(rows) // ROWS_ON_A_PAGE)

    def foot(page: int) -> str:
        return t(
            "{account} · {first} to {last} · as of {at} · page {page} of {pages}",
            account=found.account, first=str(found.first_on), last=str(found.last_on),
            at=web.instant(found.as_of), page=page, pages=pages,
        )  # fmt: skip

    title = t("Settlement statement")
    sheet = Sheet(fonts, f"{title} {found.account}", lang, foot, landscape=True)
    _summary(sheet, found, department, t)
    for at in range(0, len(rows), ROWS_ON_A_PAGE):
        sheet.turn()
        _names(sheet, t)
        for row in rows[at : at + ROWS_ON_A_PAGE]:
            _row(sheet, row, lang, t)
    return sheet.done()


def _summary(sheet: Sheet, found: Settlement, department: str, t: words.Say) -> None:
    sheet.down(18)
    sheet.text(sheet.left, t("Settlement statement"), 19)
    if not found.final:
        sheet.text(sheet.right, t("Provisional: the period is not over"), 11, end=True)
    sheet.down(24)
    for name, said in (
        (t("Department"), department),
        (t("Shop"), found.shop),
        (t("Settlement account"), found.account),
        (t("Period"), f"{found.first_on} – {found.last_on} (UTC+8)"),
        (t("As of"), f"{web.instant(found.as_of)} (UTC+8)"),
        *([(t("Other shops on this account"), ", ".join(found.others))] if found.others else []),
    ):
        sheet.text(sheet.left, name, 10, grey=True)
        sheet.text(sheet.left + 130, sheet.fonts.fit(said, 560, 10), 10)
        sheet.down(17)
    sheet.down(6)
    sheet.rule()
    sheet.down(18)
    for name, many, minor in (
        (t("Brought forward"), None, found.opening_minor),
        (t("Paid by citizens"), found.payments, found.payments_minor),
        (t("Refunds"), found.refunds, -found.refunds_minor),
        (t("Channel fees (borne by the platform)"), None, -found.fees_minor),
        (t("Net of the period"), None, found.net_minor),
        (t("Paid out"), None, -found.paid_out_minor),
        (t("Other"), None, found.other_minor),
        (t("Carried forward (payable)"), None, found.closing_minor),
    ):
        sheet.text(sheet.left, name, 11)
        if many is not None:
            sheet.text(sheet.left + 330, str(many), 11, end=True)
        sheet.text(sheet.left + 480, yuan(minor), 11, end=True)
        sheet.down(18)
    if found.closing_minor >= 0:
        sheet.text(sheet.left, t("In capitals"), 10, grey=True)
        sheet.text(sheet.left + 130, capitals(found.closing_minor), 10)
    sheet.down(22)
    note = t(
        "All sums are the ledger's postings of the account above; the rows were compared with them order "
        "by order before this was made."
    )
    for piece in sheet.fonts.wrap(note, sheet.right - sheet.left, 8):
        sheet.text(sheet.left, piece, 8, grey=True)
        sheet.down(11)


def _names(sheet: Sheet, t: words.Say) -> None:
    sheet.down(LEAD)
    _cells(sheet, [t(name) for name, _ in COLUMNS], grey=True)
    sheet.down(5)
    sheet.rule()
    sheet.down(LEAD)


def _row(sheet: Sheet, row: EntryRow, lang: str, t: words.Say) -> None:
    order = f"{row.order_id}.{row.no}" if row.order_id else ""
    _cells(
        sheet,
        [
            web.instant(row.posted_at), t(words.KINDS[row.kind]), order, row.fee_code,
            i18n.pick(row.title, lang), row.receipt_number or "", money.yuan(row.owed_minor),
        ],
    )  # fmt: skip
    sheet.down(LEAD)


def _cells(sheet: Sheet, said: list[str], *, grey: bool = False) -> None:
    x = sheet.left
    for text, (_, width) in zip(said[:-1], COLUMNS[:-1], strict=True):
        sheet.text(x, sheet.fonts.fit(text, width - GAP, SIZE), SIZE, grey=grey)
        x += width
    sheet.text(sheet.right, said[-1], SIZE, grey=grey, end=True)
