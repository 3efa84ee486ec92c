"""Doors of split payments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from civicmall import identity
from civicmall.identity import Caller, citizen_only, sandbox_only
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from civicmall.kernel.http import problems
from civicmall.payments import service
from civicmall.payments.channels import Channels
from civicmall.payments.errors import ChannelAway, NoSuchChannel, NoSuchOrder, NotPayable
from civicmall.payments.routes import agent_of
from civicmall.payments.scope import own_shops

from . import confirm, split_of
from .errors import InsurerDeclined, NoSuchSplit
from .models import InsurerMood, InsurerState, Split, SplitAgreement
from .sandbox import SandboxInsurer


@get(
    "/orders/{order_id:uuid}/insurance",
    opt=identity.acting.LIMITED,
    responses=problems(NoSuchOrder, NoSuchSplit, NoSuchChannel),
    summary="What the medical insurance pays of an order, and what I pay",
)
async def split(
    order_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    channels: NamedDependency[Channels],
) -> Split:
    return await split_of(db, channels, caller.citizen_id, order_id)


@post(
    "/orders/{order_id:uuid}/insurance",
    opt={**identity.acting.PAY, **identity.acting.LIMITED},
    status_code=HTTP_200_OK,
    responses=problems(
        NoSuchOrder, NoSuchSplit, NoSuchChannel, NotPayable, InsurerDeclined, ChannelAway
    ),
    summary="Have the medical insurance pay its part, and see where to pay the rest",
)
async def agree(
    order_id: FromPath[UUID],
    data: JSONBody[SplitAgreement],
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    channels: NamedDependency[Channels],
    request: Request[Any, Any, Any],
) -> Split:
    return await confirm(db, channels, caller.citizen_id, order_id, data.channel, agent_of(request))


@post(
    "/sandbox/insurer/{order_id:uuid}",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchOrder, NotFound),
    summary="Have the sandbox's insurer do with an order what a real one might",
)
async def mood(
    order_id: FromPath[UUID], data: JSONBody[InsurerMood], house: NamedDependency[House]
) -> InsurerState:
    order = await service.any_order(house.db, order_id)
    return await SandboxInsurer(house).mood(order_id, order.citizen_id, data)


routers = [
    Router(
        "/v1",
        route_handlers=[split, agree],
        guards=[citizen_only, own_shops],
        tags=["payments"],
    ),
    Router("/v1", route_handlers=[mood], guards=[sandbox_only], tags=["sandbox"]),
]
