"""The command line: `civicmall run | serve | smoke | schemas | db … | shop … | staff … | client … | keys … | ledger … | audit … | reconcile`."""

from __future__ import annotations

import sys
from typing import Annotated

import asyncpg
import typer
from rich.console import Console

from civicmall.kernel.config import BadSetting
from civicmall.kernel.embedded_home import NoServer
from civicmall.kernel.migrate import MigrationRefused

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="One entry to everything a city does for people.",
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def stop(why: object, code: int = 1) -> typer.Exit:
    """Says why a command ends here; raise what it answers."""
    out.print(f"[red]✗[/red] {why}")
    return typer.Exit(code)


@app.command()
def run() -> None:
    """Set up everything on an embedded PostgreSQL (or DATABASE_URL) and serve the city."""
    from .run import run_all

    run_all(out)


@app.command()
def serve() -> None:
    """Serve only: the database of DATABASE_URL must be migrated."""
    from .run import serve_only

    serve_only()


@app.command()
def smoke(
    url: Annotated[str, typer.Option(help="Where the server is.")] = "http://127.0.0.1:8000",
) -> None:
    """Do the whole journey over HTTP against a running sandbox; exit 1 at the first failure."""
    from .smoke import journey

    sys.exit(journey(url.rstrip("/"), out))


@app.command()
def schemas(
    *, check: Annotated[bool, typer.Option(help="Only say whether they are fresh.")] = False
) -> None:
    """Write schemas/: what other programs read, generated from the Structs."""
    from .schemas import write

    stale = write(check=check)
    for name in stale:
        out.print(f"schemas/{name} {'is stale: run `make schemas`' if check else 'written'}")
    sys.exit(1 if check and stale else 0)


def _add_groups() -> None:
    from . import audit, client, db, keys, ledger, reconcile, release, shop, staff

    shop.app.registered_commands += release.app.registered_commands
    app.registered_commands += reconcile.app.registered_commands
    app.add_typer(db.app, name="db")
    app.add_typer(shop.app, name="shop")
    app.add_typer(staff.app, name="staff")
    app.add_typer(ledger.app, name="ledger")
    app.add_typer(audit.app, name="audit")
    app.add_typer(keys.app, name="keys")
    app.add_typer(client.app, name="client")


def main() -> None:
    """Entry point; what a user can mend is one line without a stack trace."""
    _add_groups()
    try:
        app()
    except (BadSetting, NoServer, MigrationRefused) as error:
        err.print(f"[red]civicmall:[/red] {error}")
        sys.exit(2)
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        err.print(f"[red]civicmall:[/red] {error}. Has `civicmall db migrate` run with these keys?")
        sys.exit(2)
