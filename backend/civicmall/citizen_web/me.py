"""What we know of a citizen, who looked, what they agreed to, and where they are signed in."""

from __future__ import annotations

import asyncio
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall import identity, recommend
from civicmall.catalogue import Catalogue
from civicmall.identity import Caller, Tokens
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.recommend import Settings
from civicmall.shops import Registry

from . import forms, rules, views
from .reader import Reader, Web
from .refuse import router as pages_router

LOOKS_SHOWN = 20
"""Rows of who looked: about a week of an active citizen; the API has the rest."""


@get("/me")
async def me(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    catalogue: NamedDependency[Catalogue],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    db, citizen = house.db, caller.citizen_id
    row, consents, looks, devices, settings = await asyncio.gather(
        identity.row(db, citizen),
        identity.consents(db, citizen),
        identity.accesses(db, citizen, None, LOOKS_SHOWN),
        identity.sessions(db, citizen),
        recommend.settings(db, citizen),
    )
    profile = identity.profile(house, row)
    return await reader.page(
        "me.html",
        profile=profile,
        facts=views.facts(catalogue, profile, reader.lang),
        consents=consents,
        purposes=_purposes(registry, reader.lang),
        looks=looks[:LOOKS_SHOWN],
        devices=devices,
        session=caller.session_id,
        recommend=settings.recommend,
        names=views.app_names(registry, reader.lang),
    )


def _purposes(registry: Registry, lang: str) -> dict[str, dict[str, str]]:
    """What each app (`shop/app`) asks each claim for."""
    return {f"{shop.id}/{app.id}": app.claims for shop in registry.views(lang) for app in shop.apps}


@get("/me/facts")
async def facts(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    catalogue: NamedDependency[Catalogue],
) -> Response[bytes]:
    profile = identity.profile(house, await identity.row(house.db, caller.citizen_id))
    return await reader.page("facts.html", fields=views.fields(catalogue, profile, reader.lang))


@post("/me/facts")
async def tell_fact(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    catalogue: NamedDependency[Catalogue],
) -> Response[bytes]:
    said = await forms.read(request, forms.Fact)
    attribute = catalogue.vocabulary.get(said.attribute)
    value = rules.fact(attribute.type if attribute else "choice", said.value)
    await identity.declare(house, caller.citizen_id, {said.attribute: value})
    notice = "forgotten" if value is None else "saved"
    return reader.go(rules.local(said.next or "/me/facts"), notice)


@post("/me/consents/revoke")
async def revoke(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    said = await forms.read(request, forms.AppRef)
    await identity.take_back_consent(
        house.db, caller.citizen_id, said.shop, said.app, house.clock.now()
    )
    return reader.go("/me", "revoked")


@post("/me/sessions/{session:uuid}/end")
async def end_session(
    session: FromPath[UUID],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    await identity.sign_out(house, tokens, caller.citizen_id, session)
    return reader.go("/me", "device_out")


@post("/me/recommend")
async def switch(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
) -> Response[bytes]:
    said = await forms.read(request, forms.Switch)
    wanted = Settings(recommend=said.on == "1")
    await recommend.change_settings(db, caller.citizen_id, wanted)
    return reader.go("/me", "on" if wanted.recommend else "off")


router = pages_router(me, facts, tell_fact, revoke, end_session, switch)
