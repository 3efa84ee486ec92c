"""Shops and their apps: bills with all that explains them, matters with where they stand."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from civicmall import identity, ratings
from civicmall.gateway import ConsentNeeded, Gateway
from civicmall.identity import Caller
from civicmall.kernel.house import House
from civicmall.kernel.i18n import pick
from civicmall.shops import Registry
from shopkit import BillsQuery, ProgressQuery

from . import forms, rules, views
from .reader import Reader, Web
from .refuse import router as pages_router

BILLS_MAX = 50
MATTERS_MAX = 20
Paid = Annotated[bool, QueryParameter(required=False)]
Next = Annotated[str, QueryParameter(required=False)]


@get("/shops")
async def shops(
    reader: NamedDependency[Reader], registry: NamedDependency[Registry]
) -> Response[bytes]:
    return await reader.page("shops.html", shops=registry.views(reader.lang))


@get("/shops/{shop:str}")
async def shop(
    shop: FromPath[str],
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    found = await ratings.satisfaction_of(house, registry, shop, reader.lang)
    return await reader.page(
        "shop.html",
        shop=registry.view(shop, reader.lang),
        manifest=registry.manifest(shop),
        index=found.index,
    )


@get("/shops/{shop:str}/{app:str}")
async def app(
    shop: FromPath[str],
    app: FromPath[str],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    registry: NamedDependency[Registry],
    paid: Paid = False,  # noqa: FBT002 (a query parameter has a name)
    next: Next = "",  # noqa: A002 (what the address calls it)
) -> Response[bytes]:
    manifest = registry.app(shop, app)
    common: dict[str, Any] = {
        "shop": registry.view(shop, reader.lang),
        "app": manifest,
        "names": views.app_names(registry, reader.lang),
    }
    bills = matters = None
    try:
        _, declared = gateway.calls.way(shop, app, caller.citizen_id)
        await gateway.calls.check_rights(caller, shop, declared)
        if "bills" in manifest.capabilities:
            query = BillsQuery(paid=paid, limit=BILLS_MAX)
            bills = await gateway.bills(caller, shop, app, query, reader.lang)
        if "progress" in manifest.capabilities:
            asked = ProgressQuery(limit=MATTERS_MAX)
            matters = await gateway.progress(caller, shop, app, asked, reader.lang)
    except ConsentNeeded as refusal:
        return await reader.page(
            "consent.html", missing=refusal.extra["claims"],
            next=rules.local(next) if next else f"/shops/{shop}/{app}", **common,
        )  # fmt: skip
    return await reader.page("app.html", bills=bills, matters=matters, paid=paid, **common)


@post("/shops/{shop:str}/{app:str}/consent")
async def agree(
    shop: FromPath[str],
    app: FromPath[str],
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    said = await forms.read(request, forms.Agreed)
    if not said.claim:
        return reader.go(rules.local(said.next), "agreed")
    asked = registry.purposes_asked(shop, app, caller.citizen_id)
    seen = dict(zip(said.claim, said.purpose, strict=False)) or None
    try:
        await identity.give_consent(
            house, caller.citizen_id, shop, app, said.claim, asked, seen=seen, keep=True,
            by=caller.actor.id if caller.actor else None,
        )  # fmt: skip
    except identity.PurposeChanged:
        return reader.go(rules.local(said.next))  # where it is asked anew, with what it says now
    return reader.go(rules.local(said.next), "agreed")


@get("/shops/{shop:str}/{app:str}/bills/{bill:str}")
async def bill(
    shop: FromPath[str],
    app: FromPath[str],
    bill: FromPath[str],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    detail = await gateway.bill(caller, shop, app, bill, reader.lang)
    usage = detail.usage_milli
    cited = [pick(line.source, reader.lang) for line in detail.lines if line.source]
    return await reader.page(
        "bill.html",
        detail=detail,
        bill=detail.bill,
        sources=list(dict.fromkeys(cited)),
        change=None if usage is None else rules.change(usage, detail.last_year_usage_milli),
        shop=registry.view(shop, reader.lang),
        app=registry.app(shop, app),
    )


router = pages_router(shops, shop, app, agree, bill)
