"""Doors of passkeys: signing in by one, and a citizen's own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from civicmall.identity import limits
from civicmall.identity.errors import SignInAgain
from civicmall.identity.guards import citizen_only
from civicmall.identity.models import Caller, TokenPair
from civicmall.identity.tokens import Tokens
from civicmall.kernel.house import House
from civicmall.kernel.http import Page, problems, public

from . import service
from .errors import (
    CeremonyOver,
    NoSuchPasskey,
    PasskeyKnown,
    PasskeyNotTaken,
    PasskeyRefused,
    PasskeySetAside,
    PasskeysNotOffered,
    TooManyPasskeys,
)
from .models import AddAsked, Passkey, PasskeyAdd, PasskeyRename, PasskeySignIn, SignInAsked

OWN = {"acting": "no"}
"""Nobody adds a key to somebody else's door."""


@post(
    "/sign-in/passkeys/options",
    status_code=HTTP_200_OK,
    responses=problems(PasskeysNotOffered),
    summary="What a passkey must sign in order to sign in",
)
async def sign_in_options(house: NamedDependency[House]) -> SignInAsked:
    return service.options(house, "citizen")


@post(
    "/sign-in/passkeys",
    status_code=HTTP_200_OK,
    responses=problems(CeremonyOver, PasskeyRefused, PasskeySetAside, PasskeysNotOffered),
    summary="Sign in with a passkey",
)
async def sign_in(
    request: Request[Any, Any, Any],
    data: JSONBody[PasskeySignIn],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> TokenPair:
    origin = limits.origin(request, house)
    return await service.finish(house, tokens, "citizen", data, origin=origin)


@get("/me/passkeys", responses=problems(), opt=OWN, summary="My passkeys")
async def mine(caller: NamedDependency[Caller], house: NamedDependency[House]) -> Page[Passkey]:
    return Page(await service.mine(house, caller.citizen_id), None)


@post(
    "/me/passkeys/options",
    status_code=HTTP_200_OK,
    responses=problems(SignInAgain, PasskeysNotOffered),
    opt=OWN,
    summary="What a new passkey is made with",
)
async def add_options(caller: NamedDependency[Caller], house: NamedDependency[House]) -> AddAsked:
    return await service.add_options(house, caller)


@post(
    "/me/passkeys",
    status_code=HTTP_200_OK,
    responses=problems(
        SignInAgain,
        CeremonyOver,
        PasskeyNotTaken,
        PasskeyKnown,
        TooManyPasskeys,
        PasskeysNotOffered,
    ),
    opt=OWN,
    summary="Add a passkey",
)
async def add(
    data: JSONBody[PasskeyAdd], caller: NamedDependency[Caller], house: NamedDependency[House]
) -> Passkey:
    return await service.add(house, caller, data)


@patch(
    "/me/passkeys/{passkey:uuid}",
    responses=problems(NoSuchPasskey),
    opt=OWN,
    summary="Call a passkey something else",
)
async def rename(
    passkey: FromPath[UUID],
    data: JSONBody[PasskeyRename],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Passkey:
    return await service.rename(house, caller.citizen_id, passkey, data.name)


@delete(
    "/me/passkeys/{passkey:uuid}",
    responses=problems(SignInAgain, NoSuchPasskey),
    opt=OWN,
    summary="Remove a passkey",
)
async def remove(
    passkey: FromPath[UUID], caller: NamedDependency[Caller], house: NamedDependency[House]
) -> None:
    await service.remove(house, caller, passkey)


routers = [
    Router("/v1", route_handlers=[sign_in_options, sign_in], guards=[public], tags=["sign-in"]),
    Router(
        "/v1",
        route_handlers=[mine, add_options, add, rename, remove],
        guards=[citizen_only],
        tags=["me"],
    ),
]
