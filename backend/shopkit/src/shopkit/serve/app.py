"""The ASGI application: which address is what, and that every request ends in an answer."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Final, cast
from urllib.parse import unquote

import msgspec

from .. import webhooks  # noqa: TID252 (the package is one thing)
from ..call import Attest, Citizen, FetchMaterial, NoTables, ShopDb  # noqa: TID252 (the same)
from ..contract import CONTRACTS, Event, RawAnswer, RawAsk  # noqa: TID252 (the same)
from ..manifest import DISCOVERY, OLDEST, App, RawRoute, Webhooks  # noqa: TID252 (the same)
from ..routing import match  # noqa: TID252 (the same)
from ..shop import Shop, needs  # noqa: TID252 (the same)
from ..signatures import Memory, Replays, Request  # noqa: TID252 (the same)
from .calls import Caller, question
from .clock import seconds
from .guard import Guard
from .http import BODY_MAX, Answer, Fault, Gone, Receive, Scope, Send, header, problem, read, reply
from .platform import no_platform, nobody_to_tell
from .trust import NoKeys, Trust

log = logging.getLogger("shopkit.serve")
APP_PARTS: Final = 3
"""`apps/{app}/…` below the version."""
Opened = Callable[[], AbstractAsyncContextManager[ShopDb]]
"""Opens the shop's own schema for as long as the service runs; seeds it in a sandbox."""


@asynccontextmanager
async def no_tables() -> AsyncGenerator[ShopDb]:
    """For a shop that keeps none."""
    yield cast("ShopDb", NoTables())


class ShopService:
    """Serves `shop` below `base` (the path of its url in the manifest, empty at the root).

    `trust` are the platform's keys, `secret` 32 bytes of the shop's own, `webhook_secret` what
    its events are signed with. `clock` gives Unix seconds. One process: the memory of nonces
    (`seen`) is in it, unless another is given. Raises BadManifest where code is missing.
    """

    def __init__(  # noqa: PLR0913 (each is named by who serves)
        self, shop: Shop, *, trust: Trust, secret: bytes, opened: Opened = no_tables,
        materials: FetchMaterial = no_platform, webhook_secret: str = "", base: str = "",
        clock: Callable[[], float] = seconds, seen: Replays | None = None,
        attests: Attest = nobody_to_tell,
    ) -> None:  # fmt: skip
        shop.check()
        self._shop = shop
        self._trust = trust
        self._opened = opened
        self._db: ShopDb | None = None
        self._webhook_secret = webhook_secret
        self._base = base.rstrip("/")
        self._clock = clock
        self._guard = Guard(shop.manifest.id, trust, seen or Memory())
        self._caller = Caller(shop, secret, materials, attests)
        self._contracts = [c for c in CONTRACTS if c <= shop.manifest.contract]
        self._operations = {
            (contract, app.id): operations(app, contract)
            for app in shop.manifest.apps
            for contract in self._contracts
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI scope: `lifespan` or `http`."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                await self.open(stack)
            except Exception as error:
                log.exception("the shop can't start")
                said = f"{type(error).__name__}: {error}"
                await send({"type": "lifespan.startup.failed", "message": said})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def open(self, stack: AsyncExitStack) -> None:
        """Open what the shop needs, until `stack` is left."""
        stack.push_async_callback(self._caller.close)
        self._db = await stack.enter_async_context(self._opened())
        if self._trust.may_refresh():
            try:
                await self._trust.refresh()
            except NoKeys as error:
                log.warning("%s; every request is refused until they are there", error)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except Gone:
            return
        except Fault as fault:
            answer = problem(fault)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            answer = problem(Fault(500, "failed"))
        await reply(send, answer, bodiless=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path = _path(scope).removeprefix(self._base)
        hooks = self._shop.manifest.webhooks
        if path == DISCOVERY:
            return self._discovery(scope)
        if hooks is not None and path == hooks.path:
            return await self._event(scope, receive, hooks)
        version, _, rest = path.removeprefix("/").partition("/")
        contract = next((c for c in self._contracts if version == f"v{c}"), None)
        parts = rest.split("/", APP_PARTS)
        if contract is None or len(parts) < APP_PARTS or parts[0] != "apps":
            raise Fault(404, "not-found", "no such address")
        if parts[2] == "raw" and contract > 1:
            return await self._raw(scope, receive, parts[1], "/" + "/".join(parts[3:]))
        if len(parts) > APP_PARTS:
            raise Fault(404, "not-found", "no such address")
        return await self._typed(scope, receive, contract, parts[1], parts[2])

    def _discovery(self, scope: Scope) -> Answer:
        _only(scope, "GET", "HEAD")
        manifest = self._shop.manifest
        said = {
            "id": manifest.id, "version": manifest.version, "contracts": self._contracts,
            "manifest": manifest,
        }  # fmt: skip
        return Answer(200, msgspec.json.encode(said))

    async def _typed(
        self, scope: Scope, receive: Receive, contract: int, app: str, operation: str
    ) -> Answer:
        _only(scope, "POST")
        body = await read(scope, receive, BODY_MAX)
        created, citizen = await self._admit(scope, body, app)
        if operation not in self._operations.get((contract, app), ()):
            raise Fault(404, "not-found", "the manifest declares no such operation")
        asked = question(operation, body)
        call = self._caller.call(scope, citizen, created, self._schema(), app)
        return self._caller.encoded(
            operation, asked, await self._caller.ask(operation, call, asked)
        )

    async def _raw(self, scope: Scope, receive: Receive, app: str, path: str) -> Answer:
        declared = self._shop.manifest.app(app)
        method: str = scope["method"]
        route, params = _route(declared, method, path)
        body = await read(scope, receive, route.body_max_bytes if route else 0)
        signed = route is None or route.signed
        created, citizen = await self._admit(scope, None, app, signed=signed)
        if route is None:
            raise Fault(404, "not-found", "the manifest declares no such raw path")
        media = header(scope, b"content-type").decode("latin-1")
        query: str = scope["query_string"].decode("latin-1")
        asked = RawAsk(method, path, params, query, media, body)
        call = self._caller.call(scope, citizen, created, self._schema(), app)
        answer = await self._caller.ask("raw", call, asked)
        if not isinstance(answer, RawAnswer) or len(answer.body) > route.answer_max_bytes:
            log.error("%s: a raw answer that is none, or too large", app)
            raise Fault(500, "failed")
        return Answer(answer.status, answer.body, answer.media.encode("latin-1", "replace"))

    async def _event(self, scope: Scope, receive: Receive, hooks: Webhooks) -> Answer:
        _only(scope, "POST")
        body = await read(scope, receive, webhooks.BODY_MAX)
        if not self._webhook_secret:
            raise Fault(503, "unavailable", "no webhook secret is set here")
        now = int(self._clock())
        try:
            told = webhooks.verify(self._webhook_secret, scope["headers"], body, now)
        except webhooks.BadWebhook as error:
            raise Fault(401, "signature", error.seen, check=error.check) from error
        kind = told.type.removeprefix(webhooks.TYPE_PREFIX)
        if kind not in hooks.events:  # one that a later platform knows
            return Answer(204, media=b"")
        event = Event(told.id, cast("Any", kind), told.subject or "", told.time, told.data or {})
        subject = event.subject if self._shop.manifest.app(event.subject) else ""
        call = self._caller.call(scope, Citizen("platform", 1), now, self._schema(), subject)
        await self._caller.ask("event", call, event)
        return Answer(204, media=b"")

    async def _admit(
        self, scope: Scope, body: bytes | None, app: str, *, signed: bool = True
    ) -> tuple[int, Citizen]:
        query: str = scope["query_string"].decode("latin-1")
        request = Request(scope["method"], _path(scope), query, scope["headers"], body)
        return await self._guard.admit(request, app, now=int(self._clock()), signed=signed)

    def _schema(self) -> ShopDb:
        if self._db is None:
            raise Fault(503, "unavailable", "the shop is starting")
        return self._db


def operations(app: App, contract: int) -> frozenset[str]:
    """What may be asked of an app in one version of the contract; raw paths are apart."""
    return frozenset(
        operation
        for capability in app.capabilities
        if OLDEST.get(capability, 2) <= contract
        for operation in needs(capability, contract)
        if operation != "raw"
    )


def _path(scope: Scope) -> str:
    """As it stood on the wire, percent-encoded."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("latin-1")


def _only(scope: Scope, *methods: str) -> None:
    if scope["method"] not in methods:
        allowed = ((b"allow", ", ".join(methods).encode()),)
        raise Fault(405, "bad-request", f"only {' and '.join(methods)}", headers=allowed)


def _route(app: App | None, method: str, path: str) -> tuple[RawRoute | None, dict[str, str]]:
    for route in app.raw if app else ():
        params = match(route.path, path) if route.method == method else None
        if params is not None:
            return route, {name: unquote(value) for name, value in params.items()}
    return None, {}
