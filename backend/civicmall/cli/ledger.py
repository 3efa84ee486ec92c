"""`civicmall ledger …`: the ledger's closed days, for city IT and auditors."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from . import err, out, stop
from .installation import date_of, ended, long, published_roots

app = typer.Typer(no_args_is_help=True, help="The ledger: close days, check them, hand them out.")

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")]


@app.command()
def verify(
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="The first closed day."),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="The last one."),
    ] = None,
    published: Annotated[
        list[str] | None,
        typer.Option(metavar="DAY=ROOT", help="A root that was made public; may be given again."),
    ] = None,
) -> None:
    """Reckon everything anew from the postings; name what isn't as it was, and exit 1 then."""
    ended(_verify(date_of(first), date_of(last), published_roots(published or [])))


async def _verify(first: date | None, last: date | None, published: dict[date, str]) -> int:
    from civicmall import payments

    async with long() as house:
        wanted = await payments.ledger.days(house.db, first, last)
        columns = (TextColumn("postings"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=err, transient=True) as bar:
            task = bar.add_task("", total=sum(one.postings for one in wanted))
            report = await payments.ledger.verify(
                house, first, last, published=published, tell=lambda n: bar.advance(task, n)
            )
        for finding in report.findings:
            out.print(f"[red]✗[/red] {finding}", soft_wrap=True)
        if report.last is not None:
            key = payments.ledger.Seal(house.keys).public
            out.print(f"root of {report.last.day_on}: {report.last.root.hex()}", soft_wrap=True)
            out.print(f"signed with the key {key} (Ed25519)", soft_wrap=True)
        if report.findings:
            return 1
        if not report.days:
            out.print("no day is closed there")
            return 0
        out.print(f"[green]✓[/green] {report.days} days, {report.postings} postings: as they were")
        return 0


@app.command()
def close(day: Day = None) -> None:
    """Close each day that is over, up to --day; the server's job does this by itself."""
    ended(_close(date_of(day)))


async def _close(day: date | None) -> int:
    from civicmall import payments

    async with long() as house:
        try:
            closed = await payments.ledger.close(house, day)
        except payments.ledger.Torn as error:
            out.print(f"[red]✗[/red] {error}", soft_wrap=True)
            return 1
        for one in await payments.ledger.days(house.db, min(closed), max(closed)) if closed else []:
            out.print(f"closed {one.day_on}: {one.root.hex()}", soft_wrap=True)
        if day is not None and not await payments.ledger.days(house.db, day, day):
            out.print(
                f"[red]✗[/red] {day} can't be closed: it is not over since a quarter of an hour, a"
                " statement of it still runs, another process is closing, or the ledger begins later",
                soft_wrap=True,
            )
            return 1
        if not closed:
            out.print("nothing to close")
        return 0


@app.command()
def roots(
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY")
    ] = None,
) -> None:
    """What to publish, one DAY=ROOT per closed day: a root says the whole past up to its day."""
    ended(_roots(date_of(first), date_of(last)))


async def _roots(first: date | None, last: date | None) -> int:
    from civicmall import payments

    async with long() as house:
        for one in await payments.ledger.days(house.db, first, last):
            out.print(f"{one.day_on}={one.root.hex()}", soft_wrap=True)
        return 0


@app.command()
def export(
    day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DAY")],
    to: Annotated[Path | None, typer.Option("--out", help="A file; else the terminal.")] = None,
) -> None:
    """A day's postings as CSV, one line per entry: the very lines that the digests are made of."""
    if to is None:
        ended(_export(day.date(), sys.stdout))
        return
    try:
        file = to.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise stop(f"{to}: {error.strerror}", 2) from error
    with file:
        ended(_export(day.date(), file))


async def _export(day: date, file: TextIO) -> int:
    from civicmall import payments

    async with long() as house:
        if not await payments.ledger.days(house.db, day, day):
            err.print(f"[yellow]{day} is not closed: more may come[/yellow]")
        async for text in payments.ledger.export(house.db, day):
            file.write(text)
        return 0
