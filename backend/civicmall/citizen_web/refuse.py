"""What a page answers when something is in the way: the page that mends it, or words and a way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from litestar import Response, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from msgspec import Struct

from civicmall import identity
from civicmall.gateway import ConsentNeeded, LevelTooLow, ShopRefused
from civicmall.identity import SignInAgain, SignInNeeded
from civicmall.kernel import http
from civicmall.kernel.http import public

from .reader import Web, go, here, page, provide_caller, provide_myself, provide_reader

READS: Final = frozenset({"GET", "HEAD"})


class Shown(Struct, frozen=True):
    """A problem as its page tells it. `again`: the same may work in a moment."""

    title: str
    status: int
    trace_id: str
    detail: str
    again: bool


def sign_in_first(request: Web, _: SignInNeeded) -> Response[bytes]:
    """To the sign-in page, and back here afterwards."""
    return go(request, f"/login?next={quote(here(request), safe='')}")


def sign_in_again(request: Web, _: SignInAgain) -> Response[bytes]:
    """To the sign-in page though somebody is signed in, and back here afterwards."""
    return go(request, f"/login?again=1&next={quote(here(request), safe='')}")


def verify_first(request: Web, problem: LevelTooLow) -> Response[bytes]:
    """To the page that raises the level, and back here afterwards."""
    way = "/verify/face" if "face" in problem.extra.get("ways", ()) else "/verify"
    return go(request, f"{way}?next={quote(here(request), safe='')}")


def real_name_first(request: Web, _: identity.levels.RealNameFirst) -> Response[bytes]:
    """To the real-name page, from where it goes on to the face check."""
    return go(request, f"/verify?next={quote('/verify/face', safe='')}")


def agree_first(request: Web, problem: ConsentNeeded) -> Response[bytes]:
    """To the app that asks, whose page shows what for; and back here afterwards."""
    shop, app = problem.extra["shop"], problem.extra["app"]
    return go(request, f"/shops/{shop}/{app}?next={quote(here(request), safe='')}")


Handler = Callable[[Web, Any], Response[Any]]


def in_words(handler: Handler) -> Handler:
    """The API's handler of an exception, its answer as a page."""

    def shown(request: Web, error: Any) -> Response[bytes]:
        answer = handler(request, error)
        said: dict[str, Any] = answer.content
        status: int = said["status"]
        # What a shop says is in the reader's language; other details are for programs.
        detail: str = said.get("detail", "") if isinstance(error, ShopRefused) else ""
        again = request.method in READS and status in {502, 503, 504}
        problem = Shown(said["title"], status, said["trace_id"], detail, again)
        found = page(request, "problem.html", status=status, problem=problem)
        for name in ("Retry-After", "Allow"):
            if name in answer.headers:
                found.headers[name] = answer.headers[name]
        return found

    return shown


HANDLERS: Final[dict[Any, Any]] = {
    **{kind: in_words(handler) for kind, handler in http.HANDLERS.items()},
    SignInNeeded: sign_in_first,
    SignInAgain: sign_in_again,
    LevelTooLow: verify_first,
    identity.levels.RealNameFirst: real_name_first,
    ConsentNeeded: agree_first,
}


_as_page = in_words(http.on_http)


def lost(request: Web, error: HTTPException) -> Response[Any]:
    """An address that no router has: a page for who looks for pages, JSON for programs."""
    wants_page = "text/html" in request.headers.get("accept", "")
    if wants_page and not request.scope["path"].startswith("/v1/"):
        return _as_page(request, error)
    return http.on_http(request, error)


def router(*handlers: Any) -> Router:
    """Pages: anybody may call them, and each looks for itself who it is."""
    return Router(
        "/",
        route_handlers=handlers,
        guards=[public],
        tags=["pages"],
        include_in_schema=False,
        before_request=identity.own_forms,
        exception_handlers=HANDLERS,
        dependencies={
            "reader": Provide(provide_reader),
            "caller": Provide(provide_caller),
            "myself": Provide(provide_myself),
        },
    )
