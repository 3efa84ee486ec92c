"""`civicmall client …`: who may ask citizens to sign in with an account of the city."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
import typer

from civicmall import identity
from civicmall.kernel import logs
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House

from . import out, stop
from .installation import do, located

app = typer.Typer(
    no_args_is_help=True,
    help="Clients of the OpenID Provider: drafted by one, approved by another.",
)
T = TypeVar("T")
By = Annotated[str, typer.Option(help="The operator's account who does this.")]
FILE = Annotated[
    Path,
    typer.Argument(
        exists=True, dir_okay=False, help="The registration as JSON; docs/partner-app.md shows one."
    ),
]


@app.command()
def add(file: FILE, by: By) -> None:
    """Draft a client, or a change of one; another operator approves it."""
    try:
        ask = msgspec.json.decode(file.read_bytes(), type=identity.provider.Registration)
    except msgspec.MsgspecError as error:
        raise stop(f"{file}: {error}", 2) from None
    version = _as(by, lambda house, by_id: identity.provider.registering.draft(house, by_id, ask))
    out.print(f"[green]✓[/green] {ask.client_id}, version {version}, waits for another operator:")
    out.print(f"  civicmall client approve {ask.client_id} {version} --by …")


@app.command("list")
def listed() -> None:
    """What is in force, and what waits."""
    for one in _run(lambda house: identity.provider.registering.listed(house.db)):
        state = "waits" if one.status == "draft" else "in force"
        out.print(
            f"{one.client_id}  {one.version}  {state}  {one.kind}  {one.auth_method}  {one.owner}"
        )


@app.command()
def approve(client_id: str, version: int, by: By) -> None:
    """Put a draft of another operator's in force."""
    _as(
        by,
        lambda house, by_id: identity.provider.registering.approve(
            house, by_id, client_id, version
        ),
    )
    out.print(f"[green]✓[/green] {client_id}, version {version}, is in force")


@app.command()
def secret(client_id: str, by: By) -> None:
    """A new secret, printed this once; the last one works on for a day."""
    made = _as(
        by, lambda house, by_id: identity.provider.registering.new_secret(house, by_id, client_id)
    )
    out.print(made.client_secret)


@app.command()
def retire(client_id: str, by: By) -> None:
    """End a client at once."""
    _as(by, lambda house, by_id: identity.provider.registering.retire(house, by_id, client_id))
    out.print(f"[green]✓[/green] {client_id} has ended")


def _as(username: str, work: Callable[[House, UUID], Awaitable[T]]) -> T:
    """Do something as an operator; says why it can't be done."""

    async def done(house: House) -> T:
        return await work(house, await identity.provider.registering.operator(house.db, username))

    return _run(done)


def _run(work: Callable[[House], Awaitable[T]]) -> T:
    settings = located()
    logs.configure(as_json=settings.log_json, level=logging.WARNING)
    try:
        return do(settings, work)
    except Problem as problem:
        wrong = "; ".join(f"{e['field']}: {e['problem']}" for e in problem.extra.get("errors", []))
        raise stop(f"{problem.title} {wrong}".strip(), 2) from None
