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

from . import forms, trail, views
from .reader import Reader, Web
from .refuse import router as pages_router

LOOKS_SHOWN = 5
"""The newest of who looked; /me/accesses has the rest."""


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
        identity.sessions(house, citizen, caller.session_id),
        recommend.settings(db, citizen),
    )
    profile = identity.profile(house, row)
    return await reader.page(
        "me.html",
        profile=profile,
        facts=views.facts(catalogue, profile, reader.lang),
        consents=consents,
        looks=looks[:LOOKS_SHOWN],
        devices=devices if caller.actor is None else [],
        session=caller.session_id,
        recommend=settings.recommend,
        callers=await trail.callers(
            house, registry, reader.lang, [c.grantee for c in consents], looks[:LOOKS_SHOWN]
        ),
    )


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


@post("/me/recommend", opt=identity.acting.APPLY)
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


router = pages_router(me, end_session, switch)
