"""Nouns of the registry."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct

from shopkit import Manifest, Shop
from shopkit.manifest import Forms

State = Literal["live", "broken", "suspended", "retired"]
Role = Literal["live", "canary", "suspended", "retired"]
"""What a release is to its shop."""


class Found(Struct, frozen=True):
    """A shop that lies here: where its manifest is and what to import. Nothing has run yet."""

    key: str
    """Entry point or folder name, for messages about a shop whose manifest can't be read."""
    package: str
    attribute: str
    manifest: Path | None
    source: Path | None = None
    """The folder to import from where the shop isn't installed."""
    problem: str = ""


class Project(Struct, frozen=True, rename="kebab"):
    """The table `[project]`; all that matters of it."""

    entry_points: dict[str, dict[str, str]]


class Pyproject(Struct, frozen=True):
    """A shop's pyproject.toml."""

    project: Project


class ShopEntry(Struct, frozen=True):
    """One shop of the registry. A broken one stays listed, with the reason for operators.

    `shop` is its code where it runs in this process; None where it has an address of its own.
    """

    id: str
    state: State
    manifest: Manifest | None
    shop: Shop | None = None
    reason: str = ""


class Placed(Struct, frozen=True):
    """A release as it stands: what `releases` tells the registry about a shop.

    Of a `folder` release the code and the manifest are those that lie here, whatever was
    recorded: each process runs what it found.
    """

    shop: str
    version: str
    digest: str
    kind: Literal["folder", "submitted"]
    role: Role
    percent: int
    """The share of citizens that a canary gets, 1 to 100."""
    manifest: Manifest | None
    """None for a folder, and for a kept manifest that can't be read any more."""


class Deployed(Struct, frozen=True):
    """A version of a shop that can be called. `digest` is the SHA-256 of its manifest, in hex."""

    shop: str
    version: str
    digest: str
    manifest: Manifest
    code: Shop | None
    """What runs in this process; None for a shop with an address, and for a broken one."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from every other: what a gate is kept under."""
        return self.shop, self.digest


class ShopVersion(Struct, frozen=True):
    """A version that this city has run. More than one manifest: it was changed under one number."""

    version: str
    first_seen: datetime
    manifests: int


class AppView(Struct, frozen=True):
    """An app as citizens see it."""

    id: str
    name: str
    summary: str
    icon: str
    capabilities: list[str]
    min_level: int
    claims: dict[str, str]
    """Each fact it asks for, and what for."""
    items: list[str]
    forms: Forms = Forms()
    """Of `calculate` and `enquire`; those of `apply` are the shop's to give, citizen by citizen."""


class ShopView(Struct, frozen=True):
    """A shop as citizens see it; `recovering` (恢复中) where it can't be used at the moment, and
    `closed` where it has closed for good.
    """

    id: str
    name: str
    summary: str
    department: str
    icon: str
    state: Literal["live", "recovering", "closed"]
    apps: list[AppView]
