"""Doors of signing in through an upstream, for the mobile app; browsers have pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from civicmall.identity import limits
from civicmall.identity.errors import SignInAgain, TooManyTries
from civicmall.identity.guards import citizen_only
from civicmall.identity.models import Caller, TokenPair
from civicmall.identity.tokens import Tokens
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from civicmall.kernel.http import Page, problems, public

from . import Federation, service
from .errors import (
    FlowBroken,
    LinkNeeded,
    LinkTaken,
    OtherPerson,
    TooManyLinks,
    UpstreamAway,
    UpstreamRefused,
    UpstreamWrong,
)
from .models import (
    Back,
    LinkAsk,
    UpstreamFinish,
    UpstreamLink,
    UpstreamStart,
    UpstreamStarted,
    UpstreamView,
)
from .rules import FLOW_S


@get("/sign-in/upstream", responses=problems(NotFound), summary="The provider to sign in with")
async def shown(
    federation: NamedDependency[Federation], lang: NamedDependency[str]
) -> UpstreamView:
    settings = federation.there().settings
    return UpstreamView(settings.shown(lang), settings.issuer, bool(settings.app_redirect))


@post(
    "/sign-in/upstream",
    status_code=HTTP_200_OK,
    responses=problems(NotFound, UpstreamAway, UpstreamWrong),
    summary="Begin to sign in through the upstream, in an app",
)
async def begin(
    data: JSONBody[UpstreamStart],
    house: NamedDependency[House],
    federation: NamedDependency[Federation],
    lang: NamedDependency[str],
) -> UpstreamStarted:
    url, flow = await service.start(house, federation.there(), "app", lang, link=data.link)
    return UpstreamStarted(url, flow, FLOW_S)


@post(
    "/sign-in/upstream/tokens",
    status_code=HTTP_200_OK,
    responses=problems(
        NotFound, TooManyTries, FlowBroken, UpstreamAway, UpstreamWrong, UpstreamRefused, LinkNeeded,
        LinkTaken, TooManyLinks, OtherPerson,
    ),
    summary="Finish it: code and state become a session",
)  # fmt: skip
async def finish(
    data: JSONBody[UpstreamFinish],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
    federation: NamedDependency[Federation],
    request: Request[Any, Any, Any],
) -> Response[TokenPair]:
    upstream = federation.there()
    flow = service.opened(house, data.flow, "app")
    back = Back(data.state_, data.code, data.iss, data.error)
    origin = limits.origin(request, house)
    done = await service.finish(house, tokens, upstream, flow, back, data.device, origin)
    return Response(done.pair, headers=limits.headers(origin))


@get("/me/links", responses=problems(), summary="The accounts elsewhere that sign me in")
async def links(
    caller: NamedDependency[Caller], house: NamedDependency[House]
) -> Page[UpstreamLink]:
    return Page(await service.links(house.db, caller.citizen_id), None)


@post(
    "/me/links",
    status_code=HTTP_200_OK,
    responses=problems(NotFound, SignInAgain, FlowBroken, LinkTaken, TooManyLinks, OtherPerson),
    summary="Connect the account of a ticket with mine",
)
async def agree(
    data: JSONBody[LinkAsk],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    federation: NamedDependency[Federation],
) -> UpstreamLink:
    return await service.agree(house, federation.there(), caller, data.ticket)


@delete("/me/links/{link:uuid}", responses=problems(), summary="Take a connection away")
async def unlink(
    link: FromPath[UUID], caller: NamedDependency[Caller], house: NamedDependency[House]
) -> None:
    await service.unlink(house, caller.citizen_id, link)


routers = [
    Router("/v1", route_handlers=[shown, begin, finish], guards=[public], tags=["sign-in"]),
    Router(
        "/v1",
        route_handlers=[links, agree, unlink],
        guards=[citizen_only],
        tags=["me"],
        opt={"acting": "no"},
    ),
]
