"""The way to a channel's cashier, and the sandbox bank's own, as a browser uses it.

That bank is not ours: it looks like somebody else's.
"""

from __future__ import annotations

import io
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

import segno
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from civicmall import payments
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from civicmall.payments import Cashier, CashierClosed, Codes, NoSuchOrder, Order, Sandbox
from civicmall.shops import Registry

from . import forms, rules, views
from .reader import Reader, Web
from .refuse import router as pages_router

Token = Annotated[str, QueryParameter(max_length=64, required=False)]
Code = Annotated[str, QueryParameter(max_length=600, required=False)]
MODULE_PX = 6
"""Of a QR code on a screen that a phone is held before."""


async def onward(reader: Reader, found: Cashier) -> Response[bytes]:
    """To a cashier: straight on where it is on our own pages; to another house by a page of ours,
    since browsers let no form of ours lead there.
    """
    path = rules.after(found.url, reader.house.settings.public_url)
    if path.startswith("/"):
        return reader.go(path)
    return await reader.page(
        "cashier_away.html", cashier=found, url=path, host=urlsplit(path).hostname
    )


@get("/cashier/{order_id:uuid}")
async def code(
    order_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    code: Code = "",
    token: Token = "",
) -> Response[bytes]:
    """A code to scan with the phone that pays."""
    Codes(house).check(order_id, code, token)
    drawn = io.BytesIO()
    segno.make(code, error="m", micro=False).save(
        drawn, kind="svg", scale=MODULE_PX, xmldecl=False, svgns=True, light="#fff"
    )
    return await reader.page(
        "cashier_code.html", order_id=order_id, order=await _own(reader, order_id),
        svg=drawn.getvalue().decode(),
    )  # fmt: skip


def sandbox_only(house: House) -> None:
    """A real city has no such pages. Raises NotFound."""
    if not house.settings.sandbox:
        raise NotFound


@get("/sandbox/cashier/{order_id:uuid}")
async def cashier(
    order_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    token: Token = "",
) -> Response[bytes]:
    sandbox_only(house)
    at = await Sandbox(house).at_cashier(order_id, token)
    order = await _own(reader, order_id)
    names = views.app_names(registry, reader.lang)
    departments = {
        names[key].department
        for line in (order.lines if order else ())
        if (key := f"{line.shop}/{line.app}") in names
    }
    return await reader.page(
        "cashier.html", at=at, token=token, order=order, payees=sorted(departments)
    )


async def _own(reader: Reader, order_id: UUID) -> Order | None:
    """The order, where the payer is its citizen: the bank itself knows only the amount."""
    if reader.served is None:
        return None
    try:
        return await payments.order(
            reader.house.db, reader.served.citizen_id, order_id, reader.lang
        )
    except NoSuchOrder:
        return None


@post("/sandbox/cashier/{order_id:uuid}")
async def choose(
    order_id: FromPath[UUID],
    request: Web,
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
) -> Response[bytes]:
    sandbox_only(house)
    said = await forms.read(request, forms.AtCashier)
    back = f"/orders/{order_id}"
    try:
        await Sandbox(house).choose(order_id, said.token, said.choice)
    except CashierClosed as refusal:
        if "state" not in refusal.extra:  # a wrong link, not a payment that is over
            raise
        return reader.go(back)
    if said.choice == "declined":
        return reader.go(back, "declined")
    return reader.go(f"{back}?from=bank")


router = pages_router(cashier, choose, code)
