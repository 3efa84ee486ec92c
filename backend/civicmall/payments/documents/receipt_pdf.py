"""A receipt as PDF."""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from civicmall.kernel import web

from . import codes, words
from .capitals import capitals
from .models import Paper, PaperLine
from .paper import Fonts, Pen, Sheet, yuan

pen: Final = Pen("receipt")
QR_SIDE: Final = 104.0
LABEL: Final = 132.0
"""How wide the column of names is."""
SIZE: Final = 9.5
LEAD: Final = 14.0


async def draw(paper: Paper, lang: str, caller: UUID | None = None) -> bytes:
    """The receipt as a file. Raises Unavailable where too many wait, or too many of this caller."""
    return await pen.draw(partial(drawn, paper, lang), caller)


def drawn(paper: Paper, lang: str, fonts: Fonts) -> bytes:
    """The same in this thread; laid out twice, since a page says how many there are."""
    return _sheet(paper, lang, fonts, _sheet(paper, lang, fonts, 0).page).done()


def _sheet(paper: Paper, lang: str, fonts: Fonts, pages: int) -> Sheet:
    t = words.speaker(lang)

    def foot(page: int) -> str:
        return t(
            "Receipt {number} · as of {at} · page {page} of {pages}",
            number=paper.number, at=_at(paper), page=page, pages=pages,
        )  # fmt: skip

    sheet = Sheet(fonts, f"{t('Payment receipt')} {paper.number}", lang, foot)
    _head(sheet, paper, lang, t)
    for line in paper.lines:
        _line(sheet, line, t)
    _sums(sheet, paper, t)
    return sheet


def _at(paper: Paper) -> str:
    return web.instant(paper.as_of)


def _head(sheet: Sheet, paper: Paper, lang: str, t: words.Say) -> None:
    sheet.qr(paper.url, sheet.right - QR_SIDE + 10, sheet.top - QR_SIDE + 14, QR_SIDE)
    sheet.down(16)
    sheet.text(sheet.left, t("Payment receipt"), 20)
    sheet.down(20)
    sheet.text(sheet.left, t("CivicMall, the city's payment centre"), 9, grey=True)
    sheet.down(26)
    wide = sheet.right - sheet.left - QR_SIDE
    _fact(sheet, t("Receipt number"), paper.number, wide)
    _fact(sheet, t("How it stands"), t(words.STATES[paper.state]), wide)
    _fact(sheet, t("As of"), f"{_at(paper)} (UTC+8)", wide)
    _fact(sheet, t("Paid at"), f"{web.instant(paper.paid_at)} (UTC+8)", wide)
    _fact(sheet, t("Order"), str(paper.order_id), wide)
    through = f"{words.channel(lang, paper.channel)} · {paper.channel_txn}"
    _fact(sheet, t("Through"), through, wide)
    for tender in paper.tenders:
        _fact(sheet, "", f"{words.channel(lang, tender.name)} {yuan(tender.amount_minor)}", wide)


def _fact(sheet: Sheet, name: str, said: str, wide: float = 0) -> None:
    wide = wide or sheet.right - sheet.left
    for number, piece in enumerate(sheet.fonts.wrap(said, wide - LABEL, SIZE)):
        if not sheet.room(LEAD):
            sheet.turn()
        if not number:
            sheet.text(sheet.left, name, SIZE, grey=True)
        sheet.text(sheet.left + LABEL, piece, SIZE)
        sheet.down(LEAD)


def _line(sheet: Sheet, line: PaperLine, t: words.Say) -> None:
    if not sheet.room(8 * LEAD):
        sheet.turn()
    sheet.down(2)
    sheet.rule()
    sheet.down(LEAD + 2)
    wide = sheet.right - sheet.left - 110
    for number, piece in enumerate(sheet.fonts.wrap(f"{line.no}. {line.title}", wide, 11)):
        sheet.text(sheet.left, piece, 11)
        if not number:
            sheet.text(sheet.right, yuan(line.amount_minor), 11, end=True)
        sheet.down(LEAD + 1)
    _fact(sheet, t("Department"), line.department)
    _fact(sheet, t("Fee"), line.fee_code)
    _fact(sheet, t("For"), line.beneficiary)
    _fact(sheet, t("Billing period"), line.period)
    none = t("not acknowledged by the department")
    _fact(sheet, t("The department's receipt"), line.receipt_number or none)
    if line.refunded_minor:
        _fact(sheet, t("Refunded"), yuan(line.refunded_minor))


def _sums(sheet: Sheet, paper: Paper, t: words.Say) -> None:
    if not sheet.room((9 + len(paper.refunds)) * LEAD):
        sheet.turn()
    sheet.down(2)
    sheet.rule()
    sheet.down(LEAD + 4)
    _fact(sheet, t("Total"), yuan(paper.amount_minor))
    _fact(sheet, t("In capitals"), capitals(paper.amount_minor))
    for one in paper.refunds:
        said = t("{amount} on {at}, of line {no}", amount=yuan(one.amount_minor),
                 at=web.instant(one.ended_at), no=one.no)  # fmt: skip
        _fact(sheet, t("Refund"), said)
    if paper.refunded_minor:
        _fact(sheet, t("Refunded in all"), yuan(paper.refunded_minor))
        _fact(sheet, t("Remains paid"), yuan(paper.amount_minor - paper.refunded_minor))
    sheet.down(4)
    _fact(sheet, t("Code"), codes.grouped(paper.code))
    _fact(sheet, t("Verify at"), paper.url)
    note = t(
        "One payment has one receipt and one number, however often it is printed. This paper tells how "
        "it stood at the time above; what counts is what the page behind the QR code says now."
    )
    for piece in sheet.fonts.wrap(note, sheet.right - sheet.left, 8):
        if not sheet.room(11):
            sheet.turn()
        sheet.text(sheet.left, piece, 8, grey=True)
        sheet.down(11)
