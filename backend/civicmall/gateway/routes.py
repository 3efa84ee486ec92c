"""Doors of the gateway: the typed answers of every shop's apps."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from civicmall import identity
from civicmall.identity import Caller, Tokens, citizen_only, overseer_only
from civicmall.kernel.errors import NotFound, TooLarge
from civicmall.kernel.http import Limit, Page, problems, public
from civicmall.shops import NoSuchShop
from shopkit import BillDetail, BillsQuery, ProgressQuery

from .callbacks import NEWS_MAX
from .errors import ASKING, CallbackRefused, ShopUnavailable
from .models import Bills, Health, Matters
from .rules import ID
from .service import Gateway
from .typed import before

MAY_FAIL = problems(*ASKING)
Paid = Annotated[bool, QueryParameter(description="Also those that were paid.")]
MatterId = Annotated[
    str | None,
    QueryParameter(max_length=80, pattern=ID, required=False, description="Only this matter."),
]


@get(
    "/{shop:str}/apps/{app:str}/bills",
    opt=before("bills"),
    responses=MAY_FAIL,
    summary="What I owe at an app",
)
async def bills(
    shop: FromPath[str],
    app: FromPath[str],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
    paid: Paid = False,  # noqa: FBT002 (a query parameter has a name)
    limit: Limit = 50,
) -> Bills:
    return await gateway.bills(caller, shop, app, BillsQuery(paid=paid, limit=limit), lang)


@get(
    "/{shop:str}/apps/{app:str}/bills/{bill:str}",
    opt=before("bills"),
    responses=MAY_FAIL,
    summary="One bill, explained",
)
async def bill(
    shop: FromPath[str],
    app: FromPath[str],
    bill: FromPath[str],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
) -> BillDetail:
    return await gateway.bill(caller, shop, app, bill, lang)


@get(
    "/{shop:str}/apps/{app:str}/progress",
    opt=before("progress"),
    responses=MAY_FAIL,
    summary="Where my matters stand",
)
async def progress(
    shop: FromPath[str],
    app: FromPath[str],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
    id: MatterId = None,  # noqa: A002 (the contract's word)
    limit: Limit = 20,
) -> Matters:
    return await gateway.progress(caller, shop, app, ProgressQuery(id=id, limit=limit), lang)


@get("/shops/health", responses=problems(), summary="How every shop does")
async def health(gateway: NamedDependency[Gateway]) -> Page[Health]:
    return Page(gateway.health(), None)


@post(
    "/{shop:str}/cases/{case:str}",
    status_code=204,
    request_max_body_size=NEWS_MAX,
    responses=problems(CallbackRefused, NotFound, TooLarge),
    summary="A shop's news of a case (signed, RFC 9421)",
)
async def case_news(
    request: Request[Any, Any, Any],
    shop: FromPath[str],
    case: FromPath[str],
    gateway: NamedDependency[Gateway],
) -> None:
    await gateway.callbacks.news(request, shop, case)


@get(
    "/{shop:str}/cases/{case:str}/materials/{material:str}",
    responses=problems(CallbackRefused, NotFound),
    summary="What was handed in with a shop's case (signed, RFC 9421)",
)
async def case_material(
    request: Request[Any, Any, Any],
    shop: FromPath[str],
    case: FromPath[str],
    material: FromPath[str],
    gateway: NamedDependency[Gateway],
) -> Response[bytes]:
    media, body = await gateway.callbacks.material(request, shop, case, material)
    return Response(body, media_type=media)


@post(
    "/{shop:str}/introspection",
    status_code=200,
    request_max_body_size=NEWS_MAX,
    responses=problems(CallbackRefused, TooLarge),
    summary="Whether a mini-app's token still holds (signed, RFC 9421; RFC 7662)",
)
async def introspection(
    request: Request[Any, Any, Any],
    shop: FromPath[str],
    gateway: NamedDependency[Gateway],
    tokens: NamedDependency[Tokens],
) -> identity.exchange.introspect.Introspected:
    token = await gateway.callbacks.token(request, shop)
    return identity.exchange.introspect.for_shop(tokens, shop, token)


@post(
    "/{shop:str}/attestations",
    status_code=204,
    request_max_body_size=NEWS_MAX,
    responses=problems(
        CallbackRefused, NotFound, TooLarge, identity.BadAttestation, ShopUnavailable, NoSuchShop
    ),
    summary="What a shop attests of a citizen (signed, RFC 9421; CloudEvents)",
)
async def attested(
    request: Request[Any, Any, Any],
    shop: FromPath[str],
    gateway: NamedDependency[Gateway],
) -> None:
    await gateway.callbacks.attested(request, shop)


routers = [
    Router(
        "/v1/callbacks",
        route_handlers=[case_news, case_material, introspection, attested],
        guards=[public],  # the signature is looked at inside, over the body
        tags=["callbacks"],
    ),
    Router(
        "/v1/shops", route_handlers=[bills, bill, progress], guards=[citizen_only], tags=["shops"]
    ),
    Router("/v1/desk", route_handlers=[health], guards=[overseer_only], tags=["desk"]),
]
