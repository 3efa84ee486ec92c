"""The home: what life calls for now and what is owed; for strangers, what this is."""

from __future__ import annotations

import asyncio

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall import identity, recommend
from civicmall.catalogue import Catalogue, item_view, links, stage_views
from civicmall.gateway import Gateway
from civicmall.identity import Caller
from civicmall.kernel.clock import CITY
from civicmall.kernel.house import House
from civicmall.recommend import FeedbackAsk
from civicmall.shops import Registry

from . import forms, rules, views
from .reader import Reader, Web
from .refuse import router as pages_router

BILLS_SHOWN = 4
"""A home is not a ledger; the rest is one tap away."""


@get("/")
async def home(
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    catalogue: NamedDependency[Catalogue],
    registry: NamedDependency[Registry],
    gateway: NamedDependency[Gateway],
) -> Response[bytes]:
    served = reader.served
    if served is None:
        return await _welcome(reader, catalogue, registry)
    if shops := identity.acting.limits(served.actor):
        return reader.go(f"/shops/{shops[0]}")
    found, row = await asyncio.gather(
        recommend.home(house, catalogue, registry, gateway, served, reader.lang),
        identity.row(house.db, served.citizen_id),
    )
    names = views.app_names(registry, reader.lang)
    return await reader.page(
        "home.html",
        greeting=reader.t(rules.greeting(house.clock.now().astimezone(CITY).hour)),
        profile=identity.profile(house, row),
        home=found,
        due=views.due(found.owed),
        tiles=views.tiles(found.tiles, names),
        names=names,
        shops=registry.views(reader.lang),
        shown=BILLS_SHOWN,
        stages=stage_views(catalogue, reader.lang),
    )


async def _welcome(reader: Reader, catalogue: Catalogue, registry: Registry) -> Response[bytes]:
    apps = links(registry, reader.lang)
    online = [
        item_view(catalogue, entry, apps, reader.lang)
        for entry in catalogue.entries
        if entry.item.code in apps
    ]
    return await reader.page(
        "welcome.html",
        stages=stage_views(catalogue, reader.lang),
        shops=registry.views(reader.lang),
        online=online,
        items=len(catalogue.entries),
    )


@post("/cards/{item:str}")
async def card_said(
    item: FromPath[str],
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    catalogue: NamedDependency[Catalogue],
) -> Response[bytes]:
    said = await forms.read(request, forms.CardSaid)
    ask = FeedbackAsk(said.action)
    await recommend.give_feedback(house, catalogue, caller.citizen_id, item, ask)
    return reader.go("/", "card_away")


router = pages_router(home, card_said)
