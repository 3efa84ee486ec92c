"""What of a payer's orders somebody who acts for them at certain shops may see and pay."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from civicmall import identity
from civicmall.identity import Caller
from civicmall.kernel.db import Db

from . import service
from .errors import NoSuchOrder


async def within(db: Db, caller: Caller, order_id: UUID) -> None:
    """That an order has nothing of other shops in it. Raises NoSuchOrder, as for somebody else's."""
    if identity.acting.limits(caller.actor) is None:
        return
    if not all(
        identity.acting.holds_at(caller.actor, line.shop)
        for line in await service.lines(db, order_id)
    ):
        raise NoSuchOrder


async def own_shops(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard after `citizen_only`: the same for the order in the address, if there is one."""
    caller: Caller = connection.scope["state"]["caller"]
    order_id = connection.path_params.get("order_id")
    if isinstance(order_id, UUID):
        await within(connection.app.state.house.db, caller, order_id)
