"""Doors of papers: receipts, their verification, statements, payouts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from civicmall import identity
from civicmall.identity import Caller, Staff, citizen_only, operator_only, staff_only
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import KeyMissing, KeyReused, KeyRunning
from civicmall.kernel.house import House
from civicmall.kernel.http import (
    After,
    IdempotencyKey,
    Limit,
    Page,
    decode_cursor,
    page,
    problems,
    public,
)
from civicmall.payments.errors import NoReceipt, NoSuchOrder
from civicmall.payments.models import Slug
from civicmall.payments.scope import own_shops
from civicmall.shops import NoSuchShop, Registry

from . import codes, payouts, receipts, statement_csv, statement_pdf, statements, views
from .errors import (
    AccountShared,
    BadPeriod,
    CodeForged,
    CodeMistyped,
    MoreThanOwed,
    NoSettlementAccount,
    NotSettledYet,
    PeriodNotOver,
    SettlementDiffers,
    StatementTooLong,
)
from .models import Account, CheckedReceipt, NewPayout, Payout, Settlement

First = Annotated[date, QueryParameter(name="from", description="The first day, in the city.")]
Last = Annotated[date, QueryParameter(name="to", description="The last day, in the city.")]
Shop = Annotated[
    Slug | None,
    QueryParameter(required=False, description="Whose; a department's own where none is named."),
]
OfAccount = Annotated[
    Account | None,
    QueryParameter(required=False, description="An earlier settlement account of the shop."),
]
Code = Annotated[
    str,
    QueryParameter(
        min_length=1,
        max_length=codes.GIVEN_MAX,
        description="As printed; case and hyphens are free.",
    ),
]
STATEMENT = (
    NoSuchShop, NoSettlementAccount, AccountShared, BadPeriod, NotSettledYet, SettlementDiffers,
)  # fmt: skip


@get(
    "/orders/{order_id:uuid}/receipt.pdf",
    opt=identity.acting.LIMITED,
    media_type="application/pdf",
    responses=problems(NoSuchOrder, NoReceipt),
    summary="Proof of payment as PDF, with a QR code that anybody can verify",
)
async def receipt_file(
    order_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
) -> Response[bytes]:
    number, body = await receipts.pdf(house, registry, caller.citizen_id, order_id, lang)
    return views.pdf(body, f"receipt-{number}", lang)


@get(
    "/receipts/verify",
    responses=problems(CodeMistyped, CodeForged),
    summary="How the receipt of a code stands now",
)
async def verify(
    code: Code,
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
) -> CheckedReceipt:
    return await receipts.check(house, registry, code, lang)


@get("/settlement", responses=problems(*STATEMENT), summary="What a department was paid, summed up")
async def settlement(
    first_on: First,
    last_on: Last,
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    shop: Shop = None,
    account: OfAccount = None,
) -> Settlement:
    asked = await statements.wanted(house, registry, staff, first_on, last_on, shop, account)
    return await statements.settlement(house, asked)


@get(
    "/settlement.csv",
    media_type="text/csv",
    responses=problems(*STATEMENT, StatementTooLong),
    summary="A settlement statement with every row, as CSV",
)
async def settlement_csv(
    first_on: First,
    last_on: Last,
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
    shop: Shop = None,
    account: OfAccount = None,
) -> Stream:
    asked = await statements.wanted(house, registry, staff, first_on, last_on, shop, account)
    return views.csv(asked, (await statement_csv.file(house, asked, lang))[1], lang)


@get(
    "/settlement.pdf",
    media_type="application/pdf",
    responses=problems(*STATEMENT, StatementTooLong),
    summary="A settlement statement with every row, as PDF",
)
async def settlement_pdf(
    first_on: First,
    last_on: Last,
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
    shop: Shop = None,
    account: OfAccount = None,
) -> Response[bytes]:
    asked = await statements.wanted(house, registry, staff, first_on, last_on, shop, account)
    _, body = await statement_pdf.file(house, registry, asked, lang)
    return views.pdf(body, views.name_of(asked), lang)


@get(
    "/payouts",
    responses=problems(NoSuchShop, NoSettlementAccount, AccountShared),
    summary="What was paid out to a department, newest first",
)
async def payout_list(
    staff: NamedDependency[Staff],
    db: NamedDependency[Pool],
    registry: NamedDependency[Registry],
    shop: Shop = None,
    account: OfAccount = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[Payout]:
    key: Any = decode_cursor(after, datetime, UUID)
    _, found = await statements.whose(db, registry, staff, shop, account)
    rows = await payouts.some(db, found, key, limit)
    return page(rows, limit, lambda one: (one.paid_at, one.id))


@post(
    "/payouts",
    guards=[operator_only],
    responses=problems(*STATEMENT, PeriodNotOver, MoreThanOwed, KeyMissing, KeyReused, KeyRunning),
    summary="Record that a statement was paid out",
)
async def pay_out(
    data: JSONBody[NewPayout],
    idempotency_key: IdempotencyKey,
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
) -> Payout:
    return await payouts.record(house, registry, staff, idempotency_key, data)


routers = [
    Router(
        "/v1",
        route_handlers=[receipt_file],
        guards=[citizen_only, own_shops],
        tags=["payments"],
    ),
    Router("/v1", route_handlers=[verify], guards=[public], tags=["payments"]),
    Router(
        "/v1/desk",
        route_handlers=[settlement, settlement_csv, settlement_pdf, payout_list, pay_out],
        guards=[staff_only],
        tags=["desk"],
    ),
]
