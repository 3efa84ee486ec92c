"""The manifest `shop.json`: data, readable without running the shop's code."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from msgspec import Meta, Struct

from .contract import CONTRACT, Text
from .errors import BadManifest

FILE: Final = "shop.json"
SIZE_MAX: Final = 256 * 1024
"""Bytes; a manifest is a page of text, anything larger is a mistake."""

Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
"""Safe in URLs, as a PostgreSQL schema and as a Python package."""
Version = Annotated[
    str, Meta(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$")
]
ClaimName = Literal["id_number", "name", "phone", "birth_date", "sex"]
Stage = Literal["birth", "school", "work", "marriage", "retirement"]
Capability = Literal["bills", "progress"]


class Claim(Struct, frozen=True, forbid_unknown_fields=True):
    """A fact about the citizen that the app asks for, and what for; both shown at consent."""

    name: ClaimName
    purpose: Text


class Fee(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the published fee list; the payment centre refuses any other."""

    code: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.-]{1,59}$")]
    name: Text
    basis: Text


class Contact(Struct, frozen=True, forbid_unknown_fields=True):
    """Who answers for the shop: rectifications are addressed to `responsible`."""

    responsible: Text
    phone: Annotated[str, Meta(pattern=r"^[0-9+() -]{3,24}$")]


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What one call may take and how many run at once."""

    timeout_ms: Annotated[int, Meta(ge=50, le=30_000)] = 3_000
    concurrency: Annotated[int, Meta(ge=1, le=256)] = 16
    queue: Annotated[int, Meta(ge=0, le=1_000)] = 64


class App(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing the shop offers."""

    id: Slug
    name: Text
    summary: Text
    icon: Annotated[str, Meta(pattern=r"^[a-z][a-z-]{0,30}$")]
    capabilities: Annotated[list[Capability], Meta(min_length=1, max_length=8)]
    min_level: Annotated[int, Meta(ge=1, le=3)] = 1
    claims: Annotated[list[Claim], Meta(max_length=8)] = []
    stages: list[Stage] = []
    items: Annotated[list[str], Meta(max_length=50)] = []
    """Codes of the service items that this app does."""
    fees: Annotated[list[Fee], Meta(max_length=20)] = []
    hours: Text | None = None
    cache_seconds: Annotated[int, Meta(ge=0, le=3_600)] = 0
    """How long a read may be answered from the gateway's memory."""


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """A department's shop. `runtime` says how it is run; in this version always `python`."""

    id: Slug
    version: Version
    contract: int
    name: Text
    summary: Text
    department: Text
    apps: Annotated[list[App], Meta(min_length=1, max_length=50)]
    contacts: Contact
    settlement_account: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.-]{1,59}$")]
    runtime: Literal["python"] = "python"
    limits: Limits = Limits()
    icon: str = "shop"

    def app(self, app_id: str) -> App | None:
        """The app of that id, or None."""
        return next((a for a in self.apps if a.id == app_id), None)


_AT: Final = re.compile(r"^(?P<problem>.*?)(?: - at (?:`key` in )?`(?P<key>[^`]*)`)?$", re.DOTALL)


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest. Raises BadManifest, which names the file and the key."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadManifest(path.name, "$", error.strerror or "can't be read") from error
    if len(raw) > SIZE_MAX:
        raise BadManifest(path.name, "$", f"larger than {SIZE_MAX} bytes")
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        said = _AT.match(str(error))
        key = (said and said["key"]) or "$"
        raise BadManifest(path.name, key, said["problem"] if said else str(error)) from error
    _check(path.name, manifest)
    return manifest


def _check(path: str, manifest: Manifest) -> None:
    if manifest.contract != CONTRACT:
        raise BadManifest(path, "$.contract", f"this platform speaks contract {CONTRACT}")
    seen: set[str] = set()
    for i, app in enumerate(manifest.apps):
        if app.id in seen:
            raise BadManifest(path, f"$.apps[{i}].id", f"{app.id} stands twice")
        seen.add(app.id)
        if app.claims and app.min_level < 2 and any(c.name != "phone" for c in app.claims):  # noqa: PLR2004 (level 2 is the word)
            raise BadManifest(
                path, f"$.apps[{i}].min_level", "attested claims need level 2 or more"
            )
        if "bills" in app.capabilities and not app.fees:
            raise BadManifest(
                path, f"$.apps[{i}].fees", "an app with bills names its published fees"
            )
    for key, tags in _texts("$", msgspec.to_builtins(manifest)):
        if "zh-CN" not in tags:
            raise BadManifest(path, key, "zh-CN is missing")


def _texts(key: str, part: Any) -> Iterator[tuple[str, Collection[str]]]:
    """Every text in a manifest as plain data: its key and its language tags."""
    if isinstance(part, list):
        for i, inner in enumerate(cast("list[Any]", part)):
            yield from _texts(f"{key}[{i}]", inner)
    elif isinstance(part, dict):
        members = cast("dict[str, Any]", part)
        if members.keys() <= {"zh-CN", "en"}:
            yield key, members.keys()
        for name, inner in members.items():
            yield from _texts(f"{key}.{name}", inner)


def locate(package: str) -> Path:
    """Where a package's manifest lies, without importing the package.

    Beside the package's code (as installed), or at the root of its project (as in plugins/).
    Raises BadManifest.
    """
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError) as error:
        raise BadManifest(package, "$", "the package is not installed") from error
    if spec is None or spec.origin is None or not spec.has_location:
        raise BadManifest(package, "$", "the package is not installed")
    home = Path(spec.origin).parent
    for folder in (home, home.parent, home.parent.parent):
        if (folder / FILE).is_file():
            return folder / FILE
    raise BadManifest(package, "$", f"no {FILE} beside the package or at its project's root")
