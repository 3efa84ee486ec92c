"""Doors of the releases: departments hand in and look, operators decide."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from civicmall.identity import NotAllowed, Staff, operator_only, staff_only
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import KeyMissing, KeyReused, KeyRunning
from civicmall.kernel.house import House
from civicmall.kernel.http import After, IdempotencyKey, Limit, Page, problems
from civicmall.shops import Registry

from . import service
from .errors import (
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
from .rules import STATES

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
MOVES = problems(NoSuchRelease, ReleaseMoved, FourEyes)


@post(
    "/releases",
    responses=problems(
        NotAllowed, NotYourShop, BadShopManifest, ReportFailed, VersionNotHigher,
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


@post(
    "/releases/{release:uuid}/approve",
    status_code=HTTP_200_OK, responses=MOVES, summary="Find a release good",
)  # fmt: skip
async def approve(
    release: FromPath[UUID],
    data: JSONBody[Remark],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    staff: NamedDependency[Staff],
) -> ReleaseDetail:
    return await service.move(house, registry, staff, release, "approve", note=data.note)


@post(
    "/releases/{release:uuid}/reject",
    status_code=HTTP_200_OK, responses=MOVES, summary="Send a release back, with the reason",
)  # fmt: skip
async def reject(
    release: FromPath[UUID],
    data: JSONBody[Because],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    staff: NamedDependency[Staff],
) -> ReleaseDetail:
    return await service.move(house, registry, staff, release, "reject", note=data.note)


@post(
    "/releases/{release:uuid}/canary",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchRelease, ReleaseMoved, FourEyes, CanaryRunning),
    summary="Try a release with a share of the citizens; again to change the share",
)
async def canary(
    release: FromPath[UUID],
    data: JSONBody[CanaryAsk],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    staff: NamedDependency[Staff],
) -> ReleaseDetail:
    return await service.move(
        house, registry, staff, release, "canary", note=data.note, percent=data.percent
    )


@post(
    "/releases/{release:uuid}/publish",
    status_code=HTTP_200_OK, responses=MOVES, summary="Put a release before all citizens",
)  # fmt: skip
async def publish(
    release: FromPath[UUID],
    data: JSONBody[Remark],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    staff: NamedDependency[Staff],
) -> ReleaseDetail:
    return await service.move(house, registry, staff, release, "publish", note=data.note)


@post(
    "/releases/{release:uuid}/rollback",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchRelease, ReleaseMoved, NothingBefore),
    summary="Take a release back: the one before it is live again, at once",
)
async def rollback(
    release: FromPath[UUID],
    data: JSONBody[Because],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    staff: NamedDependency[Staff],
) -> ReleaseDetail:
    return await service.move(house, registry, staff, release, "rollback", note=data.note)


@post(
    "/releases/{release:uuid}/suspend",
    status_code=HTTP_200_OK, responses=MOVES, summary="Close a shop for the time being",
)  # fmt: skip
async def suspend(
    release: FromPath[UUID],
    data: JSONBody[Because],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    staff: NamedDependency[Staff],
) -> ReleaseDetail:
    return await service.move(house, registry, staff, release, "suspend", note=data.note)


@post(
    "/releases/{release:uuid}/resume",
    status_code=HTTP_200_OK, responses=MOVES, summary="Open a suspended shop again",
)  # fmt: skip
async def resume(
    release: FromPath[UUID],
    data: JSONBody[Remark],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    staff: NamedDependency[Staff],
) -> ReleaseDetail:
    return await service.move(house, registry, staff, release, "resume", note=data.note)


@post(
    "/releases/{release:uuid}/retire",
    status_code=HTTP_200_OK, responses=MOVES, summary="Close a shop for good",
)  # fmt: skip
async def retire(
    release: FromPath[UUID],
    data: JSONBody[Because],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    staff: NamedDependency[Staff],
) -> ReleaseDetail:
    return await service.move(house, registry, staff, release, "retire", note=data.note)


routers = [
    Router("/v1/desk", route_handlers=[submit, some, one], guards=[staff_only], tags=["desk"]),
    Router(
        "/v1/desk",
        route_handlers=[approve, reject, canary, publish, rollback, suspend, resume, retire],
        guards=[operator_only],
        tags=["desk"],
    ),
]
