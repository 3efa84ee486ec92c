"""`civicmall staff …`: who works here."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import typer

from civicmall.kernel.house import House

from . import out, stop
from .installation import do, located
from .shop_new import NAME

app = typer.Typer(no_args_is_help=True, help="Accounts of operators, departments and auditors.")
Role = Literal["operator", "manager", "agent", "auditor"]
PAGE = 100
T = TypeVar("T")


@app.command()
def add(
    username: str,
    name: Annotated[str, typer.Option(help="As citizens and colleagues read it.")],
    role: Annotated[Role, typer.Option()] = "manager",
    shop: Annotated[str, typer.Option(help="The department's shop.")] = "",
    *,
    new: Annotated[bool, typer.Option(help="The shop lies in no folder here (yet).")] = False,
) -> None:
    """Make an account; asks for its password. One that exists stays as it is.

    A shop's id belongs to the department whose account it was first given to.
    """
    from civicmall import app as house  # every room: a second that other commands need not wait
    from civicmall import identity

    if (role in {"manager", "agent"}) != bool(shop):
        raise stop("a manager's or agent's account names its --shop, another's doesn't", 2)
    settings = located(out.print)
    known = {e.id for e in house.open_registry(settings).all()}
    if shop and not new and shop not in known:
        raise stop(f"there is no shop {shop}; is it --new?", 2)
    if new and not NAME.fullmatch(shop):
        raise stop(f"{shop or 'nothing'} is no shop's id: a-z, 0-9 and _", 2)
    password = _password(username, name)
    made = do(
        settings,
        lambda there: identity.work.accounts.add_staff(
            there, username, password, name, role, shop or None
        ),
    )
    out.print(f"[green]✓[/green] {username}" if made else f"{username} exists already")


@app.command("list")
def list_accounts() -> None:
    """Every account: its role, whether it is open, and what it signs in with."""
    from civicmall import identity

    async def every(there: House) -> list[identity.work.StaffAccount]:
        found: list[identity.work.StaffAccount] = []
        while True:
            after = found[-1].username if found else None
            rows = await identity.work.accounts.some(there.db, after, PAGE)
            found += rows[:PAGE]
            if len(rows) <= PAGE:
                return found

    for one in do(located(out.print), every):
        state = "" if one.active else "  closed"
        factor = "authenticator" if one.second_factor else "password only"
        out.print(f"{one.username}  {one.role}  {one.shop or '-'}  {factor}{state}", markup=False)


@app.command()
def disable(username: str) -> None:
    """Close an account; its sessions end within seconds."""
    from civicmall import identity

    try:
        do(located(out.print), lambda there: identity.work.accounts.disable(there, None, username))
    except identity.NoSuchStaff:
        raise stop(f"there is no account {username}", 2) from None
    out.print(f"[green]✓[/green] {username} is closed")


@app.command("reset-factor")
def reset_factor(username: str) -> None:
    """Take an account's second factor off; in the console that takes two operators."""
    from civicmall import identity

    if not do(located(out.print), lambda there: identity.work.resets.drop(there, username)):
        raise stop(f"there is no account {username}", 2)
    out.print(f"[green]✓[/green] {username} sets a new one up at the next sign-in")


@app.command()
def password(username: str) -> None:
    """Give an account another password; asks for it. Its sessions end."""
    from civicmall import identity

    fresh = _password(username)
    if not do(
        located(out.print),
        lambda there: identity.work.accounts.give_password(there, username, fresh),
    ):
        raise stop(f"there is no account {username}", 2)
    out.print(f"[green]✓[/green] {username}")


def _password(*names: str) -> str:
    from civicmall import identity

    rules = identity.work.rules
    said: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    match rules.unfit(said, *names):
        case None:
            return said
        case "short":
            raise stop(f"a password has {rules.PASSWORD_MIN} characters or more", 2)
        case why:
            raise stop(f"that password is easily guessed ({why})", 2)
