"""What a page answers when something is in the way: sign in, or words and a way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from litestar import Response, Router
from litestar.di import Provide

from civicmall import identity
from civicmall.identity import SecondFactorMissing, SignInAgain, SignInNeeded
from civicmall.kernel import http
from civicmall.kernel.http import public

from . import rules
from .desk import (
    go,
    here,
    page,
    provide_anybody,
    provide_desk,
    provide_operator,
    provide_overseer,
    provide_worker,
)
from .forms import Web

Html = Response[bytes]
Handler = Callable[[Web, Any], Response[Any]]


def sign_in_first(request: Web, _: SignInNeeded | SignInAgain) -> Response[bytes]:
    """To the sign-in page, and back here afterwards."""
    back = here(request)
    return go(request, rules.LOGIN if back == rules.HOME else f"{rules.LOGIN}?next={quote(back)}")


def enrol_first(request: Web, _: SecondFactorMissing) -> Response[bytes]:
    """To one's account, where the second factor is set up."""
    return go(request, rules.ACCOUNT)


def in_words(handler: Handler) -> Handler:
    """The API's handler of an exception, its answer as a page."""

    def shown(request: Web, error: Any) -> Response[bytes]:
        answer = handler(request, error)
        said: dict[str, Any] = answer.content
        status: int = said["status"]
        found = page(request, "problem.html", status=status, problem=said)
        for name in ("Retry-After", "Allow"):
            if name in answer.headers:
                found.headers[name] = answer.headers[name]
        return found

    return shown


HANDLERS: Final[dict[Any, Any]] = {
    **{kind: in_words(handler) for kind, handler in http.HANDLERS.items()},
    SignInNeeded: sign_in_first,
    SignInAgain: sign_in_first,
    SecondFactorMissing: enrol_first,
}


def router(*handlers: Any) -> Router:
    """Pages: anybody may call them, and each asks for a desk where somebody must be signed in."""
    return Router(
        "/console",
        route_handlers=handlers,
        guards=[public],
        tags=["pages"],
        include_in_schema=False,
        before_request=identity.own_forms,
        exception_handlers=HANDLERS,
        dependencies={
            "anybody": Provide(provide_anybody),
            "desk": Provide(provide_desk, sync_to_thread=False),
            "operator": Provide(provide_operator, sync_to_thread=False),
            "overseer": Provide(provide_overseer, sync_to_thread=False),
            "worker": Provide(provide_worker, sync_to_thread=False),
        },
    )
