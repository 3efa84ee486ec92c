"""Doors of the rating centre."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from civicmall.identity import (
    Caller,
    NotAllowed,
    Staff,
    citizen_only,
    operator_only,
    staff_only,
    working_only,
)
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import KeyMissing, KeyReused, KeyRunning
from civicmall.kernel.house import House
from civicmall.kernel.http import After, IdempotencyKey, Limit, Page, problems, public
from civicmall.shops import NoSuchShop, Registry

from . import desk, index, service
from .asks import Answer, Appeal, Confirmation, NewRating, Reopening, Review
from .errors import (
    AlreadyRated,
    AppealedBefore,
    MovedOn,
    NoSuchRectification,
    NotFinished,
    NotRateable,
    RemindedToday,
    ReopenedTooOften,
    WrongTags,
)
from .levels import LevelsView
from .levels import view as levels_view
from .models import (
    DeskRating,
    DeskTicket,
    Rating,
    Rectification,
    RectificationItem,
    Satisfaction,
    SatisfactionDetail,
)
from .rules import State

ShopFilter = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[a-z][a-z0-9_]{1,39}$", required=False,
        description="Only this shop; departments get their own whatever they ask.",
    ),
]  # fmt: skip
StateFilter = Annotated[
    State | None,
    QueryParameter(name="state", required=False, description="Only tickets in this state."),
]
Overdue = Annotated[bool, QueryParameter(description="Only what is past its day.")]
Bad = Annotated[bool, QueryParameter(description="Only one and two stars.")]


@get("/levels", responses=problems(), summary="Levels and their tags")
async def rating_levels(lang: NamedDependency[str]) -> LevelsView:
    return levels_view(lang)


@post(
    "/",
    responses=problems(
        NotRateable, NotFinished, AlreadyRated, WrongTags, KeyMissing, KeyReused, KeyRunning
    ),
    summary="Rate a finished order or call",
)
async def rate(
    data: JSONBody[NewRating],
    idempotency_key: IdempotencyKey,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
) -> Rating:
    return await service.rate(house, registry, caller, data, idempotency_key, lang)


@get("/", responses=problems(), summary="My ratings, newest first")
async def my_ratings(
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    lang: NamedDependency[str],
    limit: Limit = 20,
    after: After = None,
) -> Page[Rating]:
    return await service.my_ratings(db, caller, lang, limit=limit, after=after)


@get("/", responses=problems(), summary="Tickets that my bad ratings opened")
async def my_rectifications(
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    lang: NamedDependency[str],
    limit: Limit = 20,
    after: After = None,
) -> Page[RectificationItem]:
    return await service.my_rectifications(house, caller, lang, limit=limit, after=after)


@get(
    "/{ticket:uuid}", responses=problems(NoSuchRectification), summary="One ticket and its history"
)
async def my_rectification(
    ticket: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    lang: NamedDependency[str],
) -> Rectification:
    return await service.my_rectification(house, caller, ticket, lang)


@post(
    "/{ticket:uuid}/confirm",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchRectification, MovedOn, WrongTags),
    summary="Accept the answer, and rate again if I like",
)
async def confirm(
    ticket: FromPath[UUID],
    data: JSONBody[Confirmation],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    lang: NamedDependency[str],
) -> Rectification:
    return await service.confirm(house, caller, ticket, data, lang)


@post(
    "/{ticket:uuid}/reopen",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchRectification, MovedOn, ReopenedTooOften),
    summary="Send the answer back",
)
async def reopen(
    ticket: FromPath[UUID],
    data: JSONBody[Reopening],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    lang: NamedDependency[str],
) -> Rectification:
    return await service.reopen(house, caller, ticket, data, lang)


@get("/ratings", responses=problems(), summary="Ratings of my shop, or of all")
async def desk_ratings(
    staff: NamedDependency[Staff],
    db: NamedDependency[Pool],
    lang: NamedDependency[str],
    shop: ShopFilter = None,
    bad: Bad = False,  # noqa: FBT002 (a query parameter has a name)
    limit: Limit = 20,
    after: After = None,
) -> Page[DeskRating]:
    return await desk.desk_ratings(db, staff, lang, shop=shop, bad=bad, limit=limit, after=after)


@get("/rectifications", responses=problems(), summary="Tickets of my shop, or of all")
async def desk_rectifications(
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    lang: NamedDependency[str],
    shop: ShopFilter = None,
    in_state: StateFilter = None,  # the framework keeps the name `state` for itself
    overdue: Overdue = False,  # noqa: FBT002 (a query parameter has a name)
    limit: Limit = 20,
    after: After = None,
) -> Page[DeskTicket]:
    return await desk.desk_rectifications(
        house, staff, lang, shop=shop, state=in_state, overdue=overdue, limit=limit, after=after
    )


@get(
    "/rectifications/{ticket:uuid}",
    responses=problems(NoSuchRectification),
    summary="One ticket and its history",
)
async def desk_rectification(
    ticket: FromPath[UUID],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    lang: NamedDependency[str],
) -> Rectification:
    return await desk.desk_rectification(house, staff, ticket, lang)


@post(
    "/rectifications/{ticket:uuid}/answer",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchRectification, NotAllowed, MovedOn),
    summary="Answer for my department",
)
async def answer(
    ticket: FromPath[UUID],
    data: JSONBody[Answer],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    lang: NamedDependency[str],
) -> Rectification:
    return await desk.answer(house, staff, ticket, data, lang)


@post(
    "/rectifications/{ticket:uuid}/appeal",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchRectification, NotAllowed, MovedOn, AppealedBefore),
    summary="Ask for a review of a mistaken or malicious rating",
)
async def appeal(
    ticket: FromPath[UUID],
    data: JSONBody[Appeal],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    lang: NamedDependency[str],
) -> Rectification:
    return await desk.appeal(house, staff, ticket, data, lang)


@post(
    "/rectifications/{ticket:uuid}/review",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchRectification, MovedOn),
    summary="Decide an appeal",
)
async def review(
    ticket: FromPath[UUID],
    data: JSONBody[Review],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    lang: NamedDependency[str],
) -> Rectification:
    return await desk.review(house, staff, ticket, data, lang)


@post(
    "/rectifications/{ticket:uuid}/remind",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchRectification, MovedOn, RemindedToday),
    summary="Remind the department",
)
async def remind(
    ticket: FromPath[UUID],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    lang: NamedDependency[str],
) -> Rectification:
    return await desk.remind(house, staff, ticket, lang)


@get("/", responses=problems(), summary="Every shop's satisfaction index")
async def satisfaction(
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
    limit: Limit = 20,
    after: After = None,
) -> Page[Satisfaction]:
    return await index.satisfaction(house, registry, lang, limit=limit, after=after)


@get("/{shop:str}", responses=problems(NoSuchShop), summary="One shop's index and its trend")
async def satisfaction_of(
    shop: FromPath[str],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
) -> SatisfactionDetail:
    return await index.satisfaction_of(house, registry, shop, lang)


TAGS = ["ratings"]
CITIZENS, STAFF, OPERATORS, ANYBODY = [citizen_only], [staff_only], [operator_only], [public]
routers = [
    Router("/v1/ratings", route_handlers=[rating_levels], guards=ANYBODY, tags=TAGS),
    Router("/v1/ratings", route_handlers=[rate, my_ratings], guards=CITIZENS, tags=TAGS),
    Router(
        "/v1/rectifications",
        route_handlers=[my_rectifications, my_rectification, confirm, reopen],
        guards=CITIZENS,
        tags=TAGS,
    ),
    Router(
        "/v1/desk",
        route_handlers=[
            desk_ratings, desk_rectifications, desk_rectification,
        ],
        guards=STAFF,
        tags=["desk"],
    ),
    Router("/v1/desk", route_handlers=[answer, appeal], guards=[working_only], tags=["desk"]),
    Router("/v1/desk", route_handlers=[review, remind], guards=OPERATORS, tags=["desk"]),
    Router(
        "/v1/satisfaction",
        route_handlers=[satisfaction, satisfaction_of],
        guards=ANYBODY,
        tags=TAGS,
    ),
]  # fmt: skip
