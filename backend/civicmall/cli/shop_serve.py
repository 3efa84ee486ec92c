"""`civicmall shop serve`: a Python shop as a service of its own."""

from __future__ import annotations

import asyncio
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import uvicorn
from msgspec import Struct
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from civicmall import gateway
from civicmall.kernel import crypto
from civicmall.kernel.config import BadSetting, Settings
from shopkit import Shop, ShopDb
from shopkit.keys import Key, shared_key
from shopkit.kit.letters import WEBHOOK_SECRET
from shopkit.manifest import DISCOVERY, Http
from shopkit.serve import PlatformClient, ShopService, Trust, sandbox_trust
from shopkit.serve.platform import no_platform, nobody_to_tell

from .run import Server, database, free, until_stopped
from .shop_home import opened, prepare

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

SEED: Final = 32
JWKS: Final = "/.well-known/jwks.json"
WEBHOOK_SETTING: Final = "CIVICMALL_WEBHOOK_SECRET"
REQUEST_SETTING: Final = "CIVICMALL_REQUEST_SECRET"
DRAIN_S: Final = 5
"""Beyond the shop's own deadline, for answers that are under way when it is stopped."""


class Place(Struct, frozen=True):
    """Where it is served, and for whom."""

    host: str
    port: int
    platform: str
    key_file: Path
    sandbox: bool


def key_of(path: Path) -> Key:
    """The shop's signing key, made at the first start; mode 600. Raises BadSetting."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(urlsafe_b64encode(os.urandom(SEED)) + b"\n")
    if path.stat().st_mode & 0o077:
        raise BadSetting(str(path), "a file that nobody else can read (chmod 600)")
    try:
        return Key(urlsafe_b64decode(path.read_bytes().strip()))
    except ValueError as error:
        raise BadSetting(str(path), f"{SEED} bytes in base64url") from error


def trust_of(place: Place) -> Trust:
    """Whom it believes. Raises BadSetting where that would be nobody."""
    jwks = place.platform.rstrip("/") + JWKS if place.platform else ""
    shared = _shared(os.environ.get(REQUEST_SETTING, ""))
    if place.sandbox:
        return sandbox_trust(jwks, shared)
    if not jwks:
        raise BadSetting("--platform", "the platform's address: outside a sandbox its key is there")
    return Trust(jwks=jwks, shared=shared)


def _shared(said: str) -> bytes | None:
    """The secret that requests may be signed with, where there is one. Raises BadSetting."""
    try:
        return shared_key(said) if said else None
    except ValueError as error:
        raise BadSetting(REQUEST_SETTING, "what `civicmall shop request-secret` shows") from error


def serve(out: Console, shop: Shop, settings: Settings, place: Place) -> None:
    """Migrate, seed in a sandbox, and serve until it is stopped."""
    free(place.host, place.port, "--port")
    key, trust = key_of(place.key_file), trust_of(place)
    keys = crypto.load(settings.data_dir)
    url = settings.database_url
    if shop.migrations is not None:
        url = database(settings, out.print).database_url
        for name in asyncio.run(prepare(shop, url, keys)):
            out.print(f"applied {name}")

    runtime = shop.manifest.runtime
    if isinstance(runtime, Http) and runtime.key != key.text:
        out.print(f"[yellow]shop.json names another key than {place.key_file} has[/yellow]")
    client = PlatformClient(place.platform, shop.manifest.id, key) if place.platform else None

    @asynccontextmanager
    async def schema() -> AsyncGenerator[ShopDb]:
        async with opened(shop, url, keys, seed=place.sandbox) as own:
            yield own
        if client is not None:
            await client.close()

    service = ShopService(
        shop, base=_base(shop), trust=trust, secret=gateway.secret_for(shop.manifest.id, keys), opened=schema,
        materials=client.material if client else no_platform,
        attests=client.attest if client else nobody_to_tell,
        webhook_secret=os.environ.get(WEBHOOK_SETTING, WEBHOOK_SECRET if place.sandbox else ""),
    )  # fmt: skip
    config = uvicorn.Config(
        service,
        host=place.host,
        port=place.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=shop.manifest.limits.timeout_ms // 1000 + DRAIN_S,
    )
    server: Any = Server(config, lambda: out.print(welcome(shop, key, place, _port(server))))
    until_stopped(server)


def _base(shop: Shop) -> str:
    """The path of the address in its manifest: proxies before it keep it, for it is signed."""
    runtime = shop.manifest.runtime
    return urlsplit(runtime.url).path.rstrip("/") if isinstance(runtime, Http) else ""


def _port(server: uvicorn.Server) -> int:
    """The one that it got, where 0 asked for any."""
    return next(s.getsockname()[1] for one in server.servers for s in one.sockets)


def welcome(shop: Shop, key: Key, place: Place, port: int) -> Panel:
    """Where it listens, and how the platform learns of it."""
    url = f"http://{place.host}:{port}{_base(shop)}"
    table = Table.grid(padding=(0, 2))
    table.add_row("listens on", url)
    table.add_row("discovery", url + DISCOVERY)
    table.add_row("believes", place.platform or "the sandbox's key, which everybody knows")
    table.add_row("public key", key.text)
    table.add_row("key file", str(place.key_file))
    table.add_row("", "")
    table.add_row(
        "to register it", 'shop.json: "runtime": {"url": …, "key": …} with the address that'
    )
    table.add_row(
        "", "the platform reaches it at, and this public key; then `civicmall shop submit`"
    )
    table.add_row("to check it", f"civicmall shop check {url}")
    return Panel(table, title=f"{shop.manifest.id} {shop.manifest.version} is up", expand=False)
