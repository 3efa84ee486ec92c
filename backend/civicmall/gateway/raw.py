"""Raw calls: what no capability covers, passed on to declared methods and paths, streamed both ways.

Stands before the framework, because passing on is all it does, and what it costs is what citizens
wait for. It takes a bearer token and no cookie: no page of anybody can make a browser call it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from civicmall.identity import Caller, NotAllowed, SignInNeeded, Tokens
from civicmall.kernel import http, i18n, logs, metrics
from civicmall.kernel.clock import Clock
from civicmall.kernel.errors import BadRequest, Internal, MethodNotAllowed, Problem, TooLarge
from civicmall.shops import NoSuchApp
from shopkit import App, RawAnswer, RawAsk
from shopkit.answers import WrongAnswer
from shopkit.manifest import RawRoute
from shopkit.routing import match

from .calling import FINE
from .facts import Facts
from .gates import Way
from .http1 import RemoteFault
from .outcomes import named
from .remote import RemoteHost, broken
from .service import Gateway

log = logs.get("gateway")
ADDRESS: Final = re.compile(r"^/v1/shops/([a-z][a-z0-9_]{1,39})/raw(/.*)$", re.DOTALL)
SEGMENTS: Final = re.compile(r"^(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+$")
WHOLE: Final = 64 * 1024
"""Bytes of a body that goes on in one piece; a longer one streams."""
ASKED: Final = frozenset(
    {b"content-type", b"accept", b"if-none-match", b"if-modified-since", b"range"}
)
"""What of the caller's headers goes on: no cookie, no token, nothing hop-by-hop."""
ANSWERED: Final = frozenset(
    {
        b"content-type", b"content-length", b"content-encoding", b"content-language", b"content-range",
        b"content-disposition", b"etag", b"last-modified", b"retry-after", b"vary", b"accept-ranges",
    }
)  # fmt: skip
"""What of the shop's headers comes back: it sets no cookie here and allows nobody else in."""
ALONE: Final = (b"content-security-policy", b"sandbox; default-src 'none'")
"""Should a browser ever show such an answer, it is nobody's page."""
QUERY_MAX: Final = 4_096
"""Characters of a query; a longer one is a body that lost its way."""


class Asked(Struct, frozen=True):
    """One raw call, understood."""

    caller: Caller
    way: Way
    app: App
    route: RawRoute
    method: str
    path: str
    query: str
    length: int | None
    """Bytes of the body; None where the caller doesn't say."""
    headers: dict[bytes, bytes]
    lang: i18n.Lang


class Raw:
    """An ASGI application beside the framework's; `state` has what a process is made of."""

    def __init__(self, state: Any) -> None:
        self._state = state

    @staticmethod
    def takes(path: str) -> bool:
        """Whether an address is a raw one."""
        return path.startswith("/v1/shops/") and ADDRESS.match(path) is not None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["path_template"] = "/v1/shops/{shop}/raw/{path}"
        headers: dict[bytes, bytes] = dict(scope["headers"])
        said = headers.get(b"accept-language", b"").decode("latin-1")
        lang = i18n.choose(said)
        answering = _Answering(send)
        try:
            asked = self._understand(scope, headers, lang)
            await self._pass_on(asked, receive, answering)
        except Problem as problem:
            await answering.refuse(problem, lang)
        except Exception as error:
            log.exception("raw.fault")
            await answering.refuse(Internal(), lang)
            if answering.begun:
                raise error from None

    def _understand(self, scope: Any, headers: dict[bytes, bytes], lang: i18n.Lang) -> Asked:
        """Who calls what. Raises the problems of those who ask for what isn't there."""
        shop, path = _where(scope)
        caller = _who(self._state.tokens, headers)
        gateway: Gateway = self._state.gateway
        way = gateway.gates.way(shop, caller.citizen_id)
        method: str = scope["method"]
        app, route = _declared(way, method, path)
        query: str = scope["query_string"].decode("latin-1")
        if len(query) > QUERY_MAX or not (query.isascii() and query.isprintable()) or " " in query:
            raise BadRequest("the query", field="query")
        length = _length(headers)
        if length is not None and length > route.body_max_bytes:
            raise TooLarge(limit_bytes=route.body_max_bytes)
        return Asked(caller, way, app, route, method, path, query, length, headers, lang)

    async def _pass_on(self, asked: Asked, receive: Any, answering: _Answering) -> None:
        gateway: Gateway = self._state.gateway
        calls = gateway.calls
        await calls.check_rights(asked.caller, asked.way.deployed.shop, asked.app)
        calls.check_open(asked.way)
        facts = await calls.facts(asked.way, asked.caller, asked.app, "raw", asked.lang)
        clock: Clock = self._state.house.clock
        began, gate, who = clock.monotonic(), asked.way.gate, asked.caller.citizen_id
        went_in = gate.enter(who)
        ended: BaseException | None = None
        try:
            async with asyncio.timeout(gate.timeout_s), gate.places:
                await _call(asked, facts, receive, answering)
        except RemoteFault as error:
            ended = broken(error)
        except BaseException as error:  # noqa: BLE001 (told apart below; none is swallowed)
            ended = error
        gate.leave(who, went_in, ended)
        if isinstance(ended, Problem) or not isinstance(ended, Exception | None):
            raise ended  # the caller's own doing, or they went away
        outcome, problem = "ok", None
        if ended is not None:
            outcome, problem = named(gate.shop_id, asked.app.id, "raw", ended, asked.lang)
        gate.window.note(began, clock.monotonic() - began, failed=outcome not in FINE)
        metrics.SHOP_CALLS.labels(gate.shop_id, "raw", outcome).inc()
        if problem is not None:
            raise problem from ended


async def _call(asked: Asked, facts: Facts, receive: Any, answering: _Answering) -> None:
    """The shop's part of it. Raises as `facts.Host`, RemoteFault, and problems of the caller's."""
    host = asked.way.gate.host
    if not isinstance(host, RemoteHost):
        body = await _whole(receive, asked.route.body_max_bytes)
        answer = await host.call("raw", facts, _ask(asked, body))
        await answering.whole(answer, asked.route.answer_max_bytes)
        return
    headers = [(name, asked.headers[name]) for name in ASKED & asked.headers.keys()]
    headers += host.raw_headers(
        asked.method, host.raw_target(asked.app.id, asked.path), asked.query, facts
    )
    body: AsyncIterator[bytes] | bytes | None = None
    if asked.length is None or asked.length > WHOLE:
        body = _parts(receive, asked.route.body_max_bytes)
    elif asked.length:
        body = await _whole(receive, asked.route.body_max_bytes)
    target = host.raw_target(asked.app.id, asked.path)
    await host.client.stream(
        asked.method,
        f"{target}?{asked.query}" if asked.query else target,
        headers,
        body,
        length=asked.length or None,
        deadline=asyncio.get_running_loop().time() + facts.deadline_s,
        body_max=asked.route.answer_max_bytes,
        on_head=answering.head,
        on_chunk=answering.chunk,
        repeatable=asked.method == "GET",
    )


def _where(scope: Any) -> tuple[str, str]:
    """The shop and the path at it, as it stands on the wire. Raises BadRequest.

    Nothing is decoded that goes on, so nobody downstream reads it otherwise than we did.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    found = ADDRESS.match(raw.decode("latin-1"))
    if found is None or not SEGMENTS.match(found[2]):
        raise BadRequest("an address that is written oddly", field="path")
    for segment in found[2].split("/"):
        if (unquote(segment).strip(".") == "" and segment) or "/" in unquote(segment):
            raise BadRequest("an address with . or .. or a hidden slash", field="path")
    return found[1], found[2]


def _who(tokens: Tokens, headers: dict[bytes, bytes]) -> Caller:
    """The citizen whose bearer token came. Raises SignInNeeded, TokenInvalid, NotAllowed."""
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if not token or scheme.lower() != "bearer":
        raise SignInNeeded
    found = tokens.check(token.strip())
    if not isinstance(found, Caller):
        raise NotAllowed
    return found


def _declared(way: Way, method: str, path: str) -> tuple[App, RawRoute]:
    """The app and the route that a call is for. Raises NoSuchApp, MethodNotAllowed."""
    others: set[str] = set()
    for app in way.deployed.manifest.apps:
        for route in app.raw:
            if match(route.path, path) is None:
                continue
            if route.method == method:
                return app, route
            others.add(route.method)
    if others:
        raise MethodNotAllowed(allow=sorted(others))
    raise NoSuchApp(shop=way.deployed.shop)


def _length(headers: dict[bytes, bytes]) -> int | None:
    """How long the body is; the server has read the framing, so this is a number or nothing."""
    if b"transfer-encoding" in headers:
        return None
    return int(headers.get(b"content-length", b"0"))


async def _parts(receive: Any, most: int) -> AsyncIterator[bytes]:
    """The caller's body as it comes. Raises TooLarge, BadRequest when they go away."""
    seen = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("the body ended early", field="body")
        part: bytes = message.get("body", b"")
        seen += len(part)
        if seen > most:
            raise TooLarge(limit_bytes=most)
        if part:
            yield part
        if not message.get("more_body"):
            return


async def _whole(receive: Any, most: int) -> bytes:
    return b"".join([part async for part in _parts(receive, most)])


def _ask(asked: Asked, body: bytes) -> RawAsk:
    """A raw call as code in our process sees it."""
    return RawAsk(
        method=asked.method,
        path=asked.path,
        params={k: unquote(v) for k, v in (match(asked.route.path, asked.path) or {}).items()},
        query=asked.query,
        media=asked.headers.get(b"content-type", b"").decode("latin-1"),
        body=body,
    )


class _Answering:
    """The caller's side: what has begun can only be cut off."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self.begun = False

    async def head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """A shop's status and those of its headers that may pass."""
        if not 200 <= status < 600 or (300 <= status < 400 and status != 304):  # noqa: PLR2004 (RFC 9110)
            raise WrongAnswer("redirect", f"status {status}; redirects are not followed")
        kept = [(name, value) for name, value in headers if name.lower() in ANSWERED]
        self.begun = True
        await self._send(
            {"type": "http.response.start", "status": status, "headers": [*kept, ALONE]}
        )

    async def chunk(self, data: bytes, more: bool) -> None:  # noqa: FBT001 (as ASGI has it)
        """A part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def whole(self, answer: RawAnswer, most: int) -> None:
        """An answer in one piece."""
        if len(answer.body) > most:
            raise WrongAnswer("body-size", f"{len(answer.body)} bytes, {most} declared")
        media = answer.media.encode("latin-1", errors="replace")
        length = b"%d" % len(answer.body)
        await self.head(answer.status, [(b"content-type", media), (b"content-length", length)])
        await self.chunk(answer.body, False)  # noqa: FBT003 (as ASGI has it)

    async def refuse(self, problem: Problem, lang: i18n.Lang) -> None:
        """A problem, unless the answer has begun: then it stays unfinished, which the server's
        connection shows.
        """
        if self.begun:
            log.warning("raw.cut_off", problem=problem.type)
            raise ConnectionAbortedError(problem.type)
        body = msgspec.json.encode(http.body_of(problem, lang))
        headers = [
            (b"content-type", http.PROBLEM_JSON.encode()),
            (b"content-length", b"%d" % len(body)),
            *((k.lower().encode(), v.encode()) for k, v in http.headers_of(problem).items()),
        ]
        await self._send(
            {"type": "http.response.start", "status": problem.status, "headers": headers}
        )
        await self._send({"type": "http.response.body", "body": body})
