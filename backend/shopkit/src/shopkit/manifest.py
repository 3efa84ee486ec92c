"""The manifest `shop.json`: data, readable without running the shop's code."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast, get_args

import msgspec
from msgspec import Meta, Struct

from .contract import CONTRACTS, AttributeName, EventType, Text
from .errors import BadManifest
from .forms import Form, faults

FILE: Final = "shop.json"
DISCOVERY: Final = "/.well-known/civicmall-shop"
"""Where a shop at an address publishes it, below its url."""
SIZE_MAX: Final = 256 * 1024
"""Bytes; a manifest is a page of text, anything larger is a mistake."""

Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
"""Safe in URLs, as a PostgreSQL schema and as a Python package."""
Version = Annotated[
    str, Meta(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$")
]
ClaimName = Literal["id_number", "name", "phone", "birth_date", "sex", "uscc"]
"""`uscc` is an enterprise's unified social credit code (GB 32100); it has no ID number, and people have
no such code. An app that serves both asks for both, and gets the one that there is.
"""
Stage = Literal["birth", "school", "work", "marriage", "retirement"]
Capability = Literal["progress", "bills", "apply", "appointments", "calculate", "enquire", "raw"]
OLDEST: Final = {"progress": 1, "bills": 1}
"""The contract that a capability came with; all others came with 2."""
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


Host = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?(:\d{1,5})?$")]


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


class Attests(Struct, frozen=True, forbid_unknown_fields=True):
    """An attribute of citizens that the department's records tell the platform of (since contract 2)."""

    name: AttributeName
    basis: Text
    """The record that it stands in, as citizens read it beside the fact."""


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What one call may take and how many run at once."""

    timeout_ms: Annotated[int, Meta(ge=50, le=30_000)] = 3_000
    concurrency: Annotated[int, Meta(ge=1, le=256)] = 16
    queue: Annotated[int, Meta(ge=0, le=1_000)] = 64
    per_second: Annotated[int, Meta(ge=1, le=10_000)] = 500
    """Calls a second in all, as a bucket that holds twice as many."""
    per_citizen_per_minute: Annotated[int, Meta(ge=1, le=6_000)] = 240
    answer_max_bytes: Annotated[int, Meta(ge=1_024, le=8 * 1024 * 1024)] = 1024 * 1024


class Http(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A shop that runs as a service of its own, in any language."""

    url: Annotated[str, Meta(min_length=8, max_length=300, pattern=r"^https?://[^\s?#@]+$")]
    """Where its operations are: `{url}/v2/apps/{app}/{operation}`."""
    key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}$")]
    """Its public key (Ed25519, base64url without padding): what it signs its callbacks with."""
    signature: Literal["ed25519", "hmac-sha256"] = "ed25519"
    """How requests to it are signed: by the platform's key, or by a secret that it shares with it
    and that city IT hands over. That costs less, and whoever has the secret can ask as the platform.
    """


class Webhooks(Struct, frozen=True, forbid_unknown_fields=True):
    """Which events the shop wants; a remote one gets them by POST to `path` below its url."""

    events: Annotated[list[EventType], Meta(min_length=1)]
    path: Annotated[str, Meta(pattern=r"^/[A-Za-z0-9/_-]{0,80}$")] = "/events"


class Window(Struct, frozen=True, forbid_unknown_fields=True):
    """A maintenance that was announced: citizens see `note` and the end, clocks stand still."""

    begins_at: Annotated[datetime, Meta(tz=True)]
    ends_at: Annotated[datetime, Meta(tz=True)]
    note: Text


class RawRoute(Struct, frozen=True, forbid_unknown_fields=True):
    """What may be called raw; `path` may have `{name}` for one segment."""

    method: Method
    path: Annotated[str, Meta(pattern=r"^(/([A-Za-z0-9._~-]+|\{[a-z_]+\}))+$", max_length=200)]
    body_max_bytes: Annotated[int, Meta(ge=0, le=8 * 1024 * 1024)] = 64 * 1024
    answer_max_bytes: Annotated[int, Meta(ge=0, le=64 * 1024 * 1024)] = 1024 * 1024
    signed: bool = True
    """False for a GET of what does no harm when it is read twice: the assertion alone says who asks,
    and somebody who could copy a request could repeat it for two minutes. Half the cost.
    """


class Forms(Struct, frozen=True, forbid_unknown_fields=True):
    """The forms that don't change from citizen to citizen."""

    calculate: Form | None = None
    enquire: Form | None = None


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
    forms: Forms = Forms()
    raw: Annotated[list[RawRoute], Meta(max_length=40)] = []


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """A department's shop. `runtime` says how it is run: in the platform's process, or at an
    address of its own.
    """

    id: Slug
    version: Version
    contract: int
    name: Text
    summary: Text
    department: Text
    apps: Annotated[list[App], Meta(min_length=1, max_length=50)]
    contacts: Contact
    settlement_account: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.-]{1,59}$")]
    runtime: Literal["python"] | Http = "python"
    limits: Limits = Limits()
    maintenance: Annotated[list[Window], Meta(max_length=20)] = []
    webhooks: Webhooks | None = None
    egress: Annotated[list[Host], Meta(max_length=20)] = []
    """The hosts that the shop may call."""
    attests: Annotated[list[Attests], Meta(max_length=20)] = []
    """What it may tell the platform about citizens who use it, and nothing else."""
    icon: str = "shop"

    def app(self, app_id: str) -> App | None:
        """The app of that id, or None."""
        return next((a for a in self.apps if a.id == app_id), None)


CHOICES: Final = (
    (re.compile(r"\.capabilities\[[^.]*$"), get_args(Capability)),
    (re.compile(r"\.claims\[[^.]*\.name$"), get_args(ClaimName)),
    (re.compile(r"\.attests\[[^.]*\.name$"), get_args(AttributeName)),
)
_AT: Final = re.compile(r"^(?P<problem>.*?)(?: - at (?:`key` in )?`(?P<key>[^`]*)`)?$", re.DOTALL)


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest. Raises BadManifest, which names the file and the key."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadManifest(path.name, "$", error.strerror or "can't be read") from error
    return parse_manifest(raw, path.name)


def parse_manifest(raw: bytes, path: str = FILE) -> Manifest:
    """The same from bytes; `path` is only named. Raises BadManifest."""
    if len(raw) > SIZE_MAX:
        raise BadManifest(path, "$", f"larger than {SIZE_MAX} bytes")
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        said = _AT.match(str(error))
        key = (said and said["key"]) or "$"
        problem = said["problem"] if said else str(error)
        raise BadManifest(path, key, problem + _choices(key, problem)) from error
    _check(path, manifest)
    return manifest


def _choices(key: str, problem: str) -> str:
    """What may stand there instead, for the lists that authors write by hand."""
    if not problem.startswith("Invalid enum value"):
        return ""
    allowed = next((words for end, words in CHOICES if end.search(key)), ())
    return f"; one of {', '.join(allowed)}" if allowed else ""


def _check(path: str, manifest: Manifest) -> None:
    if manifest.contract not in CONTRACTS:
        spoken = " and ".join(str(c) for c in CONTRACTS)
        raise BadManifest(path, "$.contract", f"this platform speaks contracts {spoken}")
    seen: set[str] = set()
    for i, app in enumerate(manifest.apps):
        if app.id in seen:
            raise BadManifest(path, f"$.apps[{i}].id", f"{app.id} stands twice")
        seen.add(app.id)
        for key, problem in _wrong_with(app, manifest.contract):
            raise BadManifest(path, f"$.apps[{i}].{key}", problem)
    if problem := _attests(manifest):
        raise BadManifest(path, "$.attests", problem)
    for i, window in enumerate(manifest.maintenance):
        if window.ends_at <= window.begins_at:
            raise BadManifest(path, f"$.maintenance[{i}].ends_at", "not after begins_at")
    for key, tags in _texts("$", msgspec.to_builtins(manifest)):
        if "zh-CN" not in tags:
            raise BadManifest(path, key, "zh-CN is missing")


def _attests(manifest: Manifest) -> str:
    """What is wrong with what it attests; empty: nothing."""
    if manifest.attests and manifest.contract < 2:  # noqa: PLR2004 (the contract it came with)
        return "attests came with contract 2"
    twice = len({one.name for one in manifest.attests}) < len(manifest.attests)
    return "an attribute stands twice" if twice else ""


def _wrong_with(app: App, contract: int) -> Iterator[tuple[str, str]]:
    """What is wrong with one app: key and problem."""
    for capability in app.capabilities:
        if OLDEST.get(capability, 2) > contract:
            yield "capabilities", f"{capability} came with contract 2"
    attested = any(c.name != "phone" for c in app.claims)
    if attested and app.min_level < 2:  # noqa: PLR2004 (level 2 is the word)
        yield "min_level", "attested claims need level 2 or more"
    if "bills" in app.capabilities and not app.fees:
        yield "fees", "an app with bills names its published fees"
    if ("raw" in app.capabilities) != bool(app.raw):
        yield "raw", "the capability raw and its declared paths go together"
    if any(route.method != "GET" and not route.signed for route in app.raw):
        yield "raw", "only a GET may go unsigned"
    for name, form in (("calculate", app.forms.calculate), ("enquire", app.forms.enquire)):
        if (name in app.capabilities) != (form is not None):
            yield "forms", f"the capability {name} and its form go together"
        for fault in faults(form) if form else ():
            yield f"forms.{name}.{fault.field}", fault.problem


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
