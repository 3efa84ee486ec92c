"""Doors of real-name levels beyond the register; that one is among the room's own."""

from __future__ import annotations

from uuid import UUID

from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from civicmall.identity.errors import NotAllowed
from civicmall.identity.guards import citizen_only, working_only
from civicmall.identity.models import Caller, Staff, Verified
from civicmall.identity.rules import ACCESS_S
from civicmall.identity.tokens import Tokens
from civicmall.kernel.house import House
from civicmall.kernel.http import problems

from . import counter, face
from .authority import Authority
from .errors import (
    AuthorityAway,
    CounterRefused,
    FaceCheckFailed,
    FaceCheckOver,
    FaceCheckWaiting,
    FaceOfAnother,
    RealNameFirst,
    TooManyVerifications,
)
from .models import CounterCheck, CounterCode, CounterDone, FaceCheck


@post(
    "/me/face-checks",
    status_code=HTTP_200_OK,
    responses=problems(RealNameFirst, TooManyVerifications, AuthorityAway),
    summary="Begin a face check on the authority's page",
)
async def begin(
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    authority: NamedDependency[Authority],
) -> FaceCheck:
    return await face.begin(house, authority.faces, caller.citizen_id)


@post(
    "/me/face-checks/{check:uuid}/result",
    status_code=HTTP_200_OK,
    responses=problems(
        FaceCheckOver, FaceCheckWaiting, FaceCheckFailed, FaceOfAnother, AuthorityAway
    ),
    summary="Have the result fetched; a good one raises my level to 3",
)
async def finish(
    check: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
    authority: NamedDependency[Authority],
) -> Verified:
    found = await face.finish(house, authority.faces, caller.citizen_id, check)
    raised = Caller(caller.citizen_id, caller.session_id, found.level)
    return Verified(found, tokens.access(raised), ACCESS_S)


@post(
    "/me/counter-codes",
    status_code=HTTP_200_OK,
    responses=problems(RealNameFirst, TooManyVerifications),
    summary="A code to show at a counter",
)
async def show_code(caller: NamedDependency[Caller], house: NamedDependency[House]) -> CounterCode:
    return await counter.show_code(house, caller.citizen_id)


@post(
    "/desk/counter-checks",
    status_code=HTTP_200_OK,
    responses=problems(NotAllowed, CounterRefused, TooManyVerifications),
    summary="Confirm having seen a citizen with their ID card",
)
async def confirm(
    data: JSONBody[CounterCheck], staff: NamedDependency[Staff], house: NamedDependency[House]
) -> CounterDone:
    return await counter.confirm(house, staff, data)


routers = [
    Router(
        "/v1",
        route_handlers=[begin, finish, show_code],
        guards=[citizen_only],
        tags=["me"],
        opt={"acting": "no"},
    ),
    Router("/v1", route_handlers=[confirm], guards=[working_only], tags=["desk"]),
]
