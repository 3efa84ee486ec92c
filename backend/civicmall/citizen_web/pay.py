"""Bills from everywhere, orders, and the way to the cashier and back."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from civicmall import identity, payments, ratings
from civicmall.gateway import Gateway
from civicmall.identity import Caller
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import BadRequest
from civicmall.kernel.house import House
from civicmall.kernel.http import decode_cursor, page
from civicmall.payments import Channels, ChargeInOrder, NewOrder, NotPayable
from civicmall.shops import Registry

from . import cashier, forms, rules, views, words
from .reader import Reader, Web
from .refuse import router as pages_router

ORDERS_SHOWN = 10
After = Annotated[str | None, QueryParameter(max_length=400, required=False)]
From = Annotated[str, QueryParameter(name="from", max_length=10, required=False)]


@get("/bills")
async def bills(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    owed = await gateway.owed(caller, reader.lang)
    names = views.app_names(registry, reader.lang)
    return await reader.page(
        "bills.html", due=views.due(owed.bills), tiles=views.tiles(owed.tiles, names), names=names
    )


@get("/orders")
async def orders(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    after: After = None,
) -> Response[bytes]:
    (last,) = decode_cursor(after, UUID) or (None,)
    shops = identity.acting.limits(caller.actor)
    rows = await payments.orders(db, caller.citizen_id, last, ORDERS_SHOWN, reader.lang, shops)
    return await reader.page("orders.html", orders=page(rows, ORDERS_SHOWN, lambda o: (o.id,)))


@post("/orders", opt=identity.acting.PAY)
async def order(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    registry: NamedDependency[Registry],
    channels: NamedDependency[Channels],
) -> Response[bytes]:
    """From ticked bills to the cashier."""
    wanted = await forms.read(request, forms.Wanted)
    if not wanted.charge:
        return reader.go("/bills", "nothing_chosen")
    if len(set(wanted.charge)) > rules.CHARGES_MAX:
        return reader.go("/bills", "too_many")
    try:
        charges = rules.charges(wanted.charge)
    except msgspec.ValidationError as error:
        raise BadRequest(field="charge") from error
    key = rules.order_key(wanted.key, charges)
    try:
        made = await payments.create_order(
            house, gateway, registry, caller, key, NewOrder(charges), reader.lang
        )
    except ChargeInOrder as refusal:
        return reader.go(_order_path(refusal.extra["order_id"]), "in_order")
    (one, *others) = rules.ways(channels)
    if others:
        return reader.go(f"/orders/{made.id}")
    return await _cashier(request, reader, caller, channels, made.id, one.name)


def _order_path(order_id: str) -> str:
    try:
        return f"/orders/{UUID(order_id)}"
    except ValueError:  # the other order ended in this very moment
        return "/orders"


async def _cashier(
    request: Web, reader: Reader, caller: Caller, channels: Channels, order_id: UUID, channel: str
) -> Response[bytes]:
    agent = payments.agent_of(request)
    try:
        found = await payments.pay(
            reader.house, channels, caller.citizen_id, order_id, channel, agent
        )
    except NotPayable:
        return reader.go(f"/orders/{order_id}", "not_payable")
    return await cashier.onward(reader, found)


@get("/orders/{order_id:uuid}")
async def one_order(
    order_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    registry: NamedDependency[Registry],
    channels: NamedDependency[Channels],
    came_from: From = "",
) -> Response[bytes]:
    if (whole := await payments.insurance.whole_order(db, order_id)) is not None:
        # A channel that took a part sends the payer back by the part's number.
        return reader.go(f"/orders/{whole}" + (f"?from={came_from}" if came_from == "bank" else ""))
    found = await payments.order(db, caller.citizen_id, order_id, reader.lang)
    subject = ratings.Subject("order", order_id)
    awaited = found.state == "paying" and came_from == "bank"
    return await reader.page(
        "order.html",
        order=found,
        ways=[(one.name, one.title[reader.lang]) for one in rules.ways(channels)],
        state=words.AWAITED if awaited else words.ORDERS[found.state],
        awaited=awaited,
        polled=found.state in rules.POLLED and (awaited or found.state != "paying"),
        rating=await ratings.rating_of(db, caller, subject, reader.lang),
        names=views.app_names(registry, reader.lang),
        insurable=payments.insurance.insurable(reader.house, channels, found),
        refunds=await payments.refunds.of_order(db, caller.citizen_id, order_id),
        actors=await identity.delegation.names(
            reader.house, {found.acted_by} if found.acted_by else set()
        ),
    )


@post("/orders/{order_id:uuid}/pay", opt=identity.acting.PAY)
async def pay(
    order_id: FromPath[UUID],
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    channels: NamedDependency[Channels],
) -> Response[bytes]:
    said = await forms.read(request, forms.PaidBy)
    channel = said.channel or rules.ways(channels)[0].name
    return await _cashier(request, reader, caller, channels, order_id, channel)


@post("/orders/{order_id:uuid}/cancel", opt=identity.acting.PAY)
async def cancel(
    order_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    channels: NamedDependency[Channels],
) -> Response[bytes]:
    await payments.cancel(house, channels, caller.citizen_id, order_id, reader.lang)
    return reader.go(f"/orders/{order_id}", "cancelled")


@get("/orders/{order_id:uuid}/receipt")
async def receipt(
    order_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
) -> Response[bytes]:
    found = await payments.receipt(db, caller.citizen_id, order_id, reader.lang)
    return await reader.page("receipt.html", receipt=found)


router = pages_router(bills, orders, order, one_order, pay, cancel, receipt)
