"""Doors of the OpenID Provider that programs use; the pages are the web room's."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from civicmall.identity import limits
from civicmall.identity.tokens import Tokens
from civicmall.kernel.house import House
from civicmall.kernel.http import problems, public
from civicmall.shops import Registry

from . import desk, forms, requests
from .errors import HANDLERS, PRIVATE
from .metadata import metadata
from .models import Pushed, Refusal, TokenAnswer
from .token import Ask, answer

Web = Request[Any, Any, Any]
REFUSED = {
    400: ResponseSpec(Refusal, description="RFC 6749 section 5.2.", generate_examples=False),
    401: ResponseSpec(Refusal, description="The client is not who it says.", generate_examples=False),
}  # fmt: skip


@get(
    ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"],
    responses=problems(),
    summary="What the OpenID Provider offers (OpenID Connect Discovery, RFC 8414)",
    cache_control=CacheControlHeader(max_age=300, public=True),
)
async def discovery(house: NamedDependency[House]) -> dict[str, Any]:
    return metadata(house)


@post(
    "/oauth/token",
    status_code=HTTP_200_OK,
    responses=REFUSED,
    summary="Tokens for a code, a refresh token, or a citizen's token (RFC 6749, RFC 8693)",
)
async def token(
    request: Web,
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
    registry: NamedDependency[Registry],
) -> Response[TokenAnswer]:
    form = await forms.read(request)
    found: Any = await answer(Ask(house, tokens, registry, request.headers, form))
    return Response(found, media_type="application/json", headers=PRIVATE)


@post(
    "/oauth/par",
    status_code=HTTP_201_CREATED,
    responses=REFUSED,
    summary="Push an authorization request (RFC 9126)",
)
async def push(
    request: Web, house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> Response[Pushed]:
    form = await forms.read(request)
    origin = limits.origin(request, house)
    found: Any = await requests.push(house, tokens, request.headers, form, origin)
    return Response(
        found, status_code=HTTP_201_CREATED, media_type="application/json", headers=PRIVATE
    )


routers = [
    Router("/", route_handlers=[discovery], guards=[public], tags=["oauth"]),
    Router(
        "/",
        route_handlers=[token, push],
        guards=[public],
        tags=["oauth"],
        exception_handlers=HANDLERS,
    ),
    desk.router,
]
