"""The shops of this process as they stand now: who is called for whom.

What lies in folders is known from the start; which release is live, on trial or closed comes from
the room `releases`, which places it here at the start, after each step, and every two seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

import msgspec
from msgspec import Struct

from civicmall.kernel import i18n, logs
from shopkit import App, Manifest

from . import rules
from .errors import NoSuchApp, NoSuchShop, ShopClosed, ShopRetired
from .models import AppView, Deployed, Placed, ShopEntry, ShopView

log = logs.get("shops")


class Running(Struct, frozen=True):
    """One shop as it stands: its entry, and which versions are called."""

    entry: ShopEntry
    live: Deployed | None
    canary: Deployed | None = None
    percent: int = 0

    @property
    def called(self) -> list[Deployed]:
        """The versions that are called: the live one, then the canary."""
        return [one for one in (self.live, self.canary) if one is not None]


class Registry:
    """The shops of this process. Without a word from `releases` every folder's shop is live."""

    def __init__(self, entries: Iterable[ShopEntry]) -> None:
        self._folders = {entry.id: entry for entry in entries}
        self._digests = {
            e.id: rules.digest(e.manifest) for e in self._folders.values() if e.manifest
        }
        self._told: list[Placed] = []
        self._placed: dict[str, list[Placed]] = {}
        self._faults: dict[tuple[str, str], str] = {}
        self._running: dict[str, Running] = {}
        self.on_change: list[Callable[[], Awaitable[None]]] = []
        """Awaited one after the other when the versions that are called have changed."""
        self._put_together()

    def place(self, placed: Iterable[Placed]) -> bool:
        """Take over how the releases stand; answers whether anything is other than before."""
        told = list(placed)
        if told == self._told:
            return False
        before, self._told, self._placed = self._running, told, {}
        for one in told:
            self._placed.setdefault(one.shop, []).append(one)
        self._put_together()
        return before != self._running

    def placed_manifest(self, digest: str) -> Manifest | None:
        """The manifest of a release that was placed here before; spares reading it again."""
        return next((p.manifest for p in self._told if p.digest == digest), None)

    async def changed(self) -> None:
        """Tell whoever asked to be told; one that fails keeps nothing from the others."""
        for told in self.on_change:
            try:
                await told()
            except Exception:
                log.exception("shops.change_not_taken")

    def _put_together(self) -> None:
        self._running = {
            shop: running
            for shop in sorted(self._folders.keys() | self._placed)
            if (running := self._one(shop, self._placed.get(shop, []))) is not None
        }

    def _one(self, shop: str, placed: list[Placed]) -> Running | None:
        """A shop from its folder and its releases; None where nothing of it is here."""
        main = next((p for p in placed if p.role != "canary"), None)
        trial = next((p for p in placed if p.role == "canary"), None)
        entry = self._entry(shop, main or trial)
        if entry is None:
            return None
        if main is not None and main.role != "live":
            return Running(msgspec.structs.replace(entry, state=main.role), None)
        canary = self._deployed(trial, self._entry(shop, trial)) if trial else None
        live = None if main is None and trial else self._deployed(main, entry)
        return Running(entry, live, canary, trial.percent if trial and canary else 0)

    def _entry(self, shop: str, placed: Placed | None) -> ShopEntry | None:
        """The shop with the version that was placed, or with what lies in its folder."""
        if placed is None or placed.kind == "folder":
            entry = self._folders.get(shop)
            digest = self._digests.get(shop, "")
        else:
            digest = placed.digest
            reason = "" if placed.manifest else "its manifest is of a contract that is gone"
            entry = ShopEntry(
                shop, "broken" if reason else "live", placed.manifest, None, reason=reason
            )
        fault = self._faults.get((shop, digest)) or self._faults.get((shop, ""))
        if entry is None or not fault:
            return entry
        return msgspec.structs.replace(entry, state="broken", shop=None, reason=fault)

    def _deployed(self, placed: Placed | None, entry: ShopEntry | None) -> Deployed | None:
        """What is called; None where there is no manifest to go by."""
        if entry is None or entry.manifest is None:
            return None
        manifest = entry.manifest
        if placed is not None and placed.kind == "submitted":
            digest = placed.digest
        else:
            digest = self._digests[entry.id]
        return Deployed(entry.id, manifest.version, digest, manifest, entry.shop)

    def pick(self, shop_id: str, citizen_id: UUID | None) -> Deployed:
        """The version that a citizen meets: the canary by share, else the live one. Whoever is no
        citizen meets the canary only where nothing is live.

        Raises NoSuchShop, ShopClosed, ShopRetired.
        """
        running = self._running.get(shop_id)
        if running is None or running.entry.manifest is None:
            raise NoSuchShop(shop=shop_id)
        trial = running.canary
        if trial and citizen_id and rules.meets_canary(shop_id, citizen_id, running.percent):
            return trial
        if running.live is not None:
            return running.live
        if trial and citizen_id is None:
            return trial
        if running.entry.state == "retired":
            raise ShopRetired(shop=shop_id)
        raise ShopClosed(shop=shop_id, reason="opening" if trial else "suspended")

    def deployed(self) -> list[Deployed]:
        """Every version that is called: of each shop the live one, then the canary."""
        return [one for running in self._running.values() for one in running.called]

    def deployed_of(self, shop_id: str) -> list[Deployed]:
        """The same of one shop; none of one that isn't here."""
        running = self._running.get(shop_id)
        return running.called if running is not None else []

    def all(self) -> list[ShopEntry]:
        """Every shop, broken ones too, by id."""
        return [running.entry for running in self._running.values()]

    def get(self, shop_id: str) -> ShopEntry:
        """One shop. Raises NoSuchShop."""
        try:
            return self._running[shop_id].entry
        except KeyError:
            raise NoSuchShop(shop=shop_id) from None

    def manifest(self, shop_id: str) -> Manifest:
        """The manifest of a shop's live version. Raises NoSuchShop, also where it can't be read."""
        manifest = self.get(shop_id).manifest
        if manifest is None:
            raise NoSuchShop(shop=shop_id)
        return manifest

    def name(self, shop_id: str) -> i18n.Text:
        """What a shop is called; its id where its manifest can't be read or it has left."""
        try:
            return self.manifest(shop_id).name
        except NoSuchShop:
            return {"zh-CN": shop_id, "en": shop_id}

    def app(self, shop_id: str, app_id: str) -> App:
        """One app's part of that manifest. Raises NoSuchShop, NoSuchApp."""
        app = self.manifest(shop_id).app(app_id)
        if app is None:
            raise NoSuchApp(shop=shop_id, app=app_id)
        return app

    def purposes_asked(
        self, shop_id: str, app_id: str, citizen_id: UUID | None = None
    ) -> dict[str, i18n.Text]:
        """What an app may ask for, in any of its versions that citizens meet, and what for; where
        versions differ, as the one says that this citizen meets. Raises NoSuchShop, NoSuchApp.
        """
        apps = [found for one in self.deployed_of(shop_id) if (found := one.manifest.app(app_id))]
        apps.append(self.app(shop_id, app_id))
        try:
            met = self.pick(shop_id, citizen_id).manifest.app(app_id)
        except (NoSuchShop, ShopClosed, ShopRetired):
            met = None
        apps += [met] if met else []
        return {claim.name: claim.purpose for app in apps for claim in app.claims}

    def purposes(self) -> list[tuple[str, dict[str, i18n.Text]]]:
        """The same of every app, by `shop/app`."""
        return [
            (f"{entry.id}/{app.id}", self.purposes_asked(entry.id, app.id))
            for entry in self.all()
            if entry.manifest is not None
            for app in entry.manifest.apps
        ]

    def report(self, shop_id: str, reason: str, digest: str = "") -> None:
        """Keep a shop, or one version of it, as broken: it could be read but not started."""
        self._faults[shop_id, digest] = reason
        self._put_together()
        log.error("shop.broken", shop=shop_id, reason=reason)

    def mend(self, shop_id: str, digest: str = "") -> None:
        """Take a report back: it has started after all."""
        if self._faults.pop((shop_id, digest), None) is not None:
            self._put_together()
            log.info("shop.mended", shop=shop_id)

    def views(self, lang: str) -> list[ShopView]:
        """The shops as citizens see them; those that closed for good or whose manifest can't be
        read are left out.
        """
        return [
            view(e, e.manifest, lang)
            for e in self.all()
            if e.manifest is not None and e.state != "retired"
        ]

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
        state={"live": "live", "retired": "closed"}.get(entry.state, "recovering"),  # pyright: ignore[reportArgumentType] (three of its words)
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
                forms=app.forms,
            )
            for app in manifest.apps
        ],
    )
