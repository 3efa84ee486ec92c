"""Doors for clients: whether a token holds, the end of one, and what it tells of a citizen."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.status_codes import HTTP_200_OK

from civicmall.identity.provider import errors, forms
from civicmall.identity.provider.errors import PRIVATE, OAuthError
from civicmall.identity.provider.models import Refusal
from civicmall.identity.tokens import Tokens
from civicmall.kernel.house import House
from civicmall.kernel.http import public

from . import introspect as introspection
from . import revoke as revocation
from . import userinfo as info
from .introspect import Introspected

Web = Request[Any, Any, Any]
REFUSED: Final = {
    status: ResponseSpec(Refusal, description=said, generate_examples=False)
    for status, said in {
        400: "RFC 6749 section 5.2.",
        401: "The client is not who it says.",
    }.items()
}
UNSERVED: Final = {
    status: ResponseSpec(info.Unserved, description=said, generate_examples=False)
    for status, said in {
        400: "RFC 6750 section 3.1.",
        401: "No token, or one that does not hold.",
        403: "The token was not given for this.",
    }.items()
}
CHALLENGE: Final = 'Bearer realm="civicmall"'


@post(
    "/introspect",
    status_code=HTTP_200_OK,
    responses=REFUSED,
    summary="Whether a token of mine still holds (RFC 7662, RFC 9701)",
)
async def introspect(
    request: Web, house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> Response[Introspected]:
    form = await forms.read(request)
    client, said = await introspection.introspect(house, tokens, request.headers, form)
    if introspection.MEDIA in request.headers.get("accept", ""):
        token: Any = introspection.signed(house, tokens, client, said).encode()
        return Response(token, media_type=introspection.MEDIA, headers=PRIVATE)
    return Response(said, headers=PRIVATE)


@post(
    "/revoke",
    status_code=HTTP_200_OK,
    responses=REFUSED,
    summary="Give a token of mine back, and all that came with it (RFC 7009)",
)
async def revoke(
    request: Web, house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> Response[None]:
    form = await forms.read(request)
    await revocation.revoke(house, tokens, request.headers, form)
    return Response(None, media_type=MediaType.TEXT, headers=PRIVATE)


@get("/userinfo", responses=UNSERVED, summary="What the citizen agreed that I know")
async def userinfo(
    request: Web, house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> Response[dict[str, Any]]:
    return await _userinfo(request, house, tokens)


@post(
    "/userinfo",
    status_code=HTTP_200_OK,
    responses=UNSERVED,
    summary="The same, the token in a form (RFC 6750 section 2.2)",
)
async def userinfo_by_form(
    request: Web, house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> Response[dict[str, Any]]:
    return await _userinfo(request, house, tokens)


async def _userinfo(request: Web, house: House, tokens: Tokens) -> Response[dict[str, Any]]:
    try:
        token = await info.bearer(request)
        return Response(await info.userinfo(house, tokens, token), headers=PRIVATE)
    except OAuthError as refusal:
        return _challenged(refusal)


def _challenged(refusal: OAuthError) -> Response[Any]:
    """A refusal of a protected resource: the reason stands in the challenge (RFC 6750 section 3)."""
    scope = "openid" if refusal.error == "insufficient_scope" else ""
    said = info.Unserved(refusal.error, refusal.description, scope)
    members: dict[str, str] = msgspec.to_builtins(said)
    challenge = ", ".join([CHALLENGE, *(f'{name}="{value}"' for name, value in members.items())])
    headers = {**PRIVATE, "WWW-Authenticate": challenge}
    return Response(said, status_code=refusal.status, headers=headers)


routers = [
    Router(
        "/oauth",
        route_handlers=[introspect, revoke, userinfo, userinfo_by_form],
        guards=[public],  # the client, or its token, is looked at inside
        tags=["oauth"],
        exception_handlers=errors.HANDLERS,
    )
]
