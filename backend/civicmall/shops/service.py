"""Finding shops, reading their manifests, importing their code: in this order, each step guarded.

A shop is found as an installed entry point of the group `civicmall.shops`, or as a folder of the
plugins directory. Whatever is wrong with one costs only that one.
"""

from __future__ import annotations

import importlib
import sys
import threading
import tomllib
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

import msgspec

from civicmall.kernel import logs, sql
from civicmall.kernel.db import Db
from shopkit import BadManifest, Manifest, Shop, locate, read_manifest
from shopkit.manifest import FILE

from . import rules
from .models import Found, Pyproject, ShopEntry, ShopVersion
from .registry import Registry

GROUP: Final = "civicmall.shops"
IMPORT_S: Final = 15.0
"""Seconds that importing one shop may take; a shop that hangs here is left out."""
VERSIONS_MAX: Final = 50
REASON_MAX: Final = 500
"""Characters of somebody else's error message."""

q = sql.load(__file__, ShopVersion)
log = logs.get("shops")


def discover(plugins: Path | None) -> list[Found]:
    """Every shop that lies here, by name; runs none of their code."""
    found = {f.key: f for f in _folders(plugins)} if plugins else {}
    for point in entry_points(group=GROUP):
        package, _, attribute = point.value.partition(":")
        if point.name in found:
            continue
        try:
            found[point.name] = Found(point.name, package, attribute or "shop", locate(package))
        except BadManifest as error:
            found[point.name] = Found(point.name, package, "shop", None, problem=str(error))
    return [found[name] for name in sorted(found)]


def _folders(plugins: Path) -> Iterable[Found]:
    for path in sorted(plugins.glob(f"*/{FILE}")):
        home = path.parent
        try:
            project = tomllib.loads((home / "pyproject.toml").read_text())
            points = msgspec.convert(project, Pyproject).project.entry_points[GROUP]
            value = next(iter(points.values()))
        except (OSError, ValueError, msgspec.MsgspecError, KeyError, StopIteration) as error:
            problem = f"pyproject.toml: no entry point in {GROUP} ({error})"
            yield Found(home.name, "", "", path, problem=problem)
            continue
        package, _, attribute = value.partition(":")
        source = home / "src" if (home / "src").is_dir() else home
        yield Found(home.name, package, attribute or "shop", path, source=source)


def load(found: Iterable[Found]) -> Registry:
    """Read, import and check each shop; a broken one is kept with its reason.

    An id belongs to the shop whose folder or entry point is called so, else to the first found.
    """
    read = [(one, *_manifest(one)) for one in found]
    read.sort(key=lambda r: r[1] is None or r[1].id != r[0].key)
    entries: dict[str, ShopEntry] = {}
    nameless: list[ShopEntry] = []
    for one, manifest, problem in read:
        if manifest is None:
            nameless.append(ShopEntry(one.key, "broken", None, reason=problem))
        elif manifest.id in entries:
            taken = f"the id {manifest.id} is taken"
            nameless.append(ShopEntry(one.key, "broken", None, reason=taken))
        else:
            entries[manifest.id] = _load(one, manifest)
    for entry in nameless:  # last, so that none of them takes another's id
        key = entry.id
        while key in entries:
            key += "~"
        entries[key] = msgspec.structs.replace(entry, id=key)
    for entry in entries.values():
        if entry.state == "broken":
            log.error("shop.broken", shop=entry.id, reason=entry.reason)
    return Registry(entries.values())


def _manifest(one: Found) -> tuple[Manifest | None, str]:
    """The manifest, or why there is none."""
    if one.manifest is None:
        return None, one.problem
    try:
        return read_manifest(one.manifest), ""
    except BadManifest as error:
        return None, str(error)


def _load(one: Found, manifest: Manifest) -> ShopEntry:
    shop, reason = (None, one.problem) if one.problem else _import(one)
    if shop is not None:
        try:
            shop.check()
        except BadManifest as error:
            reason = str(error)
        if shop.manifest != manifest:  # two folders with one package: Python knows only the first
            reason = f"{one.package} was imported from elsewhere, for the shop {shop.manifest.id}"
    if reason:
        return ShopEntry(manifest.id, "broken", manifest, reason=reason)
    return ShopEntry(manifest.id, "live", manifest, shop)


def _import(one: Found) -> tuple[Shop | None, str]:
    """The shop object, or why there is none. In a thread, because code that is imported may hang."""
    result: list[tuple[Shop | None, str]] = []

    def work() -> None:
        try:
            if one.source and str(one.source) not in sys.path:
                sys.path.append(str(one.source))
            shop = getattr(importlib.import_module(one.package), one.attribute)
            if isinstance(shop, Shop):
                result.append((shop, ""))
            else:
                result.append((None, f"{one.package}:{one.attribute} is no shopkit.Shop"))
        except BaseException as error:  # noqa: BLE001 (also SystemExit: it is somebody else's code)
            said = f"{type(error).__name__} while importing: {error}"
            result.append((None, said[:REASON_MAX]))

    thread = threading.Thread(target=work, name=f"import-{one.key}", daemon=True)
    thread.start()
    thread.join(IMPORT_S)
    return result[0] if result else (None, f"importing took longer than {IMPORT_S:g} s")


async def record(db: Db, registry: Registry) -> None:
    """Keep the manifest of each version that runs."""
    for entry in registry.all():
        if entry.manifest is not None:
            await q.record(
                db,
                shop=entry.id,
                version=entry.manifest.version,
                digest=bytes.fromhex(rules.digest(entry.manifest)),
                manifest=msgspec.to_builtins(entry.manifest),
            )


async def versions(db: Db, shop_id: str) -> list[ShopVersion]:
    """The versions of a shop that this city has run, newest first."""
    found: list[ShopVersion] = await q.versions(db, shop=shop_id, most=VERSIONS_MAX)
    return found
