"""Doors of objections to readings: the citizen's, and the operators'."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from civicmall.identity import acting
from civicmall.identity.audit import Seq
from civicmall.identity.errors import SecondOperatorNeeded
from civicmall.identity.guards import citizen_only, operator_only
from civicmall.identity.models import Caller, Staff
from civicmall.kernel.errors import KeyMissing, KeyReused, KeyRunning
from civicmall.kernel.house import House
from civicmall.kernel.http import (
    After,
    IdempotencyKey,
    Limit,
    Page,
    decode_cursor,
    page,
    problems,
)

from . import service
from .errors import (
    AlreadyAnswered,
    AlreadyObjected,
    NoSuchObjection,
    NoSuchReading,
    TooManyObjections,
)
from .models import Answering, DeskObjection, NewObjection, ReadingObjection

Answered = Annotated[
    bool,
    QueryParameter(required=False, description="Those that are answered, not those that wait."),
]


@post(
    "/me/accesses/{line:int}/objection",
    responses=problems(
        NoSuchReading, AlreadyObjected, TooManyObjections, KeyMissing, KeyReused, KeyRunning
    ),
    opt=acting.SELF,
    summary="Say that I don't agree with a reading of my data",
)
async def object_to(
    line: FromPath[int],
    data: JSONBody[NewObjection],
    key: IdempotencyKey,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> ReadingObjection:
    return await service.raise_objection(house, caller.citizen_id, key, line, data.words)


@get(
    "/me/reading-objections",
    responses=problems(),
    opt=acting.SELF,
    summary="What I objected to, and the answers",
)
async def mine(
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    limit: Limit = 50,
    after: After = None,
) -> Page[ReadingObjection]:
    before: Any = decode_cursor(after, Seq)
    rows = await service.mine(house, caller.citizen_id, before and before[0], limit)
    return page(rows, limit, lambda one: (one.line,))


@get(
    "/reading-objections",
    responses=problems(),
    summary="Citizens' objections to readings of their data, what is due first standing first",
)
async def objections(
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    answered: Answered = False,  # noqa: FBT002 (a query parameter)
    limit: Limit = 50,
    after: After = None,
) -> Page[DeskObjection]:
    key: Any = decode_cursor(after, UUID)
    rows = await service.waiting(house, staff, key and key[0], limit, answered=answered)
    return page(rows, limit, lambda one: (one.id,))


@post(
    "/reading-objections/{objection:uuid}/answer",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchObjection, SecondOperatorNeeded, AlreadyAnswered),
    summary="Answer an objection to a reading",
)
async def answer(
    objection: FromPath[UUID],
    data: JSONBody[Answering],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
) -> DeskObjection:
    return await service.answer(house, staff, objection, data.text)


routers = [
    Router("/v1", route_handlers=[object_to, mine], guards=[citizen_only], tags=["me"]),
    Router("/v1/desk", route_handlers=[objections, answer], guards=[operator_only], tags=["desk"]),
]
