"""Shops at addresses of their own, on this machine, and a city that calls them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import uvicorn
from msgspec import Struct
from tests import workshop
from tests.city import City, running_city
from tests.rooms.gateway.steps import Later, forgive
from tests.serving import begin, free_port

from civicmall import releases, shops
from civicmall.gateway.gates import Way
from civicmall.kernel import crypto
from civicmall.kernel.config import Settings
from civicmall.shops import Placed, Registry
from civicmall.shops.rules import digest
from shopkit import Shop
from shopkit.keys import Key
from shopkit.manifest import parse_manifest
from shopkit.serve import ShopService, Trust
from shopkit.webhooks import secret_of

EVERYTHING: Final = Path(__file__).with_name("everything.py").read_text()
TIMEOUT_MS: Final = 600
KEY: Final = Key(bytes(range(32)))
"""What the remote shops of these tests sign with."""
OTHER_KEY: Final = Key(bytes(range(1, 33)))
FORM: Final = {
    "type": "object", "required": ["end"],
    "properties": {
        "end": {
            "type": "string", "x-label": workshop.text("end"), "x-example": "ok", "maxLength": 20,
        }
    },
}  # fmt: skip
MB: Final = 1024 * 1024
RAW: Final = [
    {"method": "GET", "path": "/files/{name}", "answer_max_bytes": 8 * MB},
    {"method": "POST", "path": "/files/{name}"},
    {"method": "PUT", "path": "/big/{name}", "body_max_bytes": 8 * MB, "answer_max_bytes": 64 * MB},
]
CLAIMS: Final = [{"name": "id_number", "purpose": workshop.text("to find you")}]
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Seen(Struct, frozen=True):
    """A request that reached a shop."""

    method: str
    path: str
    query: str
    headers: dict[str, str]


class Served:
    """An ASGI application on a port of its own, which may stop and come back. `instead` answers in
    its place where it is set.
    """

    def __init__(self, app: Asgi | None = None) -> None:
        self.app = app
        self.instead: Asgi | None = None
        self.seen: list[Seen] = []
        self.port = free_port()
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def up(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    @property
    def connections(self) -> int:
        """How many are open here."""
        return len(self._server.server_state.connections) if self._server else 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = {k.decode(): v.decode("latin-1") for k, v in scope["headers"]}
            query = scope["query_string"].decode()
            self.seen.append(Seen(scope["method"], scope["raw_path"].decode(), query, headers))
            if self.instead is not None:
                await self.instead(scope, receive, send)
                return
        assert self.app is not None
        await self.app(scope, receive, send)

    async def start(self) -> None:
        """Listen, on the same port each time."""
        config = uvicorn.Config(
            self, port=self.port, http="httptools", log_config=None, access_log=False,
            lifespan="on" if self.app is not None else "off", timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._serving = await begin(self._server)

    async def stop(self) -> None:
        """End every connection and listen no more."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._server = self._serving = None


class Town(Registry):
    """A registry in which a test places what else a release would."""

    def __init__(self, entries: Iterable[Any]) -> None:
        self.extra: list[Placed] = []
        super().__init__(entries)

    def place(self, placed: Iterable[Placed]) -> bool:
        return super().place([*placed, *self.extra])


def said(shop: str, *, contract: int = 2, **more: Any) -> dict[str, Any]:
    """The manifest of a shop that does everything (contract 1: what that knows)."""
    often = {"per_second": 10_000, "per_citizen_per_minute": 6_000}
    limits = {"timeout_ms": TIMEOUT_MS, "concurrency": 8, "queue": 24, **often}
    if contract == 1:
        apps = [workshop.app("all", "progress", "bills")]
        return workshop.manifest(shop, apps, limits=limits, **more)
    apps = [
        workshop.app(
            "all", "progress", "bills", "apply", "appointments", "calculate", "enquire", "raw",
            forms={"calculate": FORM, "enquire": FORM}, raw=RAW,
        ),
        workshop.app(
            "guarded", "bills", "raw", claims=CLAIMS, min_level=2,
            raw=[{"method": "GET", "path": "/private/{name}"}],
        ),
    ]  # fmt: skip
    apps[1]["fees"] = apps[0]["fees"]
    hooks = {"events": ["consent.withdrawn"]}
    return workshop.manifest(shop, apps, contract=2, webhooks=hooks, limits=limits, **more)


def placed(
    manifest: dict[str, Any], url: str, *, role: Any = "live", percent: int = 0,
    key: str = KEY.text, **more: str,
) -> Placed:  # fmt: skip
    """A release of a shop at that address; `more` is of its runtime."""
    runtime = {"url": url, "key": key, **more}
    read = parse_manifest(msgspec.json.encode({**manifest, "runtime": runtime}))
    return Placed(read.id, read.version, digest(read), "submitted", role, percent, read)


class Remote:
    """A city, a shop in its process (`here`), and the same code at an address (`away`)."""

    def __init__(self, city: City, town: Town, here: str, away: str, served: Served) -> None:
        self.city = city
        self.town = town
        self.here = here
        self.away = away
        self.served = served
        self.gateway = city.parts.gateway
        self.beside: list[Placed] = []
        """What `back` places beside the shop that does everything."""

    async def place(self, *releases_: Placed) -> None:
        """From now on these are what is placed beside the folder's shop."""
        self.town.extra = list(releases_)
        await releases.refresh(self.city.house.db, self.town)

    async def back(self) -> None:
        """The shop that does everything, up, and with nothing against it."""
        self.served.instead = None
        if not self.served.up:
            await self.served.start()
        await self.place(placed(said(self.away), self.served.url), *self.beside)
        await self.gateway.gates.probe()
        for shop in (self.here, self.away):
            forgive(self.way(shop).gate)
        self.served.seen.clear()

    def way(self, shop: str) -> Way:
        """The live version of a shop and its gate."""
        found: Way = self.gateway.gates.way(shop, None)
        return found

    def inside(self, shop: str) -> Any:
        """The module of its code."""
        return workshop.inside(shop)


def service(shop: Shop, settings: Settings, jwks: str) -> ShopService:
    """The shop as a service that believes this city."""
    keys = crypto.load(settings.data_dir)
    name = shop.manifest.id
    return ShopService(
        shop, trust=Trust(jwks=jwks, shared=keys.derive(f"requests:{name}")), secret=keys.derive(f"shop:{name}"),
        webhook_secret=secret_of(keys.derive(f"webhooks:{name}")),
    )  # fmt: skip


@asynccontextmanager
async def remote_city(settings: Settings, folder: Path, later: Later) -> AsyncGenerator[Remote]:
    """Everything up, until left."""
    here, away = workshop.unique("here"), workshop.unique("away")
    workshop.build(folder / "here", said(here), EVERYTHING)
    workshop.build(folder / "away", said(away), EVERYTHING)
    town = Town(workshop.opened(folder / "here").all())
    shop = shops.load(shops.discover(folder / "away")).get(away).shop
    assert shop is not None
    async with AsyncExitStack() as stack:
        near = msgspec.structs.replace(settings, shop_networks="127.0.0.0/8")
        city = await stack.enter_async_context(running_city(near, town, later))
        served = Served(service(shop, settings, f"{city.url}/.well-known/jwks.json"))
        stack.push_async_callback(served.stop)
        await served.start()
        remote = Remote(city, town, here, away, served)
        await remote.place(placed(said(away), served.url))
        yield remote


def answering(
    status: int, body: Any = b"", *headers: tuple[bytes, bytes], media: bytes = b"application/json"
) -> Asgi:
    """A shop that always says the same; a body that is no bytes becomes JSON."""
    whole = body if isinstance(body, bytes) else msgspec.json.encode(body)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        more = [(b"content-type", media), (b"content-length", b"%d" % len(whole)), *headers]
        await send({"type": "http.response.start", "status": status, "headers": more})
        await send({"type": "http.response.body", "body": whole})

    return app


def problem(status: int, kind: str, *headers: tuple[bytes, bytes], **more: Any) -> Asgi:
    """A shop that always says no."""
    return answering(
        status, {"type": kind, "title": kind, "status": status, **more}, *headers,
        media=b"application/problem+json",
    )  # fmt: skip


class Holding:
    """Lets each request wait until `go`, then passes it on; `waiting` once one is here."""

    def __init__(self, app: Asgi) -> None:
        self._app = app
        self.waiting = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.waiting.set()
        await self.go.wait()
        await self._app(scope, receive, send)
