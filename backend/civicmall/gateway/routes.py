"""Doors of the gateway: the typed answers of every shop's apps."""

from __future__ import annotations

from typing import Annotated

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from civicmall.identity import Caller, citizen_only, operator_only
from civicmall.kernel.http import Limit, Page, problems
from civicmall.shops import NoSuchApp, NoSuchShop
from shopkit import BillDetail, BillsQuery, ProgressQuery

from .errors import (
    ConsentNeeded,
    LevelTooLow,
    NoSuchThing,
    ShopBadAnswer,
    ShopFailed,
    ShopRefused,
    ShopTimeout,
    ShopUnavailable,
    TooManyCalls,
)
from .models import Bills, Health, Matters
from .service import Gateway

MAY_FAIL = problems(
    NoSuchShop, NoSuchApp, NoSuchThing, ConsentNeeded, LevelTooLow, ShopRefused, ShopBadAnswer,
    ShopFailed, ShopUnavailable, ShopTimeout, TooManyCalls,
)  # fmt: skip
Paid = Annotated[bool, QueryParameter(description="Also those that were paid.")]
MatterId = Annotated[
    str | None,
    QueryParameter(
        max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", required=False,
        description="Only this matter.",
    ),
]  # fmt: skip


@get("/{shop:str}/apps/{app:str}/bills", responses=MAY_FAIL, summary="What I owe at an app")
async def bills(
    shop: FromPath[str],
    app: FromPath[str],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
    paid: Paid = False,  # noqa: FBT002 (a query parameter has a name)
    limit: Limit = 50,
) -> Bills:
    return await gateway.bills(caller, shop, app, BillsQuery(paid=paid, limit=limit), lang)


@get(
    "/{shop:str}/apps/{app:str}/bills/{bill:str}", responses=MAY_FAIL, summary="One bill, explained"
)
async def bill(
    shop: FromPath[str],
    app: FromPath[str],
    bill: FromPath[str],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
) -> BillDetail:
    return await gateway.bill(caller, shop, app, bill, lang)


@get("/{shop:str}/apps/{app:str}/progress", responses=MAY_FAIL, summary="Where my matters stand")
async def progress(
    shop: FromPath[str],
    app: FromPath[str],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
    id: MatterId = None,  # noqa: A002 (the contract's word)
    limit: Limit = 20,
) -> Matters:
    return await gateway.progress(caller, shop, app, ProgressQuery(id=id, limit=limit), lang)


@get("/shops/health", responses=problems(), summary="How every shop does")
async def health(gateway: NamedDependency[Gateway]) -> Page[Health]:
    return Page(gateway.health(), None)


routers = [
    Router(
        "/v1/shops", route_handlers=[bills, bill, progress], guards=[citizen_only], tags=["shops"]
    ),
    Router("/v1/desk", route_handlers=[health], guards=[operator_only], tags=["desk"]),
]
