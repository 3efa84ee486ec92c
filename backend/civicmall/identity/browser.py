"""Sessions of browsers: the same two tokens, in cookies that scripts can't read.

Pages are server-rendered, so the access token never reaches a script. A page's expired token is
renewed on the way; what a form posts must come from our own pages (`Origin`, Fetch Metadata).
"""

from __future__ import annotations

from typing import Any, Final, Literal
from urllib.parse import urlsplit

from litestar import Request
from litestar.datastructures import Cookie
from msgspec import Struct

from civicmall.kernel.house import House

from . import devices
from .errors import NotAllowed, RefreshReused, TokenExpired, TokenInvalid
from .models import TokenPair
from .rules import REFRESH_DAYS
from .tokens import Tokens, Who

Kind = Literal["citizen", "staff"]
NAMES: Final[dict[Kind, tuple[str, str, str]]] = {
    "citizen": ("cm_access", "cm_refresh", "/"),
    "staff": ("cm_staff_access", "cm_staff_refresh", "/console"),
}
"""Access cookie, refresh cookie and path, by who signs in."""


class Visit(Struct, frozen=True):
    """Who looks at a page, if anybody is signed in, and the cookies its answer must set."""

    who: Who | None
    cookies: list[Cookie]


def cookies(house: House, kind: Kind, pair: TokenPair | None) -> list[Cookie]:
    """The cookies that keep a pair of tokens, or that forget it."""
    access, refresh, path = NAMES[kind]
    secure = house.settings.public_url.startswith("https:")

    def one(name: str, value: str, age: int) -> Cookie:
        return Cookie(
            key=name, value=value, max_age=age, path=path, httponly=True, secure=secure,
            samesite="lax",
        )  # fmt: skip

    if pair is None:
        return [one(access, "", 0), one(refresh, "", 0)]
    return [
        one(access, pair.access_token, pair.expires_in),
        one(refresh, pair.refresh_token, REFRESH_DAYS * 86_400),
    ]


async def visit(request: Request[Any, Any, Any], house: House, tokens: Tokens, kind: Kind) -> Visit:
    """Who looks at this page; renews the session where only the refresh token is left."""
    access, refresh, _ = NAMES[kind]
    try:
        if token := request.cookies.get(access):
            return Visit(tokens.check(token), [])
    except (TokenExpired, TokenInvalid):
        pass
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


__all__ = ["Kind", "Visit", "check_origin", "cookies", "own_forms", "visit"]
