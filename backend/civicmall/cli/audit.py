"""`civicmall audit …`: the citizens' audit, for city IT and auditors."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from . import err, out, stop
from .installation import date_of, ended, long, published_roots

app = typer.Typer(no_args_is_help=True, help="Who read what: check it, close days, hand it out.")
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
    ended(_verify(date_of(first), date_of(last), published_roots(published or [])))


async def _verify(first: date | None, last: date | None, published: dict[date, str]) -> int:
    from civicmall import identity

    audit = identity.audit
    async with long() as house:
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
    ended(_close(date_of(day)))


async def _close(day: date | None) -> int:
    from civicmall import identity

    audit = identity.audit
    async with long() as house:
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
    ended(_roots(date_of(first), date_of(last)))


async def _roots(first: date | None, last: date | None) -> int:
    from civicmall import identity

    audit = identity.audit
    async with long() as house:
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
        ended(_export(first.date(), end, sys.stdout))
        return
    try:
        file = to.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise stop(f"{to}: {error.strerror}", 2) from error
    with file:
        ended(_export(first.date(), end, file))


async def _export(first: date, last: date, file: TextIO) -> int:
    from civicmall import identity

    audit = identity.audit
    async with long() as house:
        total = await audit.count(house.db, first, last)
        with Progress(*COLUMNS, console=err, transient=True, disable=file is sys.stdout) as bar:
            task = bar.add_task("", total=total)
            async for text in audit.export(house.db, first, last):
                file.write(text)
                bar.advance(task, text.count("\n"))
        return 0
