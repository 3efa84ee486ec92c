"""Finding shops, reading their manifests, importing their code: in this order, each step guarded.

A shop is found as an installed entry point of the group `civicmall.shops`, or as a folder of the
plugins directory. Whatever is wrong with one costs only that one.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import threading
import tomllib
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

import msgspec

from civicmall.kernel import i18n, logs, sql
from civicmall.kernel.db import Db
from shopkit import App, BadManifest, Manifest, Shop, locate, read_manifest
from shopkit.manifest import FILE

from .errors import NoSuchApp, NoSuchShop
from .models import AppView, Found, Pyproject, ShopEntry, ShopVersion, ShopView

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
            body = msgspec.json.encode(entry.manifest, order="deterministic")
            await q.record(
                db,
                shop=entry.id,
                version=entry.manifest.version,
                digest=hashlib.sha256(body).digest(),
                manifest=msgspec.to_builtins(entry.manifest),
            )


async def versions(db: Db, shop_id: str) -> list[ShopVersion]:
    """The versions of a shop that this city has run, newest first."""
    found: list[ShopVersion] = await q.versions(db, shop=shop_id, most=VERSIONS_MAX)
    return found


class Registry:
    """The shops of this process. None comes while it runs; one that can't start is reported."""

    def __init__(self, entries: Iterable[ShopEntry]) -> None:
        self._entries = {entry.id: entry for entry in entries}

    def all(self) -> list[ShopEntry]:
        """Every shop, broken ones too, by id."""
        return [self._entries[key] for key in sorted(self._entries)]

    def get(self, shop_id: str) -> ShopEntry:
        """One shop. Raises NoSuchShop."""
        try:
            return self._entries[shop_id]
        except KeyError:
            raise NoSuchShop(shop=shop_id) from None

    def manifest(self, shop_id: str) -> Manifest:
        """A shop's manifest. Raises NoSuchShop, also where it can't be read."""
        manifest = self.get(shop_id).manifest
        if manifest is None:
            raise NoSuchShop(shop=shop_id)
        return manifest

    def app(self, shop_id: str, app_id: str) -> App:
        """One app's part of the manifest. Raises NoSuchShop, NoSuchApp."""
        app = self.manifest(shop_id).app(app_id)
        if app is None:
            raise NoSuchApp(shop=shop_id, app=app_id)
        return app

    def report(self, shop_id: str, reason: str) -> None:
        """Keep a shop as broken: it could be read but not started."""
        self._entries[shop_id] = msgspec.structs.replace(
            self.get(shop_id), state="broken", shop=None, reason=reason
        )
        log.error("shop.broken", shop=shop_id, reason=reason)

    def views(self, lang: str) -> list[ShopView]:
        """The shops as citizens see them; those without a readable manifest are left out."""
        return [view(e, e.manifest, lang) for e in self.all() if e.manifest is not None]

    def view(self, shop_id: str, lang: str) -> ShopView:
        """One shop as citizens see it. Raises NoSuchShop."""
        return view(self.get(shop_id), self.manifest(shop_id), lang)


def view(entry: ShopEntry, manifest: Manifest, lang: str) -> ShopView:
    """A registry entry in one language."""
    return ShopView(
        id=manifest.id,
        name=i18n.pick(manifest.name, lang),
        summary=i18n.pick(manifest.summary, lang),
        department=i18n.pick(manifest.department, lang),
        icon=manifest.icon,
        state="live" if entry.state == "live" else "recovering",
        apps=[
            AppView(
                id=app.id,
                name=i18n.pick(app.name, lang),
                summary=i18n.pick(app.summary, lang),
                icon=app.icon,
                capabilities=list(app.capabilities),
                min_level=app.min_level,
                claims={c.name: i18n.pick(c.purpose, lang) for c in app.claims},
                items=app.items,
            )
            for app in manifest.apps
        ],
    )
