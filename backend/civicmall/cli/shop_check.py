"""`civicmall shop check`: the conformance kit on a folder, or on a shop at an address."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from contextlib import nullcontext

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from civicmall import gateway
from civicmall.kernel.crypto import Keys, generate
from shopkit import Shop
from shopkit.kit import Finding, InProcess, connect, run
from shopkit.testing import TestShop

from .shop_home import opened, prepare, throwaway

MARKS = {"passed": "[green]✓[/green]", "failed": "[red]✗[/red]", "skipped": "[dim]–[/dim]"}


def check_folder(shop: Shop, apps: Collection[str]) -> list[Finding]:
    """A Python shop in this process, on a database that is gone afterwards."""
    with throwaway() if shop.migrations is not None else nullcontext("") as url:
        return asyncio.run(_inside(shop, url, apps))


async def _inside(shop: Shop, url: str, apps: Collection[str]) -> list[Finding]:
    keys = Keys(generate())
    if url:
        await prepare(shop, url, keys)
    async with (
        opened(shop, url, keys, seed=False) as own,
        TestShop(shop, own, secret=gateway.secret_for(shop.manifest.id, keys)) as test,
    ):
        return await run(InProcess(test), apps=apps)


def check_url(url: str, apps: Collection[str] = ()) -> tuple[str, list[Finding]]:
    """A shop at an address: its name and version, and what was found. Raises Failed."""

    async def work() -> tuple[str, list[Finding]]:
        async with connect(url) as remote:
            said = remote.manifest
            return f"{said.id} {said.version}", await run(remote, apps=apps)

    return asyncio.run(work())


def show(out: Console, name: str, findings: list[Finding]) -> bool:
    """The report as a table; whether nothing failed."""
    table = Table(box=None, pad_edge=False, show_edge=False)
    for heading in ("", "check", "app", "asked", "seen"):
        table.add_column(heading, overflow="fold")
    for one in findings:
        if one.result != "skipped":
            row = (one.check, one.app, one.asks, one.seen)
            table.add_row(MARKS[one.result], *(escape(cell) for cell in row))
    out.print(table)
    for reason, times in Counter(
        one.seen for one in findings if one.result == "skipped" and _tells(one)
    ).items():
        out.print(f"{MARKS['skipped']} {times} not made: {escape(reason)}")
    count = Counter(one.result for one in findings)
    sound = not count["failed"]
    out.print(
        f"{MARKS['passed' if sound else 'failed']} {name}: {count['passed']} checks hold,"
        f" {count['failed']} don't"
    )
    return sound


def _tells(one: Finding) -> bool:
    """Whether a skipped check tells something: that an app has no appointments doesn't."""
    return not one.seen.startswith("the app has no ")
