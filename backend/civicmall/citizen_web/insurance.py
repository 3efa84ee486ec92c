"""Who pays what of an order: the medical insurance and the payer, agreed to before anything is taken."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall import identity, payments
from civicmall.identity import Caller
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.payments import Channels, NotPayable, insurance

from . import cashier, forms, rules, words
from .reader import Reader, Web
from .refuse import router as pages_router


@get("/orders/{order_id:uuid}/insurance")
async def split(
    order_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    channels: NamedDependency[Channels],
) -> Response[bytes]:
    seen = await insurance.split_of(db, channels, caller.citizen_id, order_id)
    order = await payments.order(db, caller.citizen_id, order_id, reader.lang)
    open_ = order.state == "paying" and seen.state in {"quoted", "deducting", "deducted"}
    return await reader.page(
        "insurance.html", split=seen, order=order, open=open_, state=words.SPLITS[seen.state],
        others=[(one.name, one.title[reader.lang]) for one in rules.ways(channels)],
    )  # fmt: skip


@post("/orders/{order_id:uuid}/insurance/quote", opt=identity.acting.PAY)
async def quote(
    order_id: FromPath[UUID],
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    channels: NamedDependency[Channels],
) -> Response[bytes]:
    """Go to the insurance's own page, as to any channel's cashier."""
    try:
        at = await payments.pay(
            house, channels, caller.citizen_id, order_id, insurance.NAME, payments.agent_of(request)
        )
    except NotPayable:
        return reader.go(f"/orders/{order_id}", "not_payable")
    except insurance.NotInsured:
        return reader.go(f"/orders/{order_id}", "not_insured")
    return await cashier.onward(reader, at)


@post("/orders/{order_id:uuid}/insurance", opt=identity.acting.PAY)
async def agree(
    order_id: FromPath[UUID],
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    channels: NamedDependency[Channels],
) -> Response[bytes]:
    said = await forms.read(request, forms.Insured)
    agent = payments.agent_of(request)
    back = f"/orders/{order_id}"
    try:
        seen = await insurance.confirm(
            house.db, channels, caller.citizen_id, order_id, said.channel, agent
        )
    except NotPayable:
        return reader.go(back, "not_payable")
    except insurance.InsurerDeclined:
        return reader.go(back, "insurer_declined")
    if seen.cashier is not None:
        return await cashier.onward(reader, seen.cashier)
    return reader.go(back if seen.state == "paid" else f"{back}/insurance")


router = pages_router(split, quote, agree)
