"""`civicmall db …`: the database."""

from __future__ import annotations

import asyncio

import typer

from civicmall.kernel import embedded
from civicmall.kernel.config import Settings

from . import out

app = typer.Typer(no_args_is_help=True, help="The database: start, migrate, look.")


@app.command()
def start() -> None:
    """Start the embedded PostgreSQL if it is down, and print its address."""
    out.print(embedded.start(Settings.from_env().data_dir / "postgres").url, soft_wrap=True)


@app.command()
def stop() -> None:
    """Stop the embedded PostgreSQL; its data stays."""
    stopped = embedded.stop(Settings.from_env().data_dir / "postgres")
    out.print("PostgreSQL stopped" if stopped else "PostgreSQL wasn't running")


@app.command()
def migrate() -> None:
    """Bring every room and shop to the newest schema and load the content."""
    from civicmall import app as house  # every room: a second that other commands need not wait

    from .run import database, prepare

    settings = database(Settings.from_env(), out.print)
    applied = prepare(settings, house.open_registry(settings))
    for name in applied:
        out.print(f"applied {name}")
    out.print(f"{len(applied)} migrations applied")


@app.command()
def check() -> None:
    """Whether the ledger balances and events are stuck; exit 1 if something is wrong."""
    from civicmall import app as house

    from .run import database

    settings = database(Settings.from_env(), out.print)
    findings = asyncio.run(house.check(settings))
    for finding in findings:
        out.print(f"[red]✗[/red] {finding}")
    if findings:
        raise typer.Exit(1)
    out.print("[green]✓[/green] the ledger balances and no event is stuck")
