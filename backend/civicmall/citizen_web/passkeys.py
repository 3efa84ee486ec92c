"""Signing in with a passkey, and a citizen's own passkeys."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from civicmall import identity
from civicmall.identity import Caller, Tokens
from civicmall.kernel.errors import BadRequest, Problem
from civicmall.kernel.house import House

from . import asking, forms, rules
from .account import SENT, sign_in_form
from .reader import Reader, Web
from .refuse import router as pages_router


class Answered(Struct, frozen=True):
    """What the script puts into a form: a passkey's answer, as JSON."""

    ceremony: Annotated[str, Meta(max_length=1_000)]
    credential: Annotated[str, Meta(max_length=32_000)]
    next: forms.Next = ""
    name: Annotated[str, Meta(max_length=identity.passkeys.NAME_MAX)] = ""


class Named(Struct, frozen=True):
    """What a passkey is to be called."""

    name: Annotated[str, Meta(max_length=identity.passkeys.NAME_MAX)] = ""


def _credential(said: Answered, kind: Any) -> Any:
    """What the authenticator answered. Raises BadRequest."""
    try:
        return msgspec.json.decode(said.credential, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadRequest(field="credential") from error


@post("/login/passkey")
async def sign_in(
    request: Web,
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    said = await forms.read(request, Answered)
    device = identity.device_name(request.headers.get("user-agent", ""))
    origin = identity.limits.origin(request, house)
    try:
        ask = identity.passkeys.PasskeySignIn(
            said.ceremony, _credential(said, identity.passkeys.Assertion), device
        )
        pair = await identity.passkeys.finish(
            house, tokens, "citizen", ask,
            browser=request.cookies.get(asking.BROWSER, ""), origin=origin,
        )  # fmt: skip
    except Problem as refusal:
        error = reader.t(refusal.title)
        return await sign_in_form(reader, None, said.next, error=error, status=refusal.status)
    if reader.caller is not None:  # signed in again: the session before is nobody's any more
        await identity.sign_out(house, tokens, reader.caller.citizen_id, reader.caller.session_id)
    reader.cookie(
        *identity.cookies(house, "citizen", pair),
        *identity.limits.cookies(house, origin),
        Cookie(SENT, value="", path="/login", max_age=0),  # a code under way is not needed any more
    )
    return reader.go(rules.local(said.next), "signed_in")


@get("/me/passkeys")
async def mine(reader: NamedDependency[Reader], myself: NamedDependency[Caller]) -> Response[bytes]:
    return await _mine(reader, myself)


async def _mine(
    reader: Reader, caller: Caller, *, error: str = "", status: int = 200
) -> Response[bytes]:
    house = reader.house
    offered = identity.passkeys.offered(house)
    recent = await identity.recently(house.db, caller.session_id)
    found = await identity.passkeys.mine(house, caller.citizen_id)
    room = len(found) < identity.passkeys.MOST
    may_add = offered and recent and room
    return await reader.page(
        "passkeys.html",
        status=status,
        passkeys=found,
        offered=offered,
        recent=recent,
        room=room,
        most=identity.passkeys.MOST,
        passkey=asking.of(await identity.passkeys.add_options(house, caller)) if may_add else None,
        suggested=identity.device_name(reader.request.headers.get("user-agent", "")),
        elsewhere=identity.passkeys.where(house),
        error=error,
    )


@post("/me/passkeys")
async def add(
    request: Web, reader: NamedDependency[Reader], myself: NamedDependency[Caller]
) -> Response[bytes]:
    said = await forms.read(request, Answered)
    try:
        name = forms.valid({"name": forms.text(said.name)}, identity.passkeys.PasskeyRename).name
        ask = identity.passkeys.PasskeyAdd(
            said.ceremony, _credential(said, identity.passkeys.Attestation), name
        )
        await identity.passkeys.add(reader.house, myself, ask)
    except identity.SignInAgain:
        raise
    except Problem as refusal:
        error = reader.t(refusal.title)
        return await _mine(reader, myself, error=error, status=refusal.status)
    return reader.go("/me/passkeys", "passkey_added")


@post("/me/passkeys/{passkey:uuid}/name")
async def rename(
    request: Web,
    passkey: FromPath[UUID],
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
) -> Response[bytes]:
    said = await forms.read(request, Named)
    name = forms.valid({"name": forms.text(said.name)}, identity.passkeys.PasskeyRename).name
    await identity.passkeys.rename(reader.house, myself.citizen_id, passkey, name)
    return reader.go("/me/passkeys", "saved")


@post("/me/passkeys/{passkey:uuid}/remove")
async def remove(
    passkey: FromPath[UUID], reader: NamedDependency[Reader], myself: NamedDependency[Caller]
) -> Response[bytes]:
    await identity.passkeys.remove(reader.house, myself, passkey)
    return reader.go("/me/passkeys", "passkey_removed")


router = pages_router(sign_in, mine, add, rename, remove)
