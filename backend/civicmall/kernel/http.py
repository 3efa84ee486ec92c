"""HTTP furniture that every room's `routes.py` uses: problems, pages, parameters, guards."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from types import GenericAlias
from typing import Annotated, Any, Final, Generic, TypeVar, cast

import asyncpg
import msgspec
from litestar import Litestar, Request, Response
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter
from litestar.routes import HTTPRoute
from msgspec import Struct

from . import i18n, logs
from .errors import (
    BadRequest,
    Internal,
    MethodNotAllowed,
    NotFound,
    Problem,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
)

log = logs.get("http")
PROBLEM_JSON: Final = "application/problem+json"
BODY_MAX: Final = 1024 * 1024
"""Bytes of a request body; no form of ours needs more."""
T = TypeVar("T")

Limit = Annotated[int, QueryParameter(ge=1, le=100, description="How many items, 1 to 100.")]
After = Annotated[
    str | None,
    QueryParameter(max_length=400, required=False, description="`next` of the page before."),
]
IdempotencyKey = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Yours to choose; the same key and body is the same request.",
    ),
]


class Page(Struct, Generic[T], frozen=True):
    """One page of a list; `next` goes into `after` for the following one, null at the end."""

    items: list[T]
    next: str | None


class FieldError(Struct, frozen=True):
    """One wrong field of a request."""

    field: str
    problem: str


class ProblemBody(Struct, frozen=True):
    """RFC 9457 problem details. Further members depend on the type."""

    type: str
    title: str
    status: int
    trace_id: str
    detail: str | None = None
    errors: list[FieldError] | None = None


def encode_cursor(*key: Any) -> str:
    """An opaque cursor for the last row's sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode_cursor(after: str | None, *types: Any) -> tuple[Any, ...] | None:
    """The sort key in a cursor, one value per type; None at the start. Raises BadRequest."""
    if after is None:
        return None
    try:
        raw = base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True)
        key: tuple[Any, ...] = msgspec.json.decode(raw, type=GenericAlias(tuple, types))
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadRequest("not a cursor of this list", field="after") from error
    return key


def page(rows: Sequence[T], limit: int, key: Callable[[T], tuple[Any, ...]]) -> Page[T]:
    """A page from `limit + 1` rows: the one too many only tells that there is more."""
    shown = list(rows[:limit])
    more = len(rows) > limit
    return Page(shown, encode_cursor(*key(shown[-1])) if more else None)


async def public(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The guard of what anybody may call; named so that no route is open by omission."""
    del connection, handler


def problems(*kinds: type[Problem]) -> dict[int, ResponseSpec]:
    """What a handler may answer beside success, for the OpenAPI document."""
    by_status: dict[int, list[type[Problem]]] = {}
    for kind in (*kinds, BadRequest, Unavailable):
        known = by_status.setdefault(kind.status, [])
        if kind not in known:
            known.append(kind)
    return {
        status: ResponseSpec(
            ProblemBody,
            generate_examples=False,
            description="; ".join(f"{k.title} ({k.type})" for k in found),
            media_type=PROBLEM_JSON,
        )
        for status, found in sorted(by_status.items())
    }


def client_ip(request: Request[Any, Any, Any], trusted: str) -> str:
    """Who sends a request: the socket's address, or, where that is a proxy of ours (`trusted`, as
    Settings.trusted_proxies), the nearest address before our proxies in X-Forwarded-For.

    What stands further left was written by the caller and is never looked at (RFC 7239, section
    8.1). Empty where there is no socket; an IPv4 address that came as IPv6 is IPv4.
    """
    client = request.scope["client"]
    peer = _address(client[0]) if client else None
    if peer is None:
        return ""
    ours = _proxies(trusted)
    said = ",".join(request.headers.getall("x-forwarded-for", [])).split(",")
    while said and any(peer in one for one in ours):
        before = _address(said.pop())
        if before is None:
            break
        peer = before
    return str(peer)


@cache
def _proxies(trusted: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one.strip()) for one in trusted.split(",") if one.strip())


def _address(said: str) -> IPv4Address | IPv6Address | None:
    """An address, with or without a port, as proxies write it."""
    said = said.strip()
    if said.startswith("["):
        said = said[1:].partition("]")[0]
    elif said.count(":") == 1:
        said = said.partition(":")[0]
    try:
        found = ip_address(said.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def language(request: Request[Any, Any, Any]) -> i18n.Lang:
    """`?lang=`, the citizen's cookie, or Accept-Language."""
    asked = request.query_params.get("lang") or request.cookies.get("lang")
    return i18n.choose(asked or request.headers.get("accept-language"))


def body_of(problem: Problem, lang: i18n.Lang) -> dict[str, Any]:
    """A problem as the caller's client reads it (RFC 9457)."""
    body: dict[str, Any] = {
        "type": problem.type,
        "title": i18n.translate(lang, problem.title),
        "status": problem.status,
        "trace_id": logs.trace_id.get(),
        **problem.extra,
    }
    if problem.detail:
        body["detail"] = problem.detail
    return body


def headers_of(problem: Problem) -> dict[str, str]:
    """The headers that go with a problem."""
    headers: dict[str, str] = {}
    if isinstance(wait := problem.extra.get("retry_after_s"), int):
        headers["Retry-After"] = str(wait)
    if isinstance(allow := problem.extra.get("allow"), list):  # RFC 9110: a 405 names what is
        headers["Allow"] = ", ".join(cast("list[str]", allow))
    if problem.status == 401:  # noqa: PLR2004 (RFC 9110: a 401 names its scheme)
        headers["WWW-Authenticate"] = 'Bearer realm="civicmall"'
    return headers


def render(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """A problem as an answer."""
    return Response(
        body_of(problem, language(request)),
        status_code=problem.status,
        media_type=PROBLEM_JSON,
        headers=headers_of(problem),
    )


def on_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """Exception handler for our own refusals."""
    return render(request, problem)


BY_STATUS: Final[dict[int, type[Problem]]] = {
    400: BadRequest, 404: NotFound, 405: MethodNotAllowed, 413: TooLarge, 415: UnsupportedMedia,
}  # fmt: skip


def on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Exception handler for what the framework refuses: routing, decoding, validation."""
    kind = BadRequest if error.detail == LEFT else BY_STATUS.get(error.status_code)
    if kind is None:
        return on_fault(request, error)
    found = _wrong_fields(request, error)
    detail = "" if kind is not BadRequest or found else "The body is not valid JSON of this shape."
    answer = render(request, kind(detail, **({"errors": found} if found else {})))
    if kind is MethodNotAllowed and error.headers:
        answer.headers.update(error.headers)  # RFC 9110: a 405 names what is allowed
    return answer


def _wrong_fields(request: Request[Any, Any, Any], error: HTTPException) -> list[FieldError]:
    """What the framework says about each parameter or member; untyped on its side."""
    if not isinstance(error, ValidationException):
        return []
    if missing := MISSING.match(error.detail):
        return [FieldError(missing["name"], "required")]
    items = cast("list[dict[str, Any]]", error.extra or [])
    return [FieldError(_outer_name(request, item), str(item["message"])) for item in items]


def _outer_name(request: Request[Any, Any, Any], item: dict[str, Any]) -> str:
    """The name that the caller knows; ours where a parameter has no other."""
    name = str(item.get("key") or "body")
    known = request.scope["route_handler"].parsed_fn_signature.parameters.get(name)
    said: Any = known.kwarg_definition if known is not None else None
    return getattr(said, "name", None) or name


LEFT: Final = "client disconnected prematurely"
"""What the framework calls a fault of ours: a caller who leaves, or is killed, in mid-body."""
MISSING: Final = re.compile(r"Missing required \w+ parameter '(?P<name>[^']+)'")
"""The framework's words for a parameter that was not sent; they go on with the address."""


def _route(request: Request[Any, Any, Any]) -> str:
    """The template; the path itself may hold what no log should."""
    return str(cast("dict[str, Any]", request.scope).get("path_template", "unknown"))


def on_database(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Exception handler for a database that is away or out of time."""
    log.warning("http.database", error=f"{type(error).__name__}: {error}")
    return render(request, Unavailable(retry_after_s=1))


def on_unfit(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Exception handler for a value that no column takes: NUL in a text, a year of five digits."""
    log.warning("http.unfit", route=_route(request), error=type(error).__name__)
    return render(request, BadRequest("a value lies outside of what can be stored"))


def on_nesting(request: Request[Any, Any, Any], error: RecursionError) -> Response[Any]:
    """Exception handler for a body nested deeper than the decoder goes; logged, in case it is ours."""
    log.warning("http.nesting", route=_route(request), exc_info=error)
    return render(request, BadRequest("nested too deeply"))


def on_letters(request: Request[Any, Any, Any], error: UnicodeDecodeError) -> Response[Any]:
    """Exception handler for a body that is no UTF-8 (RFC 8259, 8.1); logged, in case it is ours."""
    log.warning("http.letters", route=_route(request), exc_info=error)
    return render(request, BadRequest("not UTF-8"))


def on_fault(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Exception handler for everything unforeseen: the log gets the trace, the caller its id."""
    log.error("http.fault", route=_route(request), exc_info=error)
    return render(request, Internal())


HANDLERS: Final[dict[Any, Any]] = {
    Problem: on_problem,
    HTTPException: on_http,
    asyncpg.PostgresConnectionError: on_database,
    asyncpg.InterfaceError: on_database,
    asyncpg.InternalClientError: on_database,  # a server that died in the middle of an answer
    asyncpg.InsufficientResourcesError: on_database,  # too many connections, no memory, a full disk
    asyncpg.CannotConnectNowError: on_database,
    asyncpg.AdminShutdownError: on_database,
    asyncpg.InvalidAuthorizationSpecificationError: on_database,
    asyncpg.CrashShutdownError: on_database,
    asyncpg.QueryCanceledError: on_database,
    OSError: on_database,
    TimeoutError: on_database,
    asyncpg.DataError: on_unfit,
    asyncpg.CharacterNotInRepertoireError: on_unfit,
    asyncpg.UntranslatableCharacterError: on_unfit,
    RecursionError: on_nesting,
    UnicodeDecodeError: on_letters,
    Exception: on_fault,
}


class LookedUp(Provide):
    """A dependency that is only looked up: `read` gets it from the connection, and never waits."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        def provide(request: Request[Any, Any, Any]) -> Any:
            return read(request)

        super().__init__(provide, sync_to_thread=False)
        self.read = read


def one_by_one(app: Litestar) -> Litestar:
    """Let a handler's dependencies be looked up one after the other, and its guards see itself.

    The framework starts a task for each dependency, which for ours costs more than the whole rest of
    it: six took 0.24 ms so, and 0.05 ms in a row; those that are only looked up take 1 µs instead of
    9. For each guard it copies the handler, a tenth of a short request; ours only look at it.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler, model in route.route_handler_map.values():
                untyped: Any = handler
                if hasattr(untyped, "__dict__"):  # the framework's own answers to OPTIONS have none
                    untyped.authorize_connection = partial(_pass_guards, untyped)
                _resolve_quickly(handler.signature_model, model)
    return app


def _resolve_quickly(signature: Any, model: Any) -> None:
    wanted = [one for batch in model.dependency_batches for one in batch]
    looked = {one.key: one.provide.read for one in wanted if isinstance(one.provide, LookedUp)}
    waiting = [one for one in wanted if one.key not in looked]
    model.dependency_batches = [{one} for one in waiting]
    if not looked:
        return
    look = partial(_look_up, looked)
    if waiting or not looked.keys() >= set(signature._fields):
        model.extractors = [*model.extractors, look]
    else:  # what else would be taken from the connection was for the providers
        model.extractors = [look]
        signature.parse_values_from_connection_kwargs = _as_they_are


def _as_they_are(connection: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """What was only looked up came from ourselves, and is not checked against its type again."""
    del connection
    return kwargs


async def _look_up(
    wanted: dict[str, Callable[[Any], Any]], values: dict[str, Any], connection: Any
) -> None:
    for key, read in wanted.items():
        values[key] = read(connection)


async def _pass_guards(handler: Any, connection: Any) -> None:
    for guard in handler.resolve_guards():
        await guard(connection, handler)
