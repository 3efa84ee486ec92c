"""Doors of the payment centre."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct

from civicmall import gateway as gate
from civicmall import identity
from civicmall.gateway import Gateway
from civicmall.identity import Caller, Staff, citizen_only, sandbox_only, staff_only
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import KeyMissing, KeyReused, KeyRunning, NotFound
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
from civicmall.shops import NoSuchApp, NoSuchShop, Registry

from . import desk, scope, service, settlement
from .channels import Channels
from .channels.medical_insurance.errors import NotInsured
from .channels.sandbox import Choice, Sandbox, SandboxState
from .errors import (
    CashierClosed,
    ChannelAway,
    ChargeInOrder,
    ChargeTwice,
    ForgedCallback,
    NoReceipt,
    NoSuchChannel,
    NoSuchOrder,
    NotCancellable,
    NotPayable,
)
from .models import (
    Agent,
    Cashier,
    DeskPayment,
    NewOrder,
    Order,
    OrderReceipt,
    PayAsk,
    ShopTotal,
)

Days = Annotated[int, QueryParameter(ge=1, le=366, description="How many days back.")]


class CashierChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """What to do at the sandbox's cashier; `token` came with the cashier's link."""

    token: str
    choice: Choice = "paid"


@post(
    "/orders",
    opt={**identity.acting.PAY, **identity.acting.LIMITED},
    responses=problems(
        KeyMissing, KeyReused, KeyRunning, ChargeInOrder, ChargeTwice, NoSuchShop, NoSuchApp,
        gate.NoSuchThing, gate.ConsentNeeded, gate.LevelTooLow, gate.ShopRefused,
        gate.ShopBadAnswer, gate.ShopFailed, gate.ShopUnavailable, gate.ShopTimeout, gate.TooManyCalls,
    ),
    summary="Order the payment of one or more charges",
)  # fmt: skip
async def create(
    data: JSONBody[NewOrder],
    idempotency_key: IdempotencyKey,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
) -> Order:
    return await service.create_order(house, gateway, registry, caller, idempotency_key, data, lang)


@get(
    "/orders", opt=identity.acting.LIMITED, responses=problems(), summary="My orders, newest first"
)
async def orders(
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    lang: NamedDependency[str],
    limit: Limit = 20,
    after: After = None,
) -> Page[Order]:
    key = decode_cursor(after, UUID)
    before = None if key is None else key[0]
    shops = identity.acting.limits(caller.actor)
    rows = await service.orders(db, caller.citizen_id, before, limit, lang, shops)
    return page(rows, limit, lambda o: (o.id,))


@get(
    "/orders/{order_id:uuid}",
    opt=identity.acting.LIMITED,
    responses=problems(NoSuchOrder),
    summary="One order",
)
async def order(
    order_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    lang: NamedDependency[str],
) -> Order:
    return await service.order(db, caller.citizen_id, order_id, lang)


def agent_of(request: Request[Any, Any, Any]) -> Agent:
    """Whom a channel shall show its pages to."""
    address = request.client.host if request.client else ""
    return Agent(request.headers.get("user-agent", "")[:400], address)


@post(
    "/orders/{order_id:uuid}/pay",
    opt={**identity.acting.PAY, **identity.acting.LIMITED},
    status_code=HTTP_200_OK,
    responses=problems(NoSuchOrder, NoSuchChannel, NotPayable, NotInsured, ChannelAway),
    summary="Where to pay an order",
)
async def pay(
    order_id: FromPath[UUID],
    data: JSONBody[PayAsk],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    channels: NamedDependency[Channels],
    request: Request[Any, Any, Any],
) -> Cashier:
    agent = agent_of(request)
    return await service.pay(house, channels, caller.citizen_id, order_id, data.channel, agent)


@post(
    "/orders/{order_id:uuid}/cancel",
    opt={**identity.acting.PAY, **identity.acting.LIMITED},
    status_code=HTTP_200_OK,
    responses=problems(NoSuchOrder, NotCancellable, ChannelAway),
    summary="Give an order up",
)
async def cancel(
    order_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    channels: NamedDependency[Channels],
    lang: NamedDependency[str],
) -> Order:
    return await service.cancel(house, channels, caller.citizen_id, order_id, lang)


@get(
    "/orders/{order_id:uuid}/receipt",
    opt=identity.acting.LIMITED,
    responses=problems(NoSuchOrder, NoReceipt),
    summary="Proof of payment",
)
async def receipt(
    order_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    lang: NamedDependency[str],
) -> OrderReceipt:
    return await service.receipt(db, caller.citizen_id, order_id, lang)


@post(
    "/channels/{channel:str}/callbacks",
    status_code=HTTP_200_OK,
    media_type=MediaType.TEXT,  # what each channel wants to hear
    responses=problems(NoSuchChannel, ForgedCallback),
    summary="A channel tells of a payment or refund (signed, in the channel's own format)",
)
async def callback(
    channel: FromPath[str],
    request: Request[Any, Any, Any],
    house: NamedDependency[House],
    channels: NamedDependency[Channels],
) -> Response[bytes]:
    through = channels.get(channel)
    if through is None:
        raise NoSuchChannel(channel=channel)
    told = through.parse_callback(request.headers, await request.body())
    outcome = await settlement.hear(house, *await channels.whole(through.name, told))
    body, media_type = through.acknowledge(outcome)
    return Response(body, media_type=media_type)


@post(
    "/sandbox/cashier/{order_id:uuid}",
    status_code=HTTP_200_OK,
    responses=problems(CashierClosed, NotFound),
    summary="Do at the sandbox's cashier what a payer would",
)
async def cashier(
    order_id: FromPath[UUID], data: JSONBody[CashierChoice], house: NamedDependency[House]
) -> SandboxState:
    return await Sandbox(house).choose(order_id, data.token, data.choice)


@get("/payments", responses=problems(), summary="Paid lines of my shop, or of all")
async def desk_payments(
    staff: NamedDependency[Staff],
    db: NamedDependency[Pool],
    limit: Limit = 50,
    after: After = None,
) -> Page[DeskPayment]:
    key: Any = decode_cursor(after, datetime, UUID, int)
    rows = await desk.payments(db, staff, key, limit)
    return page(rows, limit, lambda r: (r.paid_at, r.order_id, r.no))


@get("/totals", responses=problems(), summary="What my shop, or each shop, was paid")
async def desk_totals(
    staff: NamedDependency[Staff], db: NamedDependency[Pool], days: Days = 30
) -> Page[ShopTotal]:
    return Page(await desk.totals(db, staff, days), None)


routers = [
    Router(
        "/v1",
        route_handlers=[create, orders, order, pay, cancel, receipt],
        guards=[citizen_only, scope.own_shops],
        tags=["payments"],
    ),
    Router("/v1", route_handlers=[callback], guards=[public], tags=["channels"]),
    Router("/v1", route_handlers=[cashier], guards=[sandbox_only], tags=["sandbox"]),
    Router(
        "/v1/desk",
        route_handlers=[desk_payments, desk_totals],
        guards=[staff_only],
        tags=["desk"],
    ),
]
