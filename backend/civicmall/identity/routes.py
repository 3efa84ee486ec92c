"""Doors of the identity centre."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from civicmall.kernel.db import Pool
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from civicmall.kernel.http import After, Limit, Page, decode_cursor, page, problems, public
from civicmall.shops import NoSuchApp, NoSuchShop, Registry

from . import agreements, audit, devices, levels, people, sandbox, service
from . import staff as work
from .errors import (
    AlreadyVerified,
    BadDeclaration,
    CodeUsedUp,
    NotAllowed,
    NotInRegister,
    NumberTaken,
    RefreshReused,
    TokenInvalid,
    TooManyCodes,
    WrongCode,
    WrongPassword,
)
from .guards import citizen_only, sandbox_only, staff_only
from .models import (
    AccessRow,
    Caller,
    CodeAsk,
    CodeSent,
    Consent,
    ConsentAsk,
    Declaration,
    Profile,
    RefreshAsk,
    SandboxMessage,
    SandboxPerson,
    SessionView,
    SignIn,
    Staff,
    StaffSignIn,
    TokenPair,
    Verification,
    Verified,
)
from .rules import ACCESS_S
from .tokens import Tokens

Slug = Annotated[str, PathParameter(pattern=r"^[a-z][a-z0-9_]{1,39}$")]


@post(
    "/sign-in/codes",
    status_code=HTTP_202_ACCEPTED,
    responses=problems(TooManyCodes),
    summary="Send a one-time code to a phone",
)
async def send_code(
    data: JSONBody[CodeAsk], house: NamedDependency[House], lang: NamedDependency[str]
) -> CodeSent:
    return await service.send_code(house, data.phone, lang)


@post(
    "/sign-in/tokens",
    status_code=HTTP_200_OK,
    responses=problems(WrongCode, CodeUsedUp),
    summary="Sign in with phone and code",
)
async def sign_in(
    data: JSONBody[SignIn], house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> TokenPair:
    return await service.sign_in(house, tokens, data)


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


@post(
    "/staff/tokens",
    status_code=HTTP_200_OK,
    responses=problems(WrongPassword),
    summary="Sign in as staff",
)
async def staff_sign_in(
    data: JSONBody[StaffSignIn], house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> TokenPair:
    return await work.staff_sign_in(house, tokens, data)


@get("/me", responses=problems(NotFound), summary="My profile")
async def me(caller: NamedDependency[Caller], house: NamedDependency[House]) -> Profile:
    return people.profile(house, await people.row(house.db, caller.citizen_id))


@post(
    "/me/verification",
    status_code=HTTP_200_OK,
    responses=problems(NotInRegister, NumberTaken, AlreadyVerified, NotFound),
    summary="Raise my real-name level with name and ID number",
)
async def verify(
    data: JSONBody[Verification],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Verified:
    found = await levels.verify(house, caller.citizen_id, data)
    raised = Caller(caller.citizen_id, caller.session_id, found.level)
    return Verified(found, tokens.access(raised), ACCESS_S)


@put("/me/facts", responses=problems(BadDeclaration, NotFound), summary="Tell facts about myself")
async def declare(
    data: JSONBody[Declaration], caller: NamedDependency[Caller], house: NamedDependency[House]
) -> Profile:
    return await people.declare(house, caller.citizen_id, data.facts)


@get("/me/consents", responses=problems(), summary="What I agreed to")
async def consents(caller: NamedDependency[Caller], db: NamedDependency[Pool]) -> Page[Consent]:
    return Page(await agreements.consents(db, caller.citizen_id), None)


@put(
    "/me/consents/{shop:str}/{app:str}",
    responses=problems(NotAllowed, NoSuchShop, NoSuchApp),
    summary="Agree that an app gets facts about me",
)
async def give_consent(
    shop: FromPath[str],
    app: FromPath[str],
    data: JSONBody[ConsentAsk],
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    registry: NamedDependency[Registry],
) -> Consent:
    asked = registry.claims_asked(shop, app)
    return await agreements.give_consent(db, caller.citizen_id, shop, app, data.claims, asked)


@delete(
    "/me/consents/{shop:str}/{app:str}",
    responses=problems(),
    summary="Take a consent back",
)
async def take_back_consent(
    shop: Slug,  # not looked up: what was given to a shop that has left can be taken back too
    app: Slug,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> None:
    await agreements.take_back_consent(house.db, caller.citizen_id, shop, app, house.clock.now())


@get("/me/accesses", responses=problems(), summary="Who read my data, and what for")
async def accesses(
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    limit: Limit = 50,
    after: After = None,
) -> Page[AccessRow]:
    key: Any = decode_cursor(after, date, str, str)
    rows = await audit.accesses(db, caller.citizen_id, key, limit)
    return page(rows, limit, lambda r: (r.day, r.reader, r.purpose))


@get("/me/sessions", responses=problems(), summary="The devices that are signed in")
async def sessions(caller: NamedDependency[Caller], db: NamedDependency[Pool]) -> Page[SessionView]:
    return Page(await devices.sessions(db, caller.citizen_id), None)


@delete("/me/sessions/{session:uuid}", responses=problems(), summary="Sign a device out")
async def end_session(
    session: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> None:
    await devices.sign_out(house, tokens, caller.citizen_id, session)


@delete("/me/session", responses=problems(), summary="Sign out here")
async def sign_out(
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> None:
    await devices.sign_out(house, tokens, caller.citizen_id, caller.session_id)


@get("/staff/me", responses=problems(), summary="Who I am at work")
async def staff_me(staff: NamedDependency[Staff]) -> Staff:
    return staff


@get("/.well-known/jwks.json", responses=problems(), summary="Public keys of our tokens (RFC 7517)")
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
        route_handlers=[send_code, sign_in, refresh, staff_sign_in],
        guards=[public],
        tags=["sign-in"],
    ),
    Router(
        "/v1",
        route_handlers=[
            me, verify, declare, consents, give_consent, take_back_consent, accesses, sessions,
            end_session, sign_out,
        ],
        guards=[citizen_only],
        tags=["me"],
    ),
    Router("/v1", route_handlers=[staff_me], guards=[staff_only], tags=["staff"]),
    Router("/", route_handlers=[jwks], guards=[public], tags=["sign-in"]),
    Router(
        "/v1/sandbox",
        route_handlers=[sandbox_messages, sandbox_people],
        guards=[sandbox_only],
        tags=["sandbox"],
    ),
]  # fmt: skip
