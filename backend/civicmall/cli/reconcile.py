"""`civicmall reconcile`: a channel's statement of one day against what we have."""

from __future__ import annotations

import asyncio
from datetime import datetime
from logging import WARNING
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import httpx
import typer
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from civicmall.kernel import logs
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.errors import Problem
from civicmall.kernel.money import yuan

from . import err, out, stop
from .installation import located, opened

if TYPE_CHECKING:
    from civicmall import payments

app = typer.Typer()
TICKETS, REFUSED = 1, 2
"""Exit status: something has a ticket; nothing was concluded."""


@app.command()
def reconcile(
    channel: Annotated[str, typer.Argument(help="Its name: sandbox, alipay, wechatpay, …")],
    day: Annotated[
        datetime, typer.Argument(formats=["%Y-%m-%d"], help="Business day in the city.")
    ],
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Instead of asking the channel."),
    ] = None,
    *,
    replace: Annotated[bool, typer.Option(help="In place of another file that was read.")] = False,
    skip_bad: Annotated[
        bool, typer.Option(help="Leave lines out that can't be read; each gets a ticket.")
    ] = False,
) -> None:
    """Read a day's statement, match it, mend what can be mended, open tickets for the rest.

    Exit status 0: all fits. 1: there are tickets. 2: nothing was concluded; run it again.
    """
    settings = located()
    logs.configure(as_json=settings.log_json, level=WARNING)
    bar = Bar(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
        TextColumn("{task.fields[rows]}"), TimeRemainingColumn(), console=err,
    )  # fmt: skip
    try:
        with bar:
            found = asyncio.run(
                _run(settings, bar, channel, day, file, replace=replace, skip_bad=skip_bad)
            )
    except Problem as problem:
        for line in problem.extra.pop("lines", []):
            out.print(f"  line {line}")
        said = " ".join(f"{name}={value}" for name, value in problem.extra.items() if value)
        raise stop(f"{problem.title} {said}", REFUSED) from problem
    if _show(found):
        raise typer.Exit(TICKETS)


async def _run(
    settings: Settings, bar: Bar, channel: str, day: datetime, file: Path | None, *,
    replace: bool, skip_bad: bool,
) -> payments.reconcile.DayResult:  # fmt: skip
    from civicmall import payments

    clock = Clock()
    began, task = clock.monotonic(), bar.add_task("fetch", total=None, rows="")

    def tick(said: payments.reconcile.Progress) -> None:
        rate = said.entries / max(clock.monotonic() - began, 0.001)
        bar.update(
            task, description=said.step, completed=said.bytes, total=said.size_bytes or None,
            rows=f"{said.entries:,} rows, {rate:,.0f}/s" if said.entries else "",
        )  # fmt: skip

    async with opened(settings, size_max=2) as house, httpx.AsyncClient(trust_env=False) as client:
        return await payments.reconcile.reconcile(
            house, payments.open_channels(house, client), channel, day.date(),
            file=file, replace=replace, skip_bad=skip_bad, tick=tick,
        )  # fmt: skip


def _show(found: payments.reconcile.DayResult) -> bool:
    """The day as a table; whether something of it has a ticket."""
    table = Table("", "count", "channel", "here", title=f"{found.channel} {found.day}")
    for column in table.columns[1:]:
        column.justify = "right"
    for one in found.outcomes:
        table.add_row(one.outcome, f"{one.many:,}", yuan(one.there_minor), yuan(one.here_minor))
    table.add_section()
    table.add_row("sum", f"{found.entries:,}", yuan(found.there_minor), yuan(found.here_minor))
    out.print(table)
    out.print(f"fees {yuan(found.fee_minor)}, lines left out {found.bad}")
    difference = found.there_minor - found.here_minor
    out.print(
        f"difference {yuan(difference)}: {yuan(found.explained_minor)} explained,"
        f" {yuan(found.ticketed_minor)} with tickets"
    )
    return bool(found.tickets or found.bad)
