"""`civicmall audit …`: the citizens' audit, for city IT and auditors."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from datetime import date, datetime
from logging import WARNING
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from civicmall.kernel import crypto, db, logs
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House

from . import err, out, stop

app = typer.Typer(no_args_is_help=True, help="Who read what: check it, close days, hand it out.")
STATEMENT_S: Final = 3600.0
"""Nobody waits at a counter for these; a day of millions may take its time."""
PUBLISHED: Final = re.compile(r"(\d{4}-\d{2}-\d{2})=([0-9a-fA-F]{64})")
COLUMNS: Final = (
    TextColumn("lines"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
)  # fmt: skip
First = Annotated[
    datetime | None,
    typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="The first day."),
]
Last = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="The last one.")
]


@asynccontextmanager
async def _house() -> AsyncGenerator[House]:
    """The installation, as the role of the program: it can't change what it checks."""
    settings: Settings = await asyncio.to_thread(_settings)
    logs.configure(as_json=settings.log_json, level=WARNING)
    keys = crypto.load(settings.data_dir)
    pool = await db.open_pool(
        settings.database_url,
        password=keys.password(db.APP_ROLE),
        size_max=3,
        command_timeout_s=STATEMENT_S,
    )
    async with pool:
        yield House(settings, Clock(), keys, pool)


def _settings() -> Settings:
    from .run import database

    return database(Settings.from_env(), err.print)


def _run(work: Coroutine[Any, Any, int]) -> None:
    if code := asyncio.run(work):
        raise typer.Exit(code)


def _date(day: datetime | None) -> date | None:
    return None if day is None else day.date()


def published_roots(said: list[str]) -> dict[date, str]:
    """DAY=ROOT, read. Stops at one that isn't."""
    roots: dict[date, str] = {}
    for one in said:
        parts = PUBLISHED.fullmatch(one)
        if parts is None:
            raise stop(f"{one} is not DAY=ROOT, as 2026-11-29=<64 hex digits>", 2)
        try:
            roots[date.fromisoformat(parts[1])] = parts[2]
        except ValueError as error:
            raise stop(f"{parts[1]} is no day", 2) from error
    return roots


@app.command()
def verify(
    first: First = None,
    last: Last = None,
    published: Annotated[
        list[str] | None,
        typer.Option(metavar="DAY=ROOT", help="A root that was made public; may be given again."),
    ] = None,
) -> None:
    """Make each hash anew; name every line, head and day that isn't as it was, and exit 1 then."""
    _run(_verify(_date(first), _date(last), published_roots(published or [])))


async def _verify(first: date | None, last: date | None, published: dict[date, str]) -> int:
    from civicmall import identity

    audit = identity.audit
    async with _house() as house:
        total = await audit.count(house.db, first, last)
        with Progress(*COLUMNS, console=err, transient=True) as bar:
            task = bar.add_task("", total=total)
            report = await audit.verify(
                house, first, last, published=published, tell=lambda n: bar.advance(task, n)
            )
        for finding in report.findings:
            out.print(f"[red]✗[/red] {finding}", soft_wrap=True)
        if report.last is not None:
            out.print(f"root of {report.last.day_on}: {report.last.root.hex()}", soft_wrap=True)
            key = audit.Seal(house.keys).public
            out.print(f"signed with the key {key} (Ed25519)", soft_wrap=True)
        if report.findings:
            return 1
        out.print(f"[green]✓[/green] {report.days} days, {report.lines} lines: as they were")
        return 0


@app.command()
def close(
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")] = None,
) -> None:
    """Anchor each day that is over, up to --day; the server's job does this by itself."""
    _run(_close(_date(day)))


async def _close(day: date | None) -> int:
    from civicmall import identity

    audit = identity.audit
    async with _house() as house:
        try:
            closed = await audit.close(house, day)
        except audit.AuditTorn as error:
            out.print(f"[red]✗[/red] {error}", soft_wrap=True)
            return 1
        for one in await audit.days(house, min(closed), max(closed)) if closed else []:
            out.print(f"closed {one.day_on}: {one.root.hex()}", soft_wrap=True)
        if not closed:
            out.print("nothing to close")
        return 0


@app.command()
def roots(first: First = None, last: Last = None) -> None:
    """What to publish, one DAY=ROOT per closed day: a root says the whole past up to its day."""
    _run(_roots(_date(first), _date(last)))


async def _roots(first: date | None, last: date | None) -> int:
    from civicmall import identity

    audit = identity.audit
    async with _house() as house:
        for one in await audit.days(house, first, last):
            out.print(f"{one.day_on}={one.root.hex()}", soft_wrap=True)
        return 0


@app.command()
def export(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY")],
    last: Last = None,
    to: Annotated[Path | None, typer.Option("--out", help="A file; else the terminal.")] = None,
) -> None:
    """Lines of these days (--from alone: of that one) as JSON, one each: what the hashes are made of."""
    end = (last or first).date()
    if end < first.date():
        raise stop("--to is before --from", 2)
    if to is None:
        _run(_export(first.date(), end, sys.stdout))
        return
    try:
        file = to.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise stop(f"{to}: {error.strerror}", 2) from error
    with file:
        _run(_export(first.date(), end, file))


async def _export(first: date, last: date, file: TextIO) -> int:
    from civicmall import identity

    audit = identity.audit
    async with _house() as house:
        total = await audit.count(house.db, first, last)
        with Progress(*COLUMNS, console=err, transient=True, disable=file is sys.stdout) as bar:
            task = bar.add_task("", total=total)
            async for text in audit.export(house.db, first, last):
                file.write(text)
                bar.advance(task, text.count("\n"))
        return 0
