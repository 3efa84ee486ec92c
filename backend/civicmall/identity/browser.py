"""Sessions of browsers: the same two tokens, in cookies that scripts can't read.

Pages are server-rendered, so the access token never reaches a script. A page's expired token is
renewed on the way; what a form posts must come from our own pages (`Origin`, Fetch Metadata).
"""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Any, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from litestar import Request
from litestar.datastructures import Cookie
from msgspec import Struct

from civicmall.kernel.crypto import SealBroken
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House

from . import delegation, devices
from .errors import NotAllowed, RefreshReused, TokenExpired, TokenInvalid
from .models import Caller, Staff, TokenPair
from .rules import REFRESH_DAYS
from .tokens import Tokens, Who

Kind = Literal["citizen", "staff"]
NAMES: Final[dict[Kind, tuple[str, str, str]]] = {
    "citizen": ("cm_access", "cm_refresh", "/"),
    "staff": ("cm_staff_access", "cm_staff_refresh", "/console"),
}
"""Access cookie, refresh cookie and path, by who signs in."""


ACTING: Final = "cm_acting"
"""Cookie that names, sealed, for whom the signed-in citizen acts."""
ACTING_TOKEN: Final = "cm_acting_access"  # noqa: S105 (a cookie's name)
"""Cookie of the access token to act with: made anew from the citizen's own session when it is over."""
SEALED_AS: Final = "identity.browser.acting"


class For(Struct, frozen=True):
    """For whom somebody acts in this browser, and what they are called."""

    delegation: UUID
    name: str


class Visit(Struct, frozen=True):
    """Who looks at a page, if anybody is signed in, and the cookies its answer must set."""

    who: Who | None
    cookies: list[Cookie]
    served: Caller | None = None
    """Whom the page is for: the citizen, or whom they act for."""
    acting: str = ""
    """What that one is called, while somebody acts for them."""
    over: bool = False
    """They acted until now, and may no longer."""


def cookies(house: House, kind: Kind, pair: TokenPair | None) -> list[Cookie]:
    """The cookies that keep a pair of tokens, or that forget it."""
    access, refresh, path = _names(house, kind)
    if pair is None:
        gone = [_cookie(house, access, "", 0, path), _cookie(house, refresh, "", 0, path)]
        return gone + (not_acting(house) if kind == "citizen" else [])
    return [
        _cookie(house, access, pair.access_token, pair.expires_in, path),
        _cookie(house, refresh, pair.refresh_token, REFRESH_DAYS * 86_400, path),
    ]


def _names(house: House, kind: Kind) -> tuple[str, str, str]:
    access, refresh, path = NAMES[kind]
    return named(house, access, path), named(house, refresh, path), path


def named(house: House, name: str, path: str = "/") -> str:
    """A cookie's name. With a prefix that browsers take from this very host alone, where there is TLS
    (RFC 6265bis section 4.1.3): no neighbour in the city's domain signs anybody in as somebody else.
    """
    if not house.settings.public_url.startswith("https:"):
        return name
    return f"__Host-{name}" if path == "/" else f"__Secure-{name}"


def _cookie(house: House, name: str, value: str, age: int, path: str = "/") -> Cookie:
    secure = house.settings.public_url.startswith("https:")
    return Cookie(
        key=name, value=value, max_age=age, path=path, httponly=True, secure=secure, samesite="lax",
    )  # fmt: skip


async def act_for(
    house: House, tokens: Tokens, caller: Caller, delegation_id: UUID
) -> list[Cookie]:
    """The cookies with which this browser acts by a delegation from now on. Raises as
    `delegation.acting`.
    """
    row, who = await delegation.acting(house, caller, delegation_id)
    await delegation.begun(house, row, caller.citizen_id)
    name = delegation.principal_name(house, row)
    said = msgspec.json.encode(For(delegation_id, name))
    sealed = base64.urlsafe_b64encode(house.keys.seal_bytes(said, SEALED_AS)).decode()
    kept = _cookie(house, named(house, ACTING), sealed, REFRESH_DAYS * 86_400)
    return [kept, *_acting(house, tokens, who)]


def not_acting(house: House) -> list[Cookie]:
    """The cookies with which this browser is its owner's own again."""
    return [_cookie(house, named(house, name), "", 0) for name in (ACTING, ACTING_TOKEN)]


def _acting(house: House, tokens: Tokens, who: Caller) -> list[Cookie]:
    name, lives_s = named(house, ACTING_TOKEN), delegation.lives_s(house, who)
    return [_cookie(house, name, tokens.access(who), lives_s)]


async def visit(request: Request[Any, Any, Any], house: House, tokens: Tokens, kind: Kind) -> Visit:
    """Who looks at this page; renews the session where only the refresh token is left."""
    found = await _own(request, house, tokens, kind)
    if not isinstance(found.who, Caller):
        return found
    return await _served(request, house, tokens, found.who, found.cookies)


async def _served(
    request: Request[Any, Any, Any],
    house: House,
    tokens: Tokens,
    own: Caller,
    cookies: list[Cookie],
) -> Visit:
    """For whom the page is: the signed-in citizen, or whom they act for as long as they may."""
    if not (kept := request.cookies.get(named(house, ACTING))):
        return Visit(own, cookies, own)
    try:
        sealed = base64.b64decode(kept, altchars=b"-_", validate=True)
        said = msgspec.json.decode(house.keys.open_bytes(sealed, SEALED_AS), type=For)
    except (ValueError, SealBroken, msgspec.MsgspecError):
        return Visit(own, [*cookies, *not_acting(house)], own, over=True)
    with suppress(TokenExpired, TokenInvalid):
        who = tokens.check(request.cookies.get(named(house, ACTING_TOKEN), ""))
        if isinstance(who, Caller) and _is_by(who, own, said.delegation):
            return Visit(own, cookies, who, said.name)
    try:
        _, who = await delegation.acting(house, own, said.delegation)
    except Problem:
        return Visit(own, [*cookies, *not_acting(house)], own, over=True)
    return Visit(own, [*cookies, *_acting(house, tokens, who)], who, said.name)


def _is_by(who: Caller, own: Caller, delegation_id: UUID) -> bool:
    """Whether a token is the acting one of this very session."""
    if who.actor is None or who.session_id != own.session_id:
        return False
    return (who.actor.id, who.actor.delegation) == (own.citizen_id, delegation_id)


async def _own(request: Request[Any, Any, Any], house: House, tokens: Tokens, kind: Kind) -> Visit:
    """Who is signed in here."""
    access, refresh, _ = _names(house, kind)
    with suppress(TokenExpired, TokenInvalid):
        if token := request.cookies.get(access):
            who = tokens.check(token)
            # A token to act with is no session of one's own: pages about the account would take whom
            # it is about for whoever is signed in.
            if isinstance(who, Staff) or who.actor is None:
                return Visit(who, [])
    if not (token := request.cookies.get(refresh)):
        return Visit(None, [])
    try:
        pair = await devices.refresh(house, tokens, token)
        return Visit(tokens.check(pair.access_token), cookies(house, kind, pair))
    except (TokenInvalid, TokenExpired, RefreshReused):
        return Visit(None, cookies(house, kind, None))


def check_origin(request: Request[Any, Any, Any], house: House) -> None:
    """Refuse a form that another site posts. Raises NotAllowed.

    Browsers send Origin (and Sec-Fetch-Site) with every POST; what sends neither is no browser
    and carries no cookies of somebody else.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        raise NotAllowed("the form was sent from another site")
    origin = request.headers.get("origin")
    if origin is None:
        return
    ours = {house.settings.public_url, f"http://{request.headers.get('host', '')}"}
    if origin not in ours and urlsplit(origin).netloc != request.headers.get("host"):
        raise NotAllowed("the form was sent from another site")


async def own_forms(request: Request[Any, Any, Any]) -> None:
    """Before each handler of a web room: a form must come from a page of ours. Raises NotAllowed."""
    if request.method not in {"GET", "HEAD"}:
        check_origin(request, request.app.state.house)


__all__ = [
    "Kind", "Visit", "act_for", "check_origin", "cookies", "not_acting", "own_forms", "visit",
]  # fmt: skip
