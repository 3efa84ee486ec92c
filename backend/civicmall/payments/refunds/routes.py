"""Doors of refunds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct

from civicmall import identity
from civicmall.identity import (
    Caller,
    Staff,
    citizen_only,
    deciding_only,
    operator_only,
    staff_only,
)
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
)
from civicmall.payments.errors import (
    NoSuchOrder,
    NoSuchRefund,
    NotRefundable,
    RefundDecided,
    SecondPersonNeeded,
)
from civicmall.payments.models import ChannelName, Txn
from civicmall.payments.scope import own_shops

from . import service
from .models import DeskDecision, DeskRefund, Refund, RefundOrder, RefundWish

OnlyOpen = Annotated[bool, QueryParameter(description="Only those that have not ended.")]


class Refunds(Struct, frozen=True):
    """All refunds of one order, oldest first."""

    items: list[Refund]
    next: str | None = None


class MoneyBack(Struct, frozen=True, forbid_unknown_fields=True):
    """Money that fits no order, by the channel's number of its payment."""

    order_id: UUID
    channel: ChannelName
    txn: Txn


@post(
    "/orders/{order_id:uuid}/refunds",
    opt=identity.acting.LIMITED,
    responses=problems(NoSuchOrder, NotRefundable, KeyMissing, KeyReused, KeyRunning),
    summary="Ask for money back",
)
async def wish(
    order_id: FromPath[UUID],
    data: JSONBody[RefundWish],
    idempotency_key: IdempotencyKey,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Refund:
    return await service.wish(house, caller.citizen_id, order_id, idempotency_key, data)


@get(
    "/orders/{order_id:uuid}/refunds",
    opt=identity.acting.LIMITED,
    responses=problems(NoSuchOrder),
    summary="An order's refunds",
)
async def of_order(
    order_id: FromPath[UUID], caller: NamedDependency[Caller], db: NamedDependency[Pool]
) -> Refunds:
    return Refunds(await service.of_order(db, caller.citizen_id, order_id))


@get("/refunds", responses=problems(), summary="Refunds of my shop, or of all")
async def desk_refunds(
    staff: NamedDependency[Staff],
    db: NamedDependency[Pool],
    limit: Limit = 50,
    after: After = None,
    *,
    only_open: OnlyOpen = False,
) -> Page[DeskRefund]:
    key: Any = decode_cursor(after, datetime, UUID)
    rows = await service.desk_refunds(db, staff, key, limit, only_open=only_open)
    return page(rows, limit, lambda r: (r.asked_at, r.refund_id))


@post(
    "/refunds",
    guards=[deciding_only],
    responses=problems(NoSuchOrder, NotRefundable, KeyMissing, KeyReused, KeyRunning),
    summary="Send money of a line back",
)
async def order_refund(
    data: JSONBody[RefundOrder],
    idempotency_key: IdempotencyKey,
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
) -> DeskDecision:
    return await service.order_refund(house, staff, idempotency_key, data)


@post(
    "/refunds/{refund_id:uuid}/approve",
    guards=[deciding_only],
    status_code=HTTP_200_OK,
    responses=problems(NoSuchRefund, RefundDecided, SecondPersonNeeded),
    summary="Let a refund go, or try it again",
)
async def approve(
    refund_id: FromPath[UUID], staff: NamedDependency[Staff], house: NamedDependency[House]
) -> DeskDecision:
    return await service.approve(house, staff, refund_id)


@post(
    "/refunds/{refund_id:uuid}/decline",
    guards=[deciding_only],
    status_code=HTTP_200_OK,
    responses=problems(NoSuchRefund, RefundDecided),
    summary="Decline a refund",
)
async def decline(
    refund_id: FromPath[UUID], staff: NamedDependency[Staff], house: NamedDependency[House]
) -> DeskDecision:
    return await service.decline(house, staff, refund_id)


@post(
    "/mismatches/return",
    status_code=HTTP_200_OK,
    responses=problems(NotRefundable),
    summary="Send money back that fits no order",
)
async def return_money(
    data: JSONBody[MoneyBack], staff: NamedDependency[Staff], house: NamedDependency[House]
) -> DeskDecision:
    return await service.return_money(house, staff, data.order_id, data.channel, data.txn)


routers = [
    Router(
        "/v1",
        route_handlers=[wish, of_order],
        guards=[citizen_only, own_shops],
        tags=["payments"],
    ),
    Router(
        "/v1/desk",
        route_handlers=[desk_refunds, order_refund, approve, decline],
        guards=[staff_only],
        tags=["desk"],
    ),
    Router("/v1/desk", route_handlers=[return_money], guards=[operator_only], tags=["desk"]),
]
