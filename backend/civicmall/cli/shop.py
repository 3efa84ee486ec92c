"""`civicmall shop …`: for those who write shops."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from civicmall import app as house
from civicmall import shops
from civicmall.kernel.config import Settings
from shopkit import BadManifest, read_manifest
from shopkit.manifest import FILE

from . import out

app = typer.Typer(no_args_is_help=True, help="Departments' shops: list, check.")


@app.command("list")
def list_shops() -> None:
    """Every shop that lies here, and whether it can be called."""
    for entry in house.open_registry(Settings.from_env()).all():
        apps = ", ".join(a.id for a in entry.manifest.apps) if entry.manifest else ""
        version = entry.manifest.version if entry.manifest else "?"
        out.print(f"{entry.state:7} {entry.id} {version}  {apps} {entry.reason}")


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="The shop's folder, with shop.json.")],
) -> None:
    """Read the manifest, import the code, compare both; says where and how to mend it."""
    try:
        manifest = read_manifest(folder / FILE)
    except BadManifest as error:
        out.print(f"[red]✗[/red] {error}")
        raise typer.Exit(1) from error
    found = [f for f in shops.discover(folder.absolute().parent) if f.key == folder.absolute().name]
    entry = next(iter(shops.load(found).all()), None)
    if entry is None or entry.state != "live":
        out.print(f"[red]✗[/red] {manifest.id}: {entry.reason if entry else 'not found'}")
        raise typer.Exit(1)
    out.print(f"[green]✓[/green] {manifest.id} {manifest.version}: {len(manifest.apps)} apps")
