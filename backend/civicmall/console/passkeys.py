"""Staff's passkeys: signing in to the console by one, and keeping them."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from civicmall import identity
from civicmall.identity import Staff, Tokens
from civicmall.kernel.errors import BadRequest, Problem
from civicmall.kernel.house import House

from . import rules, words
from .desk import UNTOUCHED, Desk, acted, go, page, pending
from .forms import Web, id_of, read
from .refuse import Html

HOME: Final = "/console/passkeys"
LOGIN: Final = f"{rules.LOGIN}/passkey"
BROWSER: Final = "cm_staff_browser"
"""Cookie that ties a passkey's challenge to the browser whose page asked; it names nobody."""
BROWSER_S: Final = 24 * 3600


class Answered(Struct, frozen=True):
    """What the script puts into a form: a passkey's answer, as JSON."""

    ceremony: Annotated[str, Meta(max_length=1_000)]
    credential: Annotated[str, Meta(max_length=32_000)]
    next: Annotated[str, Meta(max_length=rules.NEXT_MAX)] = ""
    name: identity.passkeys.PasskeyName = ""


class Named(Struct, frozen=True):
    """What a passkey is to be called."""

    name: identity.passkeys.PasskeyName = ""


def _credential(said: Answered, kind: Any) -> Any:
    """What the authenticator answered. Raises BadRequest."""
    try:
        return msgspec.json.decode(said.credential, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadRequest(field="credential") from error


@get("/login/passkey")
async def signing_in(request: Web, house: NamedDependency[House]) -> Html:
    return _sign_in_page(request, house, rules.local(request.query_params.get("next", "")))


def _sign_in_page(
    request: Web, house: House, next_path: str, *, failed: str = "", status: int = 200
) -> Html:
    """The page with the one button. Raises PasskeysNotOffered."""
    browser = request.cookies.get(BROWSER, "")
    if not browser:
        browser = secrets.token_urlsafe(16)
        pending(request).append(
            Cookie(
                BROWSER, value=browser, path=LOGIN, max_age=BROWSER_S, httponly=True,
                secure=house.settings.public_url.startswith("https:"), samesite="lax",
            )
        )  # fmt: skip
    asks = identity.passkeys.options(house, "staff", browser)
    return page(
        request, "login_passkey.html", status=status, next=next_path, failed=failed,
        ceremony=asks.ceremony, options=msgspec.json.encode(asks.public_key).decode(),
        script=identity.passkeys.assets.url("passkeys.js"), elsewhere=identity.passkeys.where(house),
    )  # fmt: skip


@post("/login/passkey")
async def sign_in(
    request: Web, house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> Html:
    said = await read(request, Answered)
    next_path = rules.local(said.next)
    origin = identity.limits.origin(request, house)
    try:
        ask = identity.passkeys.PasskeySignIn(
            said.ceremony,
            _credential(said, identity.passkeys.Assertion),
            identity.device_name(request.headers.get("user-agent", "")),
        )
        pair = await identity.passkeys.finish(
            house, tokens, "staff", ask,
            browser=request.cookies.get(BROWSER, ""),
            origin=origin,
        )  # fmt: skip
    except Problem as refusal:
        if isinstance(refusal, identity.passkeys.PasskeysNotOffered):
            raise
        return _sign_in_page(request, house, next_path, failed=refusal.title, status=refusal.status)
    await _end_before(request, house, tokens)
    pending(request).extend(identity.cookies(house, "staff", pair))
    return go(request, next_path)


async def _end_before(request: Web, house: House, tokens: Tokens) -> None:
    """Who signs in again has a new session; the one before is nobody's any more."""
    before = await identity.visit(request, house, tokens, "staff")
    if isinstance(before.who, Staff):
        await identity.sign_out(house, tokens, before.who.staff_id, before.who.session_id)


@get("/passkeys")
async def mine(request: Web, anybody: NamedDependency[Desk]) -> Html:
    return await _mine(anybody, done=words.PASSKEYS.get(request.query_params.get("done", "")))


async def _mine(desk: Desk, *, status: int = 200, **values: Any) -> Html:
    house, staff = desk.house, desk.staff
    found = await identity.passkeys.mine(house, staff.staff_id)
    recent = await identity.recently(house.db, staff.session_id)
    asks = None
    if identity.passkeys.offered(house) and recent and len(found) < identity.passkeys.MOST:
        asks = await identity.passkeys.add_options(house, staff)
    return desk.page(
        "passkeys.html",
        status=status,
        passkeys=found,
        offered=identity.passkeys.offered(house),
        recent=recent,
        most=identity.passkeys.MOST,
        again=rules.link(rules.LOGIN, next=HOME),
        ceremony=asks and asks.ceremony,
        options=asks and msgspec.json.encode(asks.public_key).decode(),
        script=identity.passkeys.assets.url("passkeys.js"),
        elsewhere=identity.passkeys.where(house),
        suggested=identity.device_name(desk.request.headers.get("user-agent", "")),
        **{**UNTOUCHED, **values},
    )


@post("/passkeys")
async def add(
    request: Web, anybody: NamedDependency[Desk], tokens: NamedDependency[Tokens]
) -> Html:
    async def act() -> None:
        said = await read(request, Answered)
        made = _credential(said, identity.passkeys.Attestation)
        house, staff = anybody.house, anybody.staff
        await identity.passkeys.add(
            house, staff, identity.passkeys.PasskeyAdd(said.ceremony, made, said.name)
        )
        pair = await identity.passkeys.proved(house, tokens, staff)
        if pair is not None:
            pending(request).extend(identity.cookies(house, "staff", pair))

    async def show(**values: Any) -> Html:
        return await _mine(anybody, **values)

    return await acted(request, HOME, "add", act(), show, told=(identity.passkeys.PasskeyNotTaken,))


@post("/passkeys/{passkey:str}/name")
async def rename(request: Web, passkey: FromPath[str], desk: NamedDependency[Desk]) -> Html:
    async def act() -> None:
        said = await read(request, Named)
        which = _id(passkey)
        await identity.passkeys.rename(desk.house, desk.staff.staff_id, which, said.name)

    async def show(**values: Any) -> Html:
        return await _mine(desk, **values)

    return await acted(request, HOME, "name", act(), show)


@post("/passkeys/{passkey:str}/remove")
async def remove(request: Web, passkey: FromPath[str], desk: NamedDependency[Desk]) -> Html:
    await identity.passkeys.remove(desk.house, desk.staff, _id(passkey))
    return go(request, rules.link(HOME, done="remove"))


@get(["/passkeys/{passkey:str}", "/passkeys/{passkey:str}/name", "/passkeys/{passkey:str}/remove"])
async def form_left(request: Web, passkey: FromPath[str]) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    _id(passkey)
    return go(request, HOME)


def _id(text: str) -> UUID:
    return id_of(text, identity.passkeys.NoSuchPasskey)


handlers = [signing_in, sign_in, mine, add, rename, remove, form_left]
