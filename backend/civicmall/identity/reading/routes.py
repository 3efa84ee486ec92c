"""Doors of looking a citizen up."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from civicmall.identity.errors import NoSuchLookup, RequestOver, SecondOperatorNeeded
from civicmall.identity.guards import operator_only
from civicmall.identity.models import Staff
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from civicmall.kernel.http import After, Limit, Page, decode_cursor, page, problems

from . import service
from .models import Found, Lookup, LookupAsk, Reveal


@post(
    "/citizens/lookup",
    status_code=HTTP_202_ACCEPTED,
    responses=problems(),
    summary="Ask to look a citizen up; another operator decides",
)
async def ask_lookup(
    data: JSONBody[LookupAsk], staff: NamedDependency[Staff], house: NamedDependency[House]
) -> Lookup:
    return await service.ask(house, staff, data)


@get("/citizens/lookup", responses=problems(), summary="Look-ups, newest first")
async def lookups(
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    limit: Limit = 50,
    after: After = None,
) -> Page[Lookup]:
    key: Any = decode_cursor(after, datetime, UUID)
    rows = await service.some(house, staff, key, limit)
    return page(rows, limit, lambda one: (one.asked_at, one.id))


@post(
    "/citizens/lookup/{lookup:uuid}/approve",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchLookup, SecondOperatorNeeded, RequestOver),
    summary="Let a colleague look a citizen up, for a quarter of an hour",
)
async def approve_lookup(
    lookup: FromPath[UUID], staff: NamedDependency[Staff], house: NamedDependency[House]
) -> Lookup:
    return await service.decide(house, staff, lookup, yes=True)


@post(
    "/citizens/lookup/{lookup:uuid}/decline",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchLookup, RequestOver),
    summary="Don't let a colleague look a citizen up",
)
async def decline_lookup(
    lookup: FromPath[UUID], staff: NamedDependency[Staff], house: NamedDependency[House]
) -> Lookup:
    return await service.decide(house, staff, lookup, yes=False)


@get(
    "/citizens/lookup/{lookup:uuid}",
    responses=problems(NoSuchLookup, SecondOperatorNeeded, RequestOver, NotFound),
    summary="Whom my approved look-up found, masked",
)
async def found_citizen(
    lookup: FromPath[UUID], staff: NamedDependency[Staff], house: NamedDependency[House]
) -> Found:
    return await service.look(house, staff, lookup)


@post(
    "/citizens/lookup/{lookup:uuid}/reveal",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchLookup, SecondOperatorNeeded, RequestOver, NotFound),
    summary="The same with some of it in clear; the citizen sees that it was",
)
async def reveal(
    lookup: FromPath[UUID],
    data: JSONBody[Reveal],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
) -> Found:
    return await service.look(house, staff, lookup, data.claims)


routers = [
    Router(
        "/v1/desk",
        route_handlers=[
            ask_lookup, lookups, approve_lookup, decline_lookup, found_citizen, reveal,
        ],
        guards=[operator_only],
        tags=["desk"],
    ),
]  # fmt: skip
