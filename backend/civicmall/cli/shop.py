"""`civicmall shop …`: for those who write shops."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from civicmall.kernel.config import Settings

from . import out, stop

app = typer.Typer(
    no_args_is_help=True, help="Departments' shops: make, check, serve and release them."
)


def key_path(settings: Settings, shop: str) -> Path:
    """Where `shop serve` keeps a shop's signing key, if nobody says otherwise."""
    return settings.data_dir / "shops" / f"{shop}.key"


@app.command("list")
def list_shops() -> None:
    """Every shop that lies here, and whether it can be called."""
    from civicmall import app as house  # every room: a second that other commands need not wait

    for entry in house.open_registry(Settings.from_env()).all():
        apps = ", ".join(a.id for a in entry.manifest.apps) if entry.manifest else ""
        version = entry.manifest.version if entry.manifest else "?"
        out.print(f"{entry.state:7} {entry.id} {version}  {apps} {entry.reason}")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Its id: small letters, digits and _.")],
    app_id: Annotated[str, typer.Option("--app", help="The id of its first app.")] = "requests",
    into: Annotated[Path | None, typer.Option(help="Where; plugins/ where there is one.")] = None,
) -> None:
    """Make a folder with a small shop that works, its tests and a README."""
    from .shop_new import BadName, make

    try:
        plugins = Path("plugins")
        home = make(into or (plugins if plugins.is_dir() else Path()), name, app_id)
    except BadName as error:
        raise stop(error, 2) from error
    out.print(f"[green]✓[/green] {home}", soft_wrap=True)
    out.print(f"Next: civicmall shop check {home}", soft_wrap=True)


@app.command()
def serve(
    folder: Annotated[Path, typer.Argument(help="The shop's folder, with shop.json.")],
    *,
    host: Annotated[str, typer.Option(help="Where it listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for any that is free.")] = 8100,
    database_url: Annotated[
        str, typer.Option(help="PostgreSQL; DATABASE_URL, else an embedded one.")
    ] = "",
    platform: Annotated[str, typer.Option(help="The platform's address, for its keys.")] = "",
    key_file: Annotated[
        Path | None, typer.Option(help="The shop's signing key; made where there is none.")
    ] = None,
    sandbox: Annotated[
        bool | None,
        typer.Option(help="Seed, and believe the key that everybody knows. As CIVICMALL_SANDBOX."),
    ] = None,
) -> None:
    """Serve a Python shop as a service of its own, on the wire of the contract."""
    from . import shop_serve
    from .shop_home import NoShop, find

    settings = Settings.from_env()
    if url := database_url or os.environ.get("DATABASE_URL", ""):
        settings = msgspec.structs.replace(settings, database_url=url)
    try:
        shop = find(folder)
    except NoShop as error:
        raise stop(error) from error
    key = key_file or key_path(settings, shop.manifest.id)
    mode = settings.sandbox if sandbox is None else sandbox
    place = shop_serve.Place(host, port, platform, key, mode)
    shop_serve.serve(out, shop, settings, place)


@app.command()
def check(
    shop: Annotated[str, typer.Argument(help="The shop's folder, with shop.json, or its address.")],
    *,
    report: Annotated[Path | None, typer.Option(help="Also as JSON, into this file.")] = None,
    app_id: Annotated[list[str] | None, typer.Option("--app", help="Only these apps.")] = None,
) -> None:
    """Hold a shop to the contract: what each check asks, and what was seen. Exit 1 if one fails."""
    from shopkit.kit import Failed, as_json

    from .shop_check import check_folder, check_url, show
    from .shop_home import NoShop, find

    apps = app_id or []
    try:
        if shop.startswith(("http://", "https://")):
            name, findings = check_url(shop, apps)
        else:
            found = find(Path(shop))
            name = f"{found.manifest.id} {found.manifest.version}"
            findings = check_folder(found, apps)
    except (NoShop, Failed) as error:
        raise stop(error) from error
    sound = show(out, name, findings)
    if report is not None:
        report.write_bytes(as_json(findings))
    raise typer.Exit(0 if sound else 1)
