"""Receipts as paper: the file for who paid, and for everybody the page behind its QR code."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from civicmall import payments
from civicmall.identity import Caller
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House
from civicmall.shops import Registry

from .reader import Reader
from .refuse import router as pages_router
from .words import Tone

STATES: Final[dict[str, tuple[str, Tone]]] = {
    "valid": ("Valid: nothing was refunded", "good"),
    "part_refunded": ("Partly refunded", "warn"),
    "refunded": ("Refunded in full", "bad"),
}
Code = Annotated[str, QueryParameter(max_length=200, required=False)]


@get("/orders/{order_id:uuid}/receipt.pdf")
async def receipt_file(
    order_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    documents = payments.documents
    number, body = await documents.receipts.pdf(
        house, registry, caller.citizen_id, order_id, reader.lang
    )
    views = documents.views
    return views.kept_by_nobody(views.pdf(body, f"receipt-{number}", reader.lang))


@get("/verify/{code:str}")
async def scanned(
    code: FromPath[str],
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    return await _shown(reader, house, registry, code)


@get("/receipt-check")
async def typed(
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    code: Code = "",
) -> Response[bytes]:
    return await _shown(reader, house, registry, code)


async def _shown(reader: Reader, house: House, registry: Registry, code: str) -> Response[bytes]:
    """How the receipt stands, or what is wrong with its code, with a field to type it into."""
    found: payments.documents.CheckedReceipt | None = None
    wrong: Problem | None = None
    if code:
        try:
            found = await payments.documents.receipts.check(house, registry, code, reader.lang)
        except (payments.documents.CodeMistyped, payments.documents.CodeForged) as problem:
            wrong = problem
    return await reader.page(
        "receipt_check.html",
        status=wrong.status if wrong else 200,
        found=found,
        wrong=wrong.title if wrong else "",
        code=code,
        state=STATES[found.state] if found else None,
    )


router = pages_router(receipt_file, scanned, typed)
