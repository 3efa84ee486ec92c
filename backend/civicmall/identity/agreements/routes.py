"""Doors of what was agreed to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from litestar import Router, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter

from civicmall.identity import acting
from civicmall.identity.errors import NotAllowed, PurposeChanged
from civicmall.identity.guards import citizen_only
from civicmall.identity.models import Caller
from civicmall.identity.tokens import Tokens
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.kernel.http import After, Limit, Page, decode_cursor, page, problems
from civicmall.shops import NoSuchApp, NoSuchShop, Registry

from . import service
from .models import Consent, ConsentAsk, PastConsent

Slug = Annotated[str, PathParameter(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
ClientId = Annotated[str, PathParameter(pattern=r"^[a-z][a-z0-9-]{2,39}$")]
ClaimName = Annotated[str, PathParameter(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


@get("/me/consents", responses=problems(), summary="What I agreed to")
async def consents(caller: NamedDependency[Caller], db: NamedDependency[Pool]) -> Page[Consent]:
    return Page(await service.consents(db, caller.citizen_id), None)


@get("/me/consents/past", responses=problems(), summary="What I agreed to once and took back")
async def past(
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    limit: Limit = 50,
    after: After = None,
) -> Page[PastConsent]:
    before: Any = decode_cursor(after, datetime, str, str)
    rows = await service.past(db, caller.citizen_id, before, limit)
    return page(rows, limit, lambda r: (r.taken_back_at, r.grantee, r.claim))


@put(
    "/me/consents/{shop:str}/{app:str}",
    responses=problems(NotAllowed, NoSuchShop, NoSuchApp, PurposeChanged),
    summary="Agree that an app gets facts about me",
)
async def give_consent(
    shop: FromPath[str],
    app: FromPath[str],
    data: JSONBody[ConsentAsk],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
) -> Consent:
    asked = registry.purposes_asked(shop, app, caller.citizen_id)
    return await service.give_consent(
        house, caller.citizen_id, shop, app, data.claims, asked, seen=data.purposes,
        by=caller.actor.id if caller.actor else None,
    )  # fmt: skip


# What is taken back isn't looked up: what was given to a shop that has left can be taken back too.
@delete("/me/consents/{shop:str}/{app:str}", responses=problems(), summary="Take a consent back")
async def take_back_consent(
    shop: Slug, app: Slug, caller: NamedDependency[Caller], house: NamedDependency[House]
) -> None:
    by = caller.actor.id if caller.actor else None
    await service.take_back(house, caller.citizen_id, f"{shop}/{app}", by=by)


@delete(
    "/me/consents/{shop:str}/{app:str}/{claim:str}",
    responses=problems(),
    summary="Take one claim back from an app",
)
async def take_back_claim(
    shop: Slug,
    app: Slug,
    claim: ClaimName,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> None:
    by = caller.actor.id if caller.actor else None
    await service.take_back(house, caller.citizen_id, f"{shop}/{app}", [claim], by=by)


@delete(
    "/me/client-consents/{client_id:str}",
    responses=problems(),
    opt=acting.SELF,
    summary="Take back what a client may know; it is signed out",
)
async def take_back_client(
    client_id: ClientId,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> None:
    for grant in await service.take_back(house, caller.citizen_id, f"{service.CLIENT}{client_id}"):
        tokens.end(grant)


@delete(
    "/me/client-consents/{client_id:str}/{claim:str}",
    responses=problems(),
    opt=acting.SELF,
    summary="Take one claim back from a client; it is signed out",
)
async def take_back_client_claim(
    client_id: ClientId,
    claim: ClaimName,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> None:
    grantee = f"{service.CLIENT}{client_id}"
    for grant in await service.take_back(house, caller.citizen_id, grantee, [claim]):
        tokens.end(grant)


router = Router(
    "/v1",
    route_handlers=[
        consents, past, give_consent, take_back_consent, take_back_claim, take_back_client,
        take_back_client_claim,
    ],
    guards=[citizen_only],
    tags=["me"],
)  # fmt: skip
