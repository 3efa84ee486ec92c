"""Typed calls: the plain ones reach their handlers past the framework, which is half of their cost.

Two ways to one answer must not drift apart, so this door decides nothing of its own. What it isn't
sure of it hands on before anything has happened: every refusal of what was *sent* (a token, a
parameter, a body) is the framework's. What it does itself it does with what is declared there: the
handler, the types of its arguments, the table of problems.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from litestar import Litestar, Request
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.serialization import default_serializer
from msgspec import NODEFAULT, Struct, defstruct

from civicmall import identity
from civicmall.identity import MINI_APP, Caller, citizen_only, within
from civicmall.kernel import http, i18n
from civicmall.kernel.errors import Problem

BEFORE: Final = {"before": True}
"""The `opt` of a handler whose plain requests pass here: reads, asked often."""

ADDRESS: Final = re.compile(
    r"/v1/shops/([^/]+)/apps/([^/]+)/([a-z]+)(?:/([^/]+)(?:/([a-z]+))?)?", re.DOTALL
)
BODY_MAX: Final = 64 * 1024
"""Bytes of a plain body; forms have far fewer."""
JSON: Final = b"application/json"
PROVIDED: Final = frozenset({"caller", "gateway", "house", "lang"})
"""The dependencies that are at hand here."""
Receive = Callable[[], Awaitable[Any]]
Shape = tuple[str, str, bool, str | None]
"""Method, word, whether an id follows it, and the word after that."""
_encode: Final = msgspec.json.Encoder(enc_hook=default_serializer).encode


def before(capability: str) -> dict[str, Any]:
    """The same for a handler that a mini-app with this capability may use too."""
    return {**BEFORE, MINI_APP: capability}


class Operation:
    """A handler, and where its arguments come from. Raises ValueError for one that asks for what
    isn't at hand here, or that is for others than citizens.
    """

    def __init__(self, route: HTTPRoute, handler: HTTPRouteHandler) -> None:
        untyped: Any = handler
        if untyped.resolve_guards() != [citizen_only]:
            raise ValueError(
                f"{route.path}: this door lets in citizens, and it is guarded otherwise"
            )
        fields = handler.parsed_fn_signature.parameters
        asked = [name for name in fields if name not in PROVIDED]
        renamed = [
            n for n in asked if getattr(fields[n].kwarg_definition, "name", None) is not None
        ]
        path = list(route.path_parameters)
        if renamed or not fields.keys() >= {*path}:
            raise ValueError(f"{route.path}: {renamed or path} can't be filled in here")
        self.fn: Callable[..., Awaitable[Any]] = handler.fn
        self.template = route.path_format
        self.status = handler.status_code
        self.path = path
        self.opt = handler.opt
        self.mini_app: str | None = handler.opt.get(MINI_APP)
        self.bodied = "data" in fields
        self.provided = PROVIDED & fields.keys()
        kinds = handler.signature_model.__annotations__
        self.asked = defstruct(
            "Asked",
            [
                (n, kinds[n], fields[n].default if fields[n].has_default else NODEFAULT)
                for n in asked
            ],
            kw_only=True,
        )


class Plain(Struct, frozen=True):
    """An ASGI application for one request; its body is still to come."""

    door: Typed
    operation: Operation
    values: dict[str, Any]
    provided: dict[str, Any]

    async def __call__(self, scope: Any, receive: Receive, send: Any) -> None:
        operation, values = self.operation, self.values
        heard: list[Any] = []
        try:
            if operation.bodied:
                values["data"] = msgspec.json.decode(await _whole(receive, heard))
            asked = msgspec.convert(values, operation.asked, strict=False, str_keys=True)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, _Left):
            await self.door.framework(scope, _again(heard, receive), send)
            return
        scope["path_template"] = operation.template
        try:
            provided = {name: self.provided[name] for name in operation.provided}
            body = _encode(await operation.fn(**msgspec.structs.asdict(asked), **provided))
        except Exception as error:  # noqa: BLE001 (the table ends with it)
            await self.door.refuse(error, scope, receive, send)
            return
        headers = [(b"content-type", JSON), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": operation.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Typed:
    """The door: knows the handlers that are marked with `BEFORE`."""

    def __init__(self, framework: Litestar) -> None:
        self.framework = framework
        self._operations: dict[Shape, Operation] = {}
        for route in framework.routes:
            if isinstance(route, HTTPRoute):
                for method, (handler, _) in route.route_handler_map.items():
                    if BEFORE.items() <= handler.opt.items():
                        self._add(method, route, handler)

    def _add(self, method: str, route: HTTPRoute, handler: HTTPRouteHandler) -> None:
        understood = _understood(method, route.path_format)
        if understood is None:
            raise ValueError(f"{route.path} is no address of this door")
        self._operations[understood[0]] = Operation(route, handler)

    def find(self, scope: Any) -> Plain | None:
        """What answers a request, if it is a plain one."""
        understood = _understood(scope["method"], scope["path"])
        if understood is None or (operation := self._operations.get(understood[0])) is None:
            return None
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if len(headers) < len(scope["headers"]):
            return None  # a header twice: which one counts is the framework's to say
        caller = self._caller(scope["method"], headers, operation, understood[1])
        values = _values(operation, understood[1], scope["query_string"])
        if caller is None or values is None or (operation.bodied and not _small(headers)):
            return None
        state = self.framework.state
        provided = {
            "caller": caller, "gateway": state.gateway, "house": state.house,
            "lang": _lang(scope, headers),
        }  # fmt: skip
        return Plain(self, operation, values, provided)

    def _caller(
        self, method: str, headers: dict[bytes, bytes], operation: Operation, path: list[str]
    ) -> Caller | None:
        try:
            found = self.framework.state.tokens.bearer(headers.get(b"authorization", b""))
            if isinstance(found, Caller) and found.app:
                within(found, path[0], path[1], operation.mini_app or "")
            if isinstance(found, Caller) and found.actor:
                identity.acting.check(found.actor, method, operation.opt, path[0])
        except Problem:
            return None
        return found if isinstance(found, Caller) else None

    async def refuse(self, error: Exception, scope: Any, receive: Receive, send: Any) -> None:
        """The answer that the framework would give to what a handler raised."""
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        meant = next(http.HANDLERS[kind] for kind in type(error).__mro__ if kind in http.HANDLERS)
        answer = meant(request, error).to_asgi_response(None, request)
        await answer(scope, receive, send)


class _Left(Exception):
    """The caller went before the body was whole."""


async def _whole(receive: Receive, heard: list[Any]) -> bytes:
    """The body. What came is in `heard`, whatever happens."""
    more = True
    while more:
        message = await receive()
        heard.append(message)
        if message["type"] != "http.request":
            raise _Left
        more = message.get("more_body", False)
    return b"".join([message.get("body", b"") for message in heard])


def _again(heard: list[Any], receive: Receive) -> Receive:
    """A `receive` that begins with what was heard already."""
    waiting = iter(heard)

    async def receiving() -> Any:
        for message in waiting:
            return message
        return await receive()

    return receiving


def _understood(method: str, path: str) -> tuple[Shape, list[str]] | None:
    """Which operation it may be, and what stands in the places of its parameters."""
    found = ADDRESS.fullmatch(path)
    if found is None:
        return None
    shop, app, word, known, after = found.groups()
    values = [shop, app] if known is None else [shop, app, known]
    return (method, word, known is not None, after), values


def _values(operation: Operation, path: list[str], query: bytes) -> dict[str, Any] | None:
    """The arguments as they were sent; None where one was sent twice."""
    placed = dict(zip(operation.path, path, strict=True))
    if not query:
        return placed
    said = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    asked = dict(said)
    if len(asked) < len(said) or asked.keys() & {*placed, "data"}:
        return None
    return asked | placed


def _small(headers: dict[bytes, bytes]) -> bool:
    """Whether the body is JSON of a known, small length."""
    length = headers.get(b"content-length", b"")
    return (
        headers.get(b"content-type") == JSON
        and b"transfer-encoding" not in headers
        and length.isdigit()
        and 0 < int(length) <= BODY_MAX
    )


def _lang(scope: Any, headers: dict[bytes, bytes]) -> str:
    """As `http.language`, which looks at more where there is more to look at."""
    if scope["query_string"] or b"cookie" in headers:
        return http.language(Request(scope))
    return i18n.choose(headers.get(b"accept-language", b"").decode("latin-1"))
