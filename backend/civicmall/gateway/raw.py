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

from msgspec import Struct

from civicmall import identity
from civicmall.identity import Caller, NotAllowed, SignInNeeded, Tokens, within
from civicmall.kernel import i18n, logs
from civicmall.kernel.errors import BadRequest, Internal, MethodNotAllowed, Problem, TooLarge
from civicmall.shops import NoSuchApp
from shopkit import App, Manifest, RawAsk
from shopkit.manifest import RawRoute
from shopkit.routing import match

from . import rules
from .facts import Facts
from .gates import Way
from .http1 import RemoteFault, Unsendable
from .outcomes import named
from .raw_caller import Answering, Hearing
from .remote import RemoteHost, broken
from .service import Gateway

log = logs.get("gateway")
ADDRESS: Final = re.compile(r"^/v1/shops/([a-z][a-z0-9_]{1,39})/raw(/.*)$", re.DOTALL)
SEGMENTS: Final = re.compile(r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)+")
PLAIN: Final = re.compile(
    rb"/v1/shops/([a-z][a-z0-9_]{1,39})/raw"
    rb"((?:/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9._~!$&'()*+,=:@-]*)+)"
)
"""An address in which nothing can hide: no percent sign, no parameter, no dot in front. Most are."""
UNSAFE: Final = re.compile(r"[/\\\x00-\x1f\x7f]")
"""What no segment may be hiding: somebody further on may take it for a separator or an end."""
WHOLE: Final = 64 * 1024
"""Bytes of a body that goes on in one piece; a longer one streams."""
ASKED: Final = frozenset(
    {b"content-type", b"accept", b"if-none-match", b"if-modified-since", b"range"}
)
"""What of the caller's headers goes on: no cookie, no token, nothing hop-by-hop."""
VERSIONS_MAX: Final = 500
"""Versions whose routes are at hand: more than run at once, and old ones go with the rest."""
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
        self._declared: dict[tuple[str, str], Declared] = {}

    def find(self, scope: Any) -> Raw | None:
        """What answers at an address: this, if it is a raw one."""
        path: str = scope["path"]
        return self if path.startswith("/v1/shops/") and ADDRESS.match(path) else None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["path_template"] = "/v1/shops/{shop}/raw/{path}"
        headers: dict[bytes, bytes] = dict(scope["headers"])
        said = headers.get(b"accept-language", b"").decode("latin-1")
        lang = i18n.choose(said)
        answering = Answering(send)
        try:
            asked = self._understand(scope, headers, lang)
            await self._pass_on(asked, receive, answering)
        except Problem as problem:
            await answering.refuse(problem, lang)
        except Exception:
            log.exception("raw.fault")
            await answering.refuse(Internal(), lang)

    def _understand(self, scope: Any, headers: dict[bytes, bytes], lang: i18n.Lang) -> Asked:
        """Who calls what. Raises the problems of those who ask for what isn't there."""
        shop, path = where(scope)
        caller = _who(self._state.tokens, headers)
        gateway: Gateway = self._state.gateway
        way = gateway.gates.way(shop, caller.citizen_id)
        method: str = scope["method"]
        app, route = self._of(way).find(method, path)
        within(caller, shop, app.id, "raw")
        identity.acting.check(caller.actor, method, {}, shop)
        query: str = scope["query_string"].decode("latin-1")
        if query and (
            len(query) > QUERY_MAX or not (query.isascii() and query.isprintable()) or " " in query
        ):
            raise BadRequest("the query", field="query")
        length = _length(headers)
        if length is not None and length > route.body_max_bytes:
            raise TooLarge(limit_bytes=route.body_max_bytes)
        return Asked(caller, way, app, route, method, path, query, length, headers, lang)

    def _of(self, way: Way) -> Declared:
        """What a version declares; worked out once for each that runs."""
        deployed = way.deployed
        found = self._declared.get(deployed.key)
        if found is None or found.manifest is not deployed.manifest:
            if len(self._declared) >= VERSIONS_MAX:
                self._declared.clear()
            found = self._declared[deployed.key] = Declared(deployed.manifest)
        return found

    async def _pass_on(self, asked: Asked, receive: Any, answering: Answering) -> None:
        gateway: Gateway = self._state.gateway
        calls, gate = gateway.calls, asked.way.gate
        rules.known_well_enough(asked.app, asked.way.deployed.shop, asked.caller)
        calls.check_open(asked.way)
        hearing = Hearing(receive, asked.route.body_max_bytes)
        body = await _small(asked, hearing)
        facts = await calls.facts(asked.way, asked.caller, asked.app, "raw", asked.lang)
        began, who = self._state.house.clock.monotonic(), asked.caller.citizen_id.int
        went_in = gate.enter(who)
        ended: BaseException | None = None
        try:
            async with asyncio.timeout(None) as until:
                hearing.watch(until, answering, gate.timeout_s)
                try:
                    async with gate.places:
                        await _call(asked, facts, body, hearing, answering)
                finally:
                    hearing.unwatch()
        except BaseException as error:  # noqa: BLE001 (told apart below; none is swallowed)
            ended = _whose(error, hearing, answering)
        gate.leave(who, went_in, ended)
        outcome = "ok" if ended is None else "left"
        problem: BaseException | None = ended
        if isinstance(ended, Exception):
            outcome, problem = named(gate.shop_id, asked.app.id, "raw", ended, asked.lang)
        calls.note(asked.way, "raw", outcome, began)
        if problem is not None:
            raise problem from (None if problem is ended else ended)


def _whose(error: BaseException, hearing: Hearing, answering: Answering) -> BaseException:
    """The same error where it is the shop's or ours; a problem where the caller is at fault."""
    if isinstance(error, RemoteFault):
        return broken(error)
    if isinstance(error, Unsendable):
        return BadRequest(str(error))
    if isinstance(error, TimeoutError) and (hearing.holds_up or answering.holds_up):
        return BadRequest("sent or took it too slowly, or left", field="body")
    return error


async def _small(asked: Asked, hearing: Hearing) -> bytes | None:
    """A body that goes on in one piece; it comes before a place is taken that others wait for."""
    if asked.length is None or asked.length > WHOLE:
        return None
    if not asked.length:
        hearing.done = True
        return b""
    try:
        async with asyncio.timeout(asked.way.gate.timeout_s):
            return await hearing.whole()
    except TimeoutError:
        raise BadRequest("sent too slowly", field="body") from None


async def _call(
    asked: Asked, facts: Facts, small: bytes | None, hearing: Hearing, answering: Answering
) -> None:
    """The shop's part of it. Raises as `facts.Host`, RemoteFault, and problems of the caller's."""
    host = asked.way.gate.host
    if not isinstance(host, RemoteHost):
        body = await hearing.whole() if small is None else small
        answer = await host.call("raw", facts, _ask(asked, body))
        await answering.whole(answer, asked.route.answer_max_bytes)
        return
    host.check_spoken("raw")
    target = host.raw_target(asked.app.id, asked.path)
    headers = [(name, asked.headers[name]) for name in ASKED & asked.headers.keys()]
    headers += host.raw_headers(asked.route, target, asked.query, facts)
    parts: AsyncIterator[bytes] | bytes = hearing.parts() if small is None else small
    await host.client.stream(
        asked.method,
        f"{target}?{asked.query}" if asked.query else target,
        headers,
        parts,
        length=asked.length,
        deadline=asyncio.get_running_loop().time() + facts.deadline_s,
        body_max=asked.route.answer_max_bytes,
        on_head=answering.head,
        on_chunk=answering.chunk,
        repeatable=asked.method == "GET",
    )


def where(scope: Any) -> tuple[str, str]:
    """The shop and the path at it, as it stands on the wire. Raises BadRequest.

    Nothing is decoded that goes on, so nobody downstream reads it otherwise than we did.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    if (plain := PLAIN.fullmatch(raw)) is not None:
        return plain[1].decode(), plain[2].decode()
    found = ADDRESS.match(raw.decode("latin-1"))
    if found is None or not SEGMENTS.fullmatch(found[2]):
        raise BadRequest("an address that is written oddly", field="path")
    for segment in found[2].split("/")[1:]:
        try:
            meant = unquote(segment, errors="strict")
        except UnicodeDecodeError:
            raise BadRequest("an address that is not UTF-8", field="path") from None
        if UNSAFE.search(meant) or not meant.partition(";")[0].strip("."):
            raise BadRequest("an address with . or .. or a hidden slash", field="path")
    return found[1], found[2]


def _who(tokens: Tokens, headers: dict[bytes, bytes]) -> Caller:
    """The citizen whose bearer token came. Raises SignInNeeded, TokenInvalid, NotAllowed."""
    header = headers.get(b"authorization", b"")
    if not header.lower().startswith(b"bearer "):
        raise SignInNeeded
    found = tokens.bearer(header)
    if not isinstance(found, Caller):
        raise NotAllowed
    return found


class Declared:
    """The raw routes of one manifest, by the number of their segments: `routing.match` of a path
    that is asked again and again.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._by_length: dict[int, list[tuple[re.Pattern[str], App, RawRoute]]] = {}
        for app in manifest.apps:
            for route in app.raw:
                alike = self._by_length.setdefault(route.path.count("/"), [])
                alike.append((_pattern(route.path), app, route))

    def find(self, method: str, path: str) -> tuple[App, RawRoute]:
        """The app and the route that a call is for: the first declared. Raises NoSuchApp,
        MethodNotAllowed.
        """
        others: set[str] = set()
        for pattern, app, route in self._by_length.get(path.count("/"), ()):
            if pattern.fullmatch(path) is None:
                continue
            if route.method == method:
                return app, route
            others.add(route.method)
        if others:
            raise MethodNotAllowed(allow=sorted(others))
        raise NoSuchApp(shop=self.manifest.id)


def _pattern(path: str) -> re.Pattern[str]:
    """As `routing.match` reads a declared path."""
    parts = ("[^/]+" if part.startswith("{") else re.escape(part) for part in path.split("/"))
    return re.compile("/".join(parts))


def _length(headers: dict[bytes, bytes]) -> int | None:
    """How long the body is; the server has read the framing, so this is a number or nothing."""
    if b"transfer-encoding" in headers:
        return None
    return int(headers.get(b"content-length", b"0"))


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
