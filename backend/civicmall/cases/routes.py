"""Doors of the case room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from civicmall import identity
from civicmall.gateway import FILLING, Gateway
from civicmall.identity import (
    Caller,
    ReasonNeeded,
    Staff,
    citizen_only,
    staff_only,
    working_only,
)
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import KeyMissing, KeyReused, KeyRunning, TooLarge
from civicmall.kernel.house import House
from civicmall.kernel.http import After, IdempotencyKey, Limit, Page, problems
from civicmall.shops import Registry
from shopkit.contract import ApplyForm
from shopkit.contract.apply import MEDIA

from . import desk, materials, rules, service, steps
from .errors import (
    MaterialUnfit,
    NoSuchCase,
    NotNow,
    TooManyCases,
    TooManyMaterials,
    WithdrawalRefused,
    WrongMedia,
)
from .models import Case, CaseItem, DeskCase, HandedIn, NewCase, NewSupplement, OpenCase

ONCE: Final = (KeyMissing, KeyReused, KeyRunning)
Variant = Annotated[
    str | None,
    QueryParameter(
        max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", required=False,
        description="Which form, where an app has several.",
    ),
]  # fmt: skip
StateFilter = Annotated[
    rules.State | None,
    QueryParameter(name="state", required=False, description="Only cases in this state."),
]
Overdue = Annotated[bool, QueryParameter(description="Only those whose department broke its word.")]


async def own_shops(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard after `citizen_only`: who acts at certain shops only sees no case of another."""
    case_id = connection.path_params.get("case")
    if isinstance(case_id, UUID):
        caller: Caller = connection.scope["state"]["caller"]
        await steps.within(connection.app.state.house.db, caller, case_id)


@dataclass
class Upload(Operation):
    """An operation whose body is a file."""

    def __post_init__(self) -> None:
        """Say so in the document; the framework knows only bodies that it decodes."""
        file = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        self.request_body = RequestBody(
            content={media: OpenAPIMediaType(schema=file) for media in MEDIA}, required=True
        )


@get(
    "/{shop:str}/apps/{app:str}/form",
    responses=problems(*FILLING),
    summary="What to fill in and hand in",
)
async def form(
    shop: FromPath[str],
    app: FromPath[str],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
    variant: Variant = None,
) -> ApplyForm:
    return await service.form(gateway, caller, shop, app, variant, lang)


@post(
    "/materials",
    opt=identity.acting.LIMITED,
    responses=problems(*ONCE, WrongMedia, MaterialUnfit, TooLarge, TooManyMaterials),
    summary="Hand in a file for the case that follows",
    request_max_body_size=rules.MATERIAL_MAX,
    operation_class=Upload,
)
async def hand_in(
    request: Request[Any, Any, Any],
    idempotency_key: IdempotencyKey,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> HandedIn:
    media = request.headers.get("content-type", "")
    materials.media_type(media)  # before the body is read
    with materials.uploading(caller.citizen_id):
        body = await request.body()
        return await materials.hand_in(house, caller, idempotency_key, media, body)


@post(
    "/",
    opt=identity.acting.LIMITED,
    responses=problems(*ONCE, TooManyCases, *FILLING),
    summary="Apply: hand in a filled form",
)
async def submit(
    data: JSONBody[NewCase],
    idempotency_key: IdempotencyKey,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
) -> CaseItem:
    return await service.submit(house, gateway, registry, caller, idempotency_key, data, lang)


@get("/", opt=identity.acting.LIMITED, responses=problems(), summary="My cases, newest first")
async def cases(
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    lang: NamedDependency[str],
    limit: Limit = 20,
    after: After = None,
) -> Page[CaseItem]:
    shops = identity.acting.limits(caller.actor)
    return await service.mine(db, caller.citizen_id, lang, limit=limit, after=after, shops=shops)


@get(
    "/{case:uuid}",
    opt=identity.acting.LIMITED,
    responses=problems(NoSuchCase),
    summary="One case, as its department tells it",
)
async def one(
    case: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
) -> Case:
    return await service.look(house, gateway, caller, case, lang)


@post(
    "/{case:uuid}/supplements",
    opt=identity.acting.LIMITED,
    responses=problems(*ONCE, NoSuchCase, NotNow, *FILLING),
    summary="Bring what was missing",
)
async def supplement(
    case: FromPath[UUID],
    data: JSONBody[NewSupplement],
    idempotency_key: IdempotencyKey,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
) -> CaseItem:
    return await service.supplement(house, gateway, caller, idempotency_key, case, data, lang)


@post(
    "/{case:uuid}/withdrawal",
    opt=identity.acting.LIMITED,
    status_code=HTTP_200_OK,
    responses=problems(NoSuchCase, NotNow, WithdrawalRefused, *FILLING),
    summary="Take an application back",
)
async def withdraw(
    case: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
) -> CaseItem:
    return await service.withdraw(house, gateway, caller, case, lang)


@get("/cases", responses=problems(), summary="Cases of a department, of all for an operator")
async def desk_cases(
    staff: NamedDependency[Staff],
    db: NamedDependency[Pool],
    in_state: StateFilter = None,  # the framework keeps the name `state` for itself
    overdue: Overdue = False,  # noqa: FBT002 (a query parameter has a name)
    limit: Limit = 50,
    after: After = None,
) -> Page[DeskCase]:
    return await desk.cases(db, staff, state=in_state, overdue=overdue, limit=limit, after=after)


@post(
    "/cases/{case:uuid}/opening",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchCase),
    summary="Open a case of my department, and say why; the citizen sees it",
)
async def open_desk_case(
    case: FromPath[UUID],
    data: JSONBody[identity.reading.OpenAsk],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
) -> identity.reading.Opened:
    return await desk.open_case(house, staff, case, data)


@get(
    "/cases/{case:uuid}",
    responses=problems(NoSuchCase, ReasonNeeded),
    summary="What was handed in with a case that I opened",
)
async def desk_case(
    case: FromPath[UUID],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    lang: NamedDependency[str],
) -> OpenCase:
    return await desk.one(house, staff, case, lang)


@get(
    "/cases/{case:uuid}/materials/{material:uuid}",
    responses=problems(NoSuchCase, ReasonNeeded),
    summary="A paper of a case that I opened",
    media_type="application/octet-stream",
)
async def desk_material(
    case: FromPath[UUID],
    material: FromPath[UUID],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
) -> Response[bytes]:
    media, body = await desk.material(house, staff, case, material)
    headers = {"content-disposition": "attachment", "cache-control": "no-store"}
    return Response(body, media_type=media, headers=headers)


routers = [
    Router("/v1/shops", route_handlers=[form], guards=[citizen_only], tags=["cases"]),
    Router(
        "/v1/cases",
        route_handlers=[hand_in, submit, cases, one, supplement, withdraw],
        guards=[citizen_only, own_shops],
        tags=["cases"],
    ),
    Router("/v1/desk", route_handlers=[desk_cases], guards=[staff_only], tags=["desk"]),
    Router(
        "/v1/desk",
        route_handlers=[open_desk_case, desk_case, desk_material],
        guards=[working_only],
        tags=["desk"],
    ),
]
