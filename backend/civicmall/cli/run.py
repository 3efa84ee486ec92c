"""`civicmall run` and `civicmall serve`."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
import time
from logging import INFO, WARNING
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
import uvicorn
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from civicmall import app, identity, payments
from civicmall.kernel import embedded, logs, serving
from civicmall.kernel.config import BadSetting, Settings

if TYPE_CHECKING:
    from civicmall.shops import Registry


class Server(serving.Server):
    """The server, with a word when it is up."""

    def __init__(self, config: uvicorn.Config, when_up: Any) -> None:
        super().__init__(config)
        self._when_up = when_up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so unless it failed."""
        await super().startup(sockets=sockets)
        if not self.should_exit:
            self._when_up()


def database(settings: Settings, say: Any) -> Settings:
    """The settings with a database that answers: the one of DATABASE_URL, else one of our own.

    Raises BadSetting, NoServer.
    """
    if settings.database_url:
        asyncio.run(_reach(settings))
        return settings
    server = embedded.start(settings.data_dir / "postgres", log=say)
    return msgspec.structs.replace(settings, database_url=server.url)


def prepare(settings: Settings, registry: Registry) -> list[str]:
    """Migrate and load."""
    return asyncio.run(app.prepare(settings, registry))


async def _reach(settings: Settings) -> None:
    """That there is a database and it lets us in. Raises BadSetting."""
    try:
        connection = await asyncpg.connect(settings.database_url, timeout=10)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise BadSetting("DATABASE_URL", f"no PostgreSQL answers there: {error}") from error
    await connection.close()


def run_all(out: Console) -> None:
    """Set up and serve; prints where to go."""
    began = time.monotonic()
    settings = Settings.from_env().for_a_city()
    free(settings.host, settings.port)
    # At a terminal a line per request would push the addresses out of sight.
    logs.configure(as_json=settings.log_json, level=INFO if settings.log_json else WARNING)
    with out.status("PostgreSQL …") as status:

        def say(what: str) -> None:
            status.update(f"{what} …")
            out.print(f"  {what}")

        settings = database(settings, say)
        out.print("[green]✓[/green] database")
        status.update("shops …")
        registry = app.open_registry(settings)
        for entry in registry.all():
            mark = "[green]✓[/green]" if entry.state == "live" else "[red]✗[/red]"
            out.print(f"{mark} shop {entry.id} {entry.reason}")
        status.update("migrations and content …")
        applied = prepare(settings, registry)
        out.print(f"[green]✓[/green] content ({len(applied)} migrations applied)")
    out.print("  opening the shops and the doors …")

    def when_up() -> None:
        welcome(out, settings, time.monotonic() - began)

    _serve(settings, registry, when_up)
    if "DATABASE_URL" not in os.environ:
        out.print("Stopped. PostgreSQL stays up; [bold].venv/bin/civicmall db stop[/bold] ends it.")


def serve_only() -> None:
    """Serve; for production, under a supervisor."""
    if "CIVICMALL_SANDBOX" not in os.environ:
        raise BadSetting("CIVICMALL_SANDBOX", "0 for a real city or 1 for a sandbox: say which")
    settings = Settings.from_env().for_a_city()
    if not settings.database_url:
        raise BadSetting(
            "DATABASE_URL", "the address of a migrated database (`civicmall db migrate`)"
        )
    logs.configure(as_json=settings.log_json)
    _serve(settings, app.open_registry(settings), lambda: None)


def free(host: str, port: int, setting: str = "PORT") -> None:
    """That nobody listens there yet; any other trouble the server names. Raises BadSetting."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise BadSetting(setting, f"{port} is in use; set another one") from error


def _serve(settings: Settings, registry: Registry, when_up: Any) -> None:
    payments.check_settings()
    for lack in identity.check_settings(sandbox=settings.sandbox):
        Console(stderr=True).print(f"[yellow]{lack}[/yellow]")
    config = uvicorn.Config(
        app.create_app(settings, registry),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=serving.Protocol,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # http.client_ip knows which proxies are ours
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )
    until_stopped(Server(config, when_up))


def until_stopped(server: Server) -> None:
    """Serve until somebody ends it; a server that can't start ends the process with 3."""
    try:
        server.run()
    except KeyboardInterrupt:
        return  # asked for, and done in good order
    if not server.started:
        sys.exit(3)


def welcome(out: Console, settings: Settings, took_s: float) -> None:
    """Where to go, and as whom."""
    url = settings.public_url
    table = Table.grid(padding=(0, 2))
    table.add_row("citizen app", url + "/")
    table.add_row("console", f"{url}/console/")
    table.add_row("API docs", f"{url}/docs  ({url}/openapi.json)")
    if settings.sandbox:
        table.add_row("people to be", f"{url}/dev/people  (phone, code, ID number; one click)")
        table.add_row("developer inbox", f"{url}/dev/inbox  (every code that is sent)")
        table.add_row("", "")
        for person in _two_people(settings):
            table.add_row(
                f"citizen {person.name}", f"phone {person.phone}  today's code {person.code}"
            )
        secret = identity.sandbox.PASSWORD
        table.add_row("operators", f"operator, reviewer / {secret}; the auditor: auditor")
        table.add_row("departments", f"each shop's id, as utility_bills / {secret}")
    out.print(Panel(table, title=f"CivicMall is up ({took_s:.1f} s)", expand=False))
    if settings.sandbox:
        out.print("Try it: [bold].venv/bin/civicmall smoke --url " + url + "[/bold]   Stop: Ctrl-C")


def _two_people(settings: Settings) -> list[identity.SandboxPerson]:
    wanted = ("newborn_mother", "near_retirement_man")
    found = identity.sandbox.people_of(settings)
    return [person for person in found if person.persona in wanted]
