"""`civicmall staff …`: who works here."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import typer

from civicmall.kernel import crypto, db
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House

from . import out, stop
from .shop_new import NAME

app = typer.Typer(no_args_is_help=True, help="Accounts of operators and departments.")
PASSWORD_MIN = 12


@app.command()
def add(
    username: str,
    name: Annotated[str, typer.Option(help="As citizens and colleagues read it.")],
    role: Annotated[Literal["operator", "department"], typer.Option()] = "department",
    shop: Annotated[str, typer.Option(help="The department's shop.")] = "",
    *,
    new: Annotated[bool, typer.Option(help="The shop lies in no folder here (yet).")] = False,
) -> None:
    """Make an account; asks for its password. One that exists stays as it is.

    A shop's id belongs to the department whose account it was first given to.
    """
    from civicmall import app as house  # every room: a second that other commands need not wait

    from .run import database

    if (role == "department") != bool(shop):
        raise stop("a department's account names its --shop, an operator's doesn't", 2)
    settings = database(Settings.from_env(), out.print)
    known = {e.id for e in house.open_registry(settings).all()}
    if shop and not new and shop not in known:
        raise stop(f"there is no shop {shop}; is it --new?", 2)
    if new and not NAME.fullmatch(shop):
        raise stop(f"{shop or 'nothing'} is no shop's id: a-z, 0-9 and _", 2)
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    if len(password) < PASSWORD_MIN:
        raise stop(f"a password has {PASSWORD_MIN} characters or more", 2)
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
    from civicmall import identity

    keys = crypto.load(settings.data_dir)
    pool = await db.open_pool(
        settings.database_url, password=keys.password(db.APP_ROLE), size_max=1
    )
    async with pool:
        there = House(settings, Clock(), keys, pool)
        return await identity.add_staff(there, username, password, name, role, shop)
