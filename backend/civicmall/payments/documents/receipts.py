"""Receipts: one per payment, as it stands now; and what anybody with its code may see."""

from __future__ import annotations

from uuid import UUID

from civicmall.kernel import i18n, ids
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.payments import service
from civicmall.payments.errors import NoReceipt, NoSuchOrder
from civicmall.payments.models import LineRow, OrderRow, Tender
from civicmall.shops import Registry

from . import codes, receipt_pdf, rules
from .errors import CodeForged
from .models import (
    CheckedLine,
    CheckedReceipt,
    DoneRefund,
    Paper,
    PaperLine,
    PaperRefund,
)
from .queries import q


async def paper(
    house: House, registry: Registry, citizen_id: UUID, order_id: UUID, lang: str
) -> Paper:
    """The receipt of a citizen's own payment. Raises NoSuchOrder, NoReceipt."""
    found = await service.own_order(house.db, citizen_id, order_id)
    return await _paper(house, registry, found, lang)


async def pdf(
    house: House, registry: Registry, citizen_id: UUID, order_id: UUID, lang: str
) -> tuple[str, bytes]:
    """Its number and the PDF. Raises NoSuchOrder, NoReceipt, Unavailable."""
    found = await paper(house, registry, citizen_id, order_id, lang)
    return found.number, await receipt_pdf.draw(found, lang, citizen_id)


async def check(house: House, registry: Registry, given: str, lang: str) -> CheckedReceipt:
    """How the receipt of this code stands now. Raises CodeMistyped, CodeForged.

    A code that passed is ours, so an order that is not there, or has no receipt, is no code of this
    city's data: the keys are another installation's.
    """
    order_id = codes.order_of(house.keys, given)
    try:
        row = await service.any_order(house.db, order_id)
        found = await _paper(house, registry, row, lang)
    except (NoSuchOrder, NoReceipt) as error:
        raise CodeForged from error
    return CheckedReceipt(
        number=found.number,
        state=found.state,
        paid_at=found.paid_at,
        channel=found.channel,
        amount_minor=found.amount_minor,
        refunded_minor=found.refunded_minor,
        currency=found.currency,
        checked_at=found.as_of,
        lines=[
            CheckedLine(
                no=line.no,
                department=line.department,
                title=line.title,
                beneficiary=rules.masked(line.beneficiary),
                period=line.period,
                amount_minor=line.amount_minor,
                refunded_minor=line.refunded_minor,
                receipt_number=line.receipt_number,
            )
            for line in found.lines
        ],
    )


async def _paper(house: House, registry: Registry, row: OrderRow, lang: str) -> Paper:
    """All sums are of the lines, which one statement read: they belong together."""
    lines = await service.lines(house.db, row.id)
    acknowledged = any(line.receipt for line in lines)
    if row.paid_at is None or row.channel is None or row.channel_txn is None or not acknowledged:
        raise NoReceipt(state=row.state)
    refunds = await _refunds(house.db, row.id, lines)
    code = codes.code(house.keys, row.id)
    split = list(zip(row.tenders or [], row.tender_minor or [], strict=True))
    return Paper(
        number=codes.number(row.id, row.paid_at),
        code=code,
        url=f"{house.settings.public_url}/verify/{code}",
        order_id=row.id,
        state=rules.state(lines),
        paid_at=row.paid_at,
        channel=row.channel,
        channel_txn=row.channel_txn,
        tenders=[Tender(name, minor) for name, minor in split] if len(split) > 1 else [],
        amount_minor=sum(line.amount_minor for line in lines),
        refunded_minor=sum(line.refunded_minor for line in lines),
        currency=row.currency,
        as_of=house.clock.now(),
        lines=[_line(registry, line, lang) for line in lines],
        refunds=refunds,
    )


async def _refunds(db: Db, order_id: UUID, lines: list[LineRow]) -> list[PaperRefund]:
    """What the lines already count: one that ended since they were read is on the next paper."""
    done: list[DoneRefund] = await q.refunds_done(
        db, bucket=ids.bucket_of(order_id), order_id=order_id
    )
    left = {line.no: line.refunded_minor for line in lines}
    found: list[PaperRefund] = []
    for one in done:
        if one.amount_minor <= left[one.no]:
            left[one.no] -= one.amount_minor
            found.append(PaperRefund(one.no, one.amount_minor, one.ended_at))
    return found


def _line(registry: Registry, line: LineRow, lang: str) -> PaperLine:
    said = line.receipt or {}
    return PaperLine(
        no=line.no,
        department=i18n.pick(said.get("issuer") or registry.name(line.shop), lang),
        title=i18n.pick(line.title, lang),
        fee_code=line.fee_code,
        beneficiary=i18n.pick(line.beneficiary, lang),
        period=line.period,
        amount_minor=line.amount_minor,
        refunded_minor=line.refunded_minor,
        receipt_number=said.get("number"),
    )
