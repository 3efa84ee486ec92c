"""`civicmall staff …`: who works here."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import typer

from civicmall import app as house
from civicmall import identity
from civicmall.kernel import crypto, db
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House

from . import out
from .run import database

app = typer.Typer(no_args_is_help=True, help="Accounts of operators and departments.")
PASSWORD_MIN = 12


@app.command()
def add(
    username: str,
    name: Annotated[str, typer.Option(help="As citizens and colleagues read it.")],
    role: Annotated[Literal["operator", "department"], typer.Option()] = "department",
    shop: Annotated[str, typer.Option(help="The department's shop.")] = "",
) -> None:
    """Make an account; asks for its password. One that exists stays as it is."""
    if (role == "department") != bool(shop):
        out.print("[red]✗[/red] a department's account names its --shop, an operator's doesn't")
        raise typer.Exit(2)
    settings = database(Settings.from_env(), out.print)
    if shop and shop not in {e.id for e in house.open_registry(settings).all()}:
        out.print(f"[red]✗[/red] there is no shop {shop}")
        raise typer.Exit(2)
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    if len(password) < PASSWORD_MIN:
        out.print(f"[red]✗[/red] a password has {PASSWORD_MIN} characters or more")
        raise typer.Exit(2)
    made = asyncio.run(_add(settings, username, password, name, role, shop or None))
    out.print(f"[green]✓[/green] {username}" if made else f"{username} exists already")


async def _add(
    settings: Settings,
    username: str,
    password: str,
    name: str,
    role: Literal["operator", "department"],
    shop: str | None,
) -> bool:
    keys = crypto.load(settings.data_dir)
    pool = await db.open_pool(
        settings.database_url, password=keys.password(db.APP_ROLE), size_max=1
    )
    async with pool:
        there = House(settings, Clock(), keys, pool)
        return await identity.add_staff(there, username, password, name, role, shop)
