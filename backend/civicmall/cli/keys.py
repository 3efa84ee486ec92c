"""`civicmall keys …`: the keys that personal data is sealed with, and tokens are signed with."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, Final

import asyncpg
import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as Shown

from civicmall.kernel import crypto, resealing
from civicmall.kernel.config import Settings
from civicmall.kernel.crypto import Keys
from civicmall.kernel.resealing import Table
from civicmall.kernel.suites import Suite

from . import err, out, stop
from .installation import located, opened

app = typer.Typer(no_args_is_help=True, help="The keys of personal data: rotate, show, drop.")
PASSES: Final = 5
"""A server reads the file within seconds; until then it seals with the key that it has."""
SETTLE_S: Final = 6.0
Kind = Annotated[Suite, typer.Option("--suite", help="aes: AES-256-GCM; gm: SM4-GCM (国密).")]
KeyId = Annotated[str, typer.Argument(metavar="ID", help="As `civicmall keys show` has it.")]


def _file(settings: Settings) -> tuple[Path, crypto.KeyFile]:
    """The key file. Raises typer.Exit where the keys are elsewhere."""
    path = crypto.path_in(settings.data_dir)
    if not path.exists():
        raise stop(
            f"there is no {path.name}: {crypto.SETTING} has the keys. Add one there, let all servers start"
            " anew, make it `current`, let them start anew, then run `civicmall keys reseal`",
            2,
        )
    return path, crypto.read(path)


@app.command()
def show() -> None:
    """Which keys there are, and how many rows each table still has with old ones."""
    asyncio.run(_show())


async def _show() -> None:
    settings = await asyncio.to_thread(located)
    keys = crypto.load(settings.data_dir)
    for key_id, suite in keys.suites().items():
        mark = "seals" if key_id == keys.current else "opens"
        out.print(f"key {key_id}: {NAMES[suite]}, {mark}")
    table = Shown("table", "rows sealed with another key", box=None)
    for name, rows in (await _waiting(settings, keys)).items():
        table.add_row(name, f"{rows:,}")
    out.print(table)


NAMES: Final[dict[Suite, str]] = {"aes": "AES-256-GCM", "gm": "SM4-GCM"}


@app.command()
def add(*, suite: Kind = "aes") -> None:
    """One more key, which opens and doesn't seal yet: for installations that copy the file around."""
    path, file = _file(located())
    try:
        file, key_id = crypto.with_another(file, suite)
    except ValueError as error:
        raise stop(error, 2) from error
    crypto.keep(path, file)
    out.print(
        f"[green]✓[/green] key {key_id} is in {path.name}; `civicmall keys use {key_id}` makes it seal"
    )


@app.command()
def use(key: KeyId) -> None:
    """Let a key seal from now on; servers see it within seconds."""
    path, file = _file(located())
    if key not in file.sealing:
        raise stop(f"there is no key {key}; `civicmall keys show` names them", 2)
    crypto.keep(path, msgspec.structs.replace(file, current=key))
    out.print(f"[green]✓[/green] key {key} seals from now on; run `civicmall keys reseal`")


@app.command()
def reseal() -> None:
    """Seal with the current key whatever was sealed with another; may be cut off and run again."""
    asyncio.run(_reseal())


@app.command()
def rotate(
    *,
    suite: Kind = "aes",
    signing: Annotated[
        bool, typer.Option("--signing", help="Instead: a new key that tokens are signed with.")
    ] = False,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="With --signing: what the old key signed ends now.")
    ] = False,
) -> None:
    """A new key, and everything sealed anew with it, while the city works."""
    if signing:
        return asyncio.run(_rotate_signing(at_once=at_once))
    if at_once:
        raise stop("--at-once goes with --signing", 2)
    path, file = _file(located())
    try:
        file, key_id = crypto.with_another(file, suite)
    except ValueError as error:
        raise stop(error, 2) from error
    crypto.keep(path, msgspec.structs.replace(file, current=key_id))
    out.print(f"[green]✓[/green] key {key_id} ({NAMES[suite]}) seals from now on")
    return asyncio.run(_reseal())


@app.command()
def drop(key: KeyId) -> None:
    """Forget a key that nothing is sealed with any more."""
    asyncio.run(_drop(key))


async def _drop(key: str) -> None:
    settings = await asyncio.to_thread(located)
    path, file = _file(settings)
    if key not in file.sealing or key == file.current:
        why = "seals" if key == file.current else "is not there"
        raise stop(f"key {key} {why}", 2)
    left = await _waiting(settings, crypto.load(settings.data_dir))
    if rows := sum(left.values()):
        raise stop(f"{rows:,} rows are sealed with old keys; run `civicmall keys reseal` first")
    crypto.keep(path, crypto.without(file, key))
    out.print(f"[green]✓[/green] key {key} is gone; backups from before need a copy of it")


async def _waiting(settings: Settings, keys: Keys) -> dict[str, int]:
    owner = await asyncpg.connect(settings.database_url)
    try:
        return await resealing.waiting(owner, await _tables(owner), keys)
    finally:
        await owner.close()


async def _tables(owner: Any) -> list[Table]:
    from civicmall.app import SEALED

    return await resealing.tables(owner, SEALED)


async def _reseal() -> None:
    settings = await asyncio.to_thread(located)
    keys = crypto.load(settings.data_dir)
    broken = 0
    for done in range(PASSES):
        left = await _waiting(settings, keys)
        if sum(left.values()) <= broken:
            break
        if done:
            await asyncio.sleep(SETTLE_S)  # until every server has read the file
        broken = await _pass(settings, keys, left)
    left = await _waiting(settings, keys)
    if broken:
        raise stop(
            f"{broken:,} rows have a value that no key opens; `civicmall keys show` names tables"
        )
    if rows := sum(left.values()):
        raise stop(f"{rows:,} rows are still sealed with old keys: does a server have other keys?")
    out.print(f"[green]✓[/green] everything is sealed with key {keys.current}")


async def _pass(settings: Settings, keys: Keys, left: dict[str, int]) -> int:
    """Each table once; answers how many rows can't be opened."""
    owner = await asyncpg.connect(settings.database_url)
    try:
        found = await _tables(owner)
    finally:
        await owner.close()
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    broken = 0
    with Progress(*columns, console=err, transient=True) as bar:
        for table in found:
            if not left[table.name]:
                continue
            task = bar.add_task(table.name, total=left[table.name])
            done = await resealing.reseal(
                settings.database_url, keys, table, lambda task=task: bar.advance(task)
            )
            broken += done.broken
            out.print(f"{table.name}: {done.changed:,} rows", soft_wrap=True)
    return broken


async def _rotate_signing(*, at_once: bool) -> None:
    from civicmall import identity

    settings = await asyncio.to_thread(located)
    async with opened(settings) as house:
        made = await identity.new_signing_key(house.db, house.keys, at_once=at_once)
    when = "now" if at_once else f"{made.signs_from:%Y-%m-%d %H:%M} UTC, when others have seen them"
    out.print(
        f"[green]✓[/green] generation {made.generation} of the signing keys signs from {when}",
        soft_wrap=True,
    )
