"""Doors of the identity centre."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar
from uuid import UUID

from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from civicmall.kernel.http import Page, problems, public

from . import (
    agreements,
    devices,
    exchange,
    levels,
    limits,
    people,
    provider,
    sandbox,
    service,
)
from .attributes import routers as attribute_routers
from .audit.routes import routers as audit_routers
from .delegation.routes import routers as delegation_routers
from .errors import (
    AlreadyVerified,
    CodeUsedUp,
    NotInRegister,
    NumberTaken,
    RefreshReused,
    TokenInvalid,
    TooManyCodes,
    TooManyTries,
    WrongCode,
)
from .federation.routes import routers as federation_routers
from .guards import citizen_only, sandbox_only
from .levels.routes import routers as level_routers
from .models import (
    Caller,
    CodeAsk,
    CodeSent,
    Profile,
    RefreshAsk,
    SandboxMessage,
    SandboxPerson,
    SessionView,
    SignIn,
    TokenPair,
    Verification,
    Verified,
)
from .objections.routes import routers as objection_routers
from .passkeys import assets as passkey_assets
from .passkeys.routes import routers as passkey_routers
from .reading.routes import routers as reading_routers
from .rules import ACCESS_S
from .staff.routes import routers as staff_routers
from .tokens import Tokens

T = TypeVar("T")
JWKS_S = 300
"""How long others may keep our keys; the next ones are published three times as long before."""
Slug = Annotated[str, PathParameter(pattern=r"^[a-z][a-z0-9_]{1,39}$")]


@post(
    "/sign-in/codes",
    status_code=HTTP_202_ACCEPTED,
    responses=problems(TooManyCodes, TooManyTries),
    summary="Send a one-time code to a phone",
)
async def send_code(
    request: Request[Any, Any, Any],
    data: JSONBody[CodeAsk],
    house: NamedDependency[House],
    lang: NamedDependency[str],
) -> Response[CodeSent]:
    """A device that brings no id of ours (`Civicmall-Device`, or the cookie) gets one to keep."""
    origin = limits.origin(request, house)
    sent = await service.send_code(house, data.phone, lang, origin)
    return _with_device(house, origin, sent)


def _with_device(house: House, origin: limits.Origin, said: T) -> Response[T]:
    return Response(said, headers=limits.headers(origin), cookies=limits.cookies(house, origin))


@post(
    "/sign-in/tokens",
    status_code=HTTP_200_OK,
    responses=problems(WrongCode, CodeUsedUp, TooManyTries),
    summary="Sign in with phone and code",
)
async def sign_in(
    request: Request[Any, Any, Any],
    data: JSONBody[SignIn],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[TokenPair]:
    """A device on which the owner of a phone signed in keeps its own count of codes from then on."""
    origin = limits.origin(request, house)
    pair = await service.sign_in(house, tokens, data, origin)
    return _with_device(house, origin, pair)


@post(
    "/sign-in/refresh",
    status_code=HTTP_200_OK,
    responses=problems(TokenInvalid, RefreshReused),
    summary="The next pair of tokens, for citizens and staff",
)
async def refresh(
    data: JSONBody[RefreshAsk], house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> TokenPair:
    return await devices.refresh(house, tokens, data.refresh_token)


@get("/me", responses=problems(NotFound), summary="My profile")
async def me(caller: NamedDependency[Caller], house: NamedDependency[House]) -> Profile:
    return people.profile(house, await people.row(house.db, caller.citizen_id))


@post(
    "/me/verification",
    status_code=HTTP_200_OK,
    responses=problems(
        NotInRegister, NumberTaken, AlreadyVerified, NotFound, levels.TooManyVerifications,
        levels.AuthorityAway,
    ),
    opt={"acting": "no"},
    summary="Raise my real-name level with name and ID number",
)  # fmt: skip
async def verify(
    data: JSONBody[Verification],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
    authority: NamedDependency[levels.Authority],
) -> Verified:
    found = await levels.verify(house, caller.citizen_id, data, authority.register)
    raised = Caller(caller.citizen_id, caller.session_id, found.level)
    return Verified(found, tokens.access(raised), ACCESS_S)


@get(
    "/me/sessions",
    responses=problems(),
    opt={"acting": "no"},
    summary="The devices that are signed in",
)
async def sessions(
    caller: NamedDependency[Caller], house: NamedDependency[House]
) -> Page[SessionView]:
    return Page(await devices.sessions(house, caller.citizen_id, caller.session_id), None)


@delete(
    "/me/sessions",
    responses=problems(),
    opt={"acting": "no"},
    summary="Sign all other devices out",
)
async def end_other_sessions(
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> None:
    await devices.sign_out_others(house, tokens, caller.citizen_id, caller.session_id)


@delete(
    "/me/sessions/{session:uuid}",
    responses=problems(),
    opt={"acting": "no"},
    summary="Sign a device out",
)
async def end_session(
    session: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> None:
    await devices.sign_out(house, tokens, caller.citizen_id, session)


@delete("/me/session", responses=problems(), opt={"acting": "no"}, summary="Sign out here")
async def sign_out(
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> None:
    await devices.sign_out(house, tokens, caller.citizen_id, caller.session_id)


@get(
    "/.well-known/jwks.json",
    responses=problems(),
    summary="Public keys of our tokens (RFC 7517)",
    cache_control=CacheControlHeader(public=True, max_age=JWKS_S),
)
async def jwks(tokens: NamedDependency[Tokens]) -> dict[str, Any]:
    return tokens.jwks()


@get("/messages", responses=problems(NotFound), summary="Text messages the sandbox sent")
async def sandbox_messages(house: NamedDependency[House]) -> Page[SandboxMessage]:
    return Page(await service.sandbox_messages(house), None)


@get("/people", responses=problems(NotFound), summary="Synthetic citizens to try things with")
async def sandbox_people(house: NamedDependency[House]) -> Page[SandboxPerson]:
    return Page(sandbox.people(house), None)


routers = [
    Router(
        "/v1",
        route_handlers=[send_code, sign_in, refresh],
        guards=[public],
        tags=["sign-in"],
    ),
    Router(
        "/v1",
        route_handlers=[
            me, verify, sessions,
            end_session, end_other_sessions, sign_out,
        ],
        guards=[citizen_only],
        tags=["me"],
    ),
    *staff_routers,
    *reading_routers,
    Router("/", route_handlers=[jwks], guards=[public], tags=["sign-in"]),
    agreements.router,
    *audit_routers,
    *objection_routers,
    *exchange.routers,
    *provider.routers,
    *delegation_routers,
    Router(
        "/v1/sandbox",
        route_handlers=[sandbox_messages, sandbox_people],
        guards=[sandbox_only],
        tags=["sandbox"],
    ),
    *passkey_routers,
    passkey_assets.router(),
    *federation_routers,
    *level_routers,
    *attribute_routers,
]  # fmt: skip
