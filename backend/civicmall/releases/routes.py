"""Doors of the releases: departments hand in and look, operators decide."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct

from civicmall.identity import NotAllowed, Staff, manager_only, operator_only, staff_only
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import KeyMissing, KeyReused, KeyRunning, Problem
from civicmall.kernel.house import House
from civicmall.kernel.http import After, IdempotencyKey, Limit, Page, problems
from civicmall.shops import Registry

from . import service
from .errors import (
    AccountTaken,
    BadShopManifest,
    CanaryRunning,
    FourEyes,
    NoSuchRelease,
    NothingBefore,
    NotYourShop,
    ReleaseMoved,
    ReportFailed,
    VersionNotHigher,
)
from .models import Because, CanaryAsk, Release, ReleaseDetail, Remark, Submission
from .rules import STATES, Move

ShopFilter = Annotated[
    str | None,
    QueryParameter(max_length=40, required=False, description="Only this shop's."),
]
StateFilter = Annotated[
    str | None,
    QueryParameter(
        name="state",
        pattern=f"^({'|'.join(STATES)})$",
        required=False,
        description="Only in this state.",
    ),
]


@post(
    "/releases",
    guards=[manager_only],
    responses=problems(
        NotAllowed, NotYourShop, BadShopManifest, ReportFailed, AccountTaken, VersionNotHigher,
        KeyMissing, KeyReused, KeyRunning,
    ),
    summary="Hand in a release of my department's shop",
)  # fmt: skip
async def submit(
    data: JSONBody[Submission],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    staff: NamedDependency[Staff],
    idempotency_key: IdempotencyKey,
) -> Release:
    return await service.submit(house, registry, staff, data, idempotency_key)


@get("/releases", responses=problems(), summary="Releases, newest first")
async def some(
    db: NamedDependency[Pool],
    staff: NamedDependency[Staff],
    shop: ShopFilter = None,
    in_state: StateFilter = None,
    limit: Limit = 20,
    after: After = None,
) -> Page[Release]:
    states = [in_state] if in_state else None
    return await service.some(db, staff, shop=shop, states=states, limit=limit, after=after)


@get(
    "/releases/{release:uuid}",
    responses=problems(NoSuchRelease),
    summary="One release: what it changes, its report, its history",
)
async def one(
    release: FromPath[UUID], db: NamedDependency[Pool], staff: NamedDependency[Staff]
) -> ReleaseDetail:
    return await service.one(db, staff, release)


def _step(
    move: Move, asked: type[Struct], summary: str, *refusals: type[Problem]
) -> HTTPRouteHandler:
    """The address of one step, and what it asks for."""

    async def take(
        release: FromPath[UUID],
        data: Any,
        house: NamedDependency[House],
        registry: NamedDependency[Registry],
        staff: NamedDependency[Staff],
    ) -> ReleaseDetail:
        percent = data.percent if isinstance(data, CanaryAsk) else None
        return await service.move(
            house, registry, staff, release, move, note=data.note, percent=percent
        )

    take.__name__ = move  # the document calls the operation by it
    take.__annotations__["data"] = JSONBody[asked]  # which only this call knows
    return post(
        f"/releases/{{release:uuid}}/{move}",
        status_code=HTTP_200_OK,
        responses=problems(NoSuchRelease, ReleaseMoved, *refusals),
        summary=summary,
    )(take)


steps = [
    _step("approve", Remark, "Find a release good", FourEyes),
    _step("reject", Because, "Send a release back, with the reason", FourEyes),
    _step("canary", CanaryAsk, "Try a release with a share of the citizens; again to change the share",
          FourEyes, CanaryRunning),
    _step("publish", Remark, "Put a release before all citizens", FourEyes),
    _step("rollback", Because, "Take a release back: the one before it is live again, at once",
          NothingBefore),
    _step("suspend", Because, "Close a shop for the time being", FourEyes),
    _step("resume", Remark, "Open a suspended shop again", FourEyes),
    _step("retire", Because, "Close a shop for good", FourEyes),
]  # fmt: skip


routers = [
    Router("/v1/desk", route_handlers=[submit, some, one], guards=[staff_only], tags=["desk"]),
    Router("/v1/desk", route_handlers=steps, guards=[operator_only], tags=["desk"]),
]
