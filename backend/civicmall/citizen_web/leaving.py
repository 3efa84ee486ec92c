"""Signing out because a client asks for it (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide

from civicmall import identity
from civicmall.identity import Caller, Tokens
from civicmall.kernel import logs
from civicmall.kernel.errors import BadRequest
from civicmall.kernel.house import House
from civicmall.kernel.http import public

from .reader import Reader, Web, go, page, provide_reader
from .refuse import HANDLERS
from .refuse import router as pages_router

log = logs.get("citizen_web")
PATH: Final = "/oauth/logout"


async def _understood(
    house: House, tokens: Tokens, sent: bytes
) -> identity.exchange.end_session.Leaving:
    """What was asked for, form-encoded. Raises BadRequest: the browser goes nowhere then."""
    try:
        form = identity.provider.forms.strict(sent)
        return await identity.exchange.end_session.understand(house, tokens, form)
    except identity.provider.OAuthError as refusal:
        log.info("logout.refused", why=refusal.description)
        raise BadRequest(refusal.description) from refusal


@get(PATH)
async def asked(
    request: Web,
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    wish = await _understood(house, tokens, request.scope["query_string"])
    if reader.caller is None:
        return _left(request, wish)
    if wish.is_of(house, reader.caller):
        await _sign_out(reader, reader.caller, house, tokens)
        return go(request, wish.back_to) if wish.back_to else reader.go("/", "signed_out")
    return await reader.page("logout_for.html", client=wish.client, form=wish.form)


@post("/logout/for")
async def confirmed(
    request: Web,
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    wish = await _understood(house, tokens, await request.body())
    if reader.caller is not None:
        await _sign_out(reader, reader.caller, house, tokens)
    return _left(request, wish)


@post(PATH)
async def posted(request: Web) -> Response[bytes]:
    """A client's own form. Our cookies don't come with it, so nothing is done before the browser has
    come back with them.
    """
    try:
        form = await identity.provider.forms.read(request)
    except identity.provider.OAuthError as refusal:
        raise BadRequest(refusal.description) from refusal
    return go(request, f"{PATH}?{urlencode(form)}")


async def _sign_out(reader: Reader, caller: Caller, house: House, tokens: Tokens) -> None:
    owner = caller.actor.id if caller.actor else caller.citizen_id  # the session is theirs
    await identity.sign_out(house, tokens, owner, caller.session_id)
    reader.cookie(*identity.cookies(house, "citizen", None))


def _left(request: Web, wish: identity.exchange.end_session.Leaving) -> Response[bytes]:
    """Signed out, with the way back. No redirect: browsers let no form lead to another site."""
    return page(request, "left.html", client=wish.client, back_to=wish.back_to)


router = pages_router(confirmed)
from_elsewhere = Router(
    "/", route_handlers=[asked, posted], guards=[public], tags=["pages"], include_in_schema=False,
    exception_handlers=HANDLERS, dependencies={"reader": Provide(provide_reader)},
)  # fmt: skip
"""Clients send browsers here, by forms of theirs too."""
